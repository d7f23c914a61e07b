#include "tests/integration/load.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"

namespace hastur {
namespace {

constexpr std::uint64_t hosts = 20;
// The most that a UDP datagram carries over IPv4.
constexpr std::size_t datagram_bytes_max = 65'507;
constexpr std::uint64_t huge_every = 20'000;

std::string uuid_of(std::uint64_t number) {
  return fmt::format("8e58af00-708c-012f-e468-64ce8f3a9{:03x}", number % hosts);
}

std::string huge(std::uint64_t number) {
  std::string text =
      fmt::format(R"({{"type":"log","subject":"huge","uuid":"{}","labels":{{"n":{}}},"data":")",
                  uuid_of(number), number);
  text.append(datagram_bytes_max - text.size() - 2, 'x');
  return text + "\"}";
}

}  // namespace

std::string datagram(std::uint64_t number) {
  const std::string uuid = uuid_of(number / 7);
  if (number < hosts) {
    return fmt::format(
        R"({{"type":"reg_agent","uuid":"{}","hostname":"host{}","labels":{{"n":{}}}}})",
        uuid_of(number), number, number);
  }
  if (number % huge_every == huge_every / 2) return huge(number);
  const auto named = [&](std::string_view type, std::string_view name, double value,
                         std::string_view more = "") {
    return fmt::format(
        R"({{"type":"{}","name":"{}","value":{},"uuid":"{}","labels":{{"n":{}{}}}}})", type, name,
        value, uuid, number, more);
  };
  switch (const std::uint64_t kind = number % 100; kind) {
    case 99:
      return fmt::format("\xff\x01 no JSON \"n\":{} \xc3", number);
    case 98:
      return fmt::format(R"({{"type":"teapot","uuid":"{}","labels":{{"n":{}}}}})", uuid, number);
    case 97:
      return fmt::format(R"({{"type":"gauge","name":"it.load","labels":{{"n":{},)", number);
    case 96:
      return fmt::format(
          R"({{"type":"event","name":"it.event","subject":"disk","body":"full","attn":["ops"],"uuid":"{}","labels":{{"n":{}}}}})",
          uuid, number);
    case 95:
      return named("gauge", "ots.transcoding.load", number / 100 % 50 == 0 ? 12.5 : 3.25,
                   R"(,"send_to":"load_tester")");
    case 94:
      return named("gauge", "system.load.1m", static_cast<double>(number % 71) / 10);
    case 93:
      return fmt::format(
          R"({{"type":"log","subject":"old","timestamp":1700000000,"uuid":"{}","labels":{{"n":{}}}}})",
          uuid, number);
    case 92:
    case 91:
      return fmt::format(R"({{"type":"hb_agent","uuid":"{}","labels":{{"n":{}}}}})", uuid, number);
    case 90:
    case 89:
      return named("hb_process", "worker", 1.5);
    default:
      if (kind >= 80) {
        return fmt::format(
            R"({{"type":"mark","name":"it.mark","value":"deploy","uuid":"{}","labels":{{"n":{}}}}})",
            uuid, number);
      }
      if (kind >= 60) return named("counter", "it.requests", static_cast<double>(number % 5));
      return named("gauge", "it.load", static_cast<double>(number * 7919 % 1000) / 10,
                   kind % 2 == 0 ? R"(,"disk":"sda")" : R"(,"disk":"sdb")");
  }
}

std::optional<std::uint64_t> number_of(const MessageView& message) {
  if (const Value* label = message.label("n")) return static_cast<std::uint64_t>(label->number);
  if (message.type != MessageType::error) return std::nullopt;
  const auto data = field_of(message, "data");
  if (!data || !data->is_string()) return std::nullopt;
  const auto& text = data->get_ref<const std::string&>();
  constexpr std::string_view key = "\"n\":";
  const auto at = text.find(key);
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(text.c_str() + at + key.size(), nullptr, 10);
}

Sender::Sender(std::uint16_t port)
    : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), port_(port) {
  HASTUR_CHECK(socket_.is_open(), "no UDP socket can be had");
}

Sender::~Sender() { stop(); }

void Sender::send(std::optional<std::uint64_t> count, std::uint64_t per_second) {
  HASTUR_CHECK(!thread_.joinable(), "it sends already");
  const std::uint64_t end = count ? sent_ + *count : std::numeric_limits<std::uint64_t>::max();
  stopping_ = false;
  thread_ = std::thread([this, end, per_second] { run(end, per_second); });
}

void Sender::finish() {
  if (thread_.joinable()) thread_.join();
}

void Sender::stop() {
  stopping_ = true;
  finish();
}

void Sender::run(std::uint64_t end, std::uint64_t per_second) {
  SystemClock clock;
  Micros last = clock.monotonic();
  // What the thread slept through is not caught up in a burst longer than this.
  constexpr Micros burst = std::chrono::milliseconds{20};
  double due = 0;
  while (sent_ < end && !stopping_) {
    const Micros now = clock.monotonic();
    due += static_cast<double>(std::min(now - last, burst).count()) *
           static_cast<double>(per_second) / 1e6;
    last = now;
    for (; due >= 1 && sent_ < end && !stopping_; due -= 1) {
      send_one(sent_);
      ++sent_;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

void Sender::send_one(std::uint64_t number) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port_);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string bytes = datagram(number);
  const ssize_t done = sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                              reinterpret_cast<const sockaddr*>(&to), sizeof to);
  HASTUR_CHECK(done == static_cast<ssize_t>(bytes.size()), "a datagram could not be sent");
}

}  // namespace hastur
