// Notifications on their way to a receiver that fails, from a supervisor that is killed: each
// arrives, under one id, in the order of its incident.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "core/clock.h"
#include "core/fd.h"
#include "core/json.h"
#include "tests/integration/platform.h"
#include "tests/integration/waiting.h"
#include "tests/supervisor/notify/http_receiver.h"

namespace hastur {
namespace {

constexpr std::uint64_t keys = 300;

// Each counter is a notification; those of one key trigger and resolve their incident in turn.
std::string paging_script(const std::string& url) {
  return fmt::format(R"(
local url = "{}")",
                     url) +
         R"(
local ctx = hastur.trigger{ state = { count = 0 } }

ctx:counters({ name = "it.page" }, function(msg)
  local n = ctx.state.count
  ctx.state.count = n + 1
  web_hook(url, { key = "k" .. n % 300, action = n % 600 < 300 and "trigger" or "resolve",
    body = { n = n } })
end)
)";
}

class Pages {
 public:
  explicit Pages(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(port);
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  void send() {
    constexpr std::string_view text = R"({"type":"counter","name":"it.page","value":1})";
    HASTUR_CHECK(sendto(socket_.get(), text.data(), text.size(), 0,
                        reinterpret_cast<const sockaddr*>(&to_), sizeof to_) > 0,
                 "a datagram leaves");
  }

 private:
  Fd socket_;
  sockaddr_in to_{};
};

// What has been answered with 2xx, by the number in its body.
struct Arrived {
  std::string id;
  std::vector<std::size_t> at;
};

std::map<std::uint64_t, Arrived> arrived(HttpReceiver& receiver,
                                         const std::vector<bool>& accepted) {
  std::map<std::uint64_t, Arrived> found;
  const auto requests = receiver.requests();
  for (std::size_t at = 0; at < requests.size(); ++at) {
    const auto body = parse_json(requests[at].body);
    EXPECT_TRUE(body && body->contains("n")) << requests[at].body;
    if (!body || !body->contains("n")) continue;
    Arrived& each = found[(*body)["n"].get<std::uint64_t>()];
    const std::string& id = requests[at].headers.at("x-hastur-notification");
    EXPECT_TRUE(each.id.empty() || each.id == id) << each.id << " is also " << id;
    each.id = id;
    if (at < accepted.size() && accepted[at]) each.at.push_back(at);
  }
  return found;
}

TEST(Notify, EveryNotificationArrivesInOrderOverKillsOfTheSupervisor) {
  constexpr std::uint64_t per_second = is_sanitized ? 40 : 200;
  constexpr int kills = 5;
  const auto seed = static_cast<std::uint32_t>(SystemClock().now().time_since_epoch().count());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);

  HttpReceiver receiver;
  std::atomic<bool> failing = true;
  std::vector<bool> accepted;  // under the receiver's lock
  receiver.judges([&, third = std::mt19937(seed)](const HttpReceiver::Request&) mutable {
    accepted.push_back(third() % 3 != 0 || !failing);
    return accepted.back() ? HttpReceiver::Answer{.status = 202}
                           : HttpReceiver::Answer{.status = 503};
  });

  Platform platform;
  platform.configure("notify = \"on\"",
                     fmt::format("[notify.hook]\nkind = \"web_hook\"\nallow = [\"{}\"]\n"
                                 "default = true\n",
                                 receiver.host()));
  platform.save_script("paging", paging_script(receiver.url("/page")));
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());

  Pages pages(platform.udp_port());
  std::uint64_t sent = 0;
  for (int round = 0; round <= kills; ++round) {
    const std::uint64_t until = sent + per_second / 2 + random() % (per_second / 2);
    for (; sent < until; ++sent) {
      pages.send();
      std::this_thread::sleep_for(std::chrono::microseconds{1'000'000 / per_second});
    }
    if (round == kills) break;
    platform.supervisor().kill_9();
    ASSERT_TRUE(platform.start_supervisor());
  }
  // All that was sent has been counted, and none twice.
  std::uint64_t counted = 0;
  EXPECT_TRUE(wait_until(
      [&] {
        const auto state = platform.get("/v1/triggers/paging/state");
        if (state) counted = (*state)["state"].value("count", std::uint64_t{0});
        return counted >= sent;
      },
      std::chrono::seconds{is_sanitized ? 120 : 60}));
  EXPECT_EQ(counted, sent);
  failing = false;

  // Each has arrived: a mark of the store says so last.
  const bool all_sent = wait_until(
      [&] {
        const auto waiting = platform.get("/v1/notifications?status=waiting&limit=1");
        return waiting && (*waiting)["items"].empty();
      },
      std::chrono::seconds{is_sanitized ? 120 : 60});
  EXPECT_TRUE(all_sent);
  platform.stop();

  const auto found = arrived(receiver, accepted);
  EXPECT_EQ(found.size(), sent);
  std::map<std::string, std::uint64_t> of_id;
  std::vector<const Arrived*> before(keys, nullptr);
  for (const auto& [number, each] : found) {
    EXPECT_FALSE(each.at.empty()) << number << " never arrived";
    EXPECT_TRUE(of_id.try_emplace(each.id, number).second) << each.id << " is of two";
    if (each.at.empty()) continue;
    // Repeated after a kill or not: the first and the last time of each are in order.
    const Arrived*& last = before[number % keys];
    if (last != nullptr) {
      EXPECT_LT(last->at.front(), each.at.front()) << number;
      EXPECT_LT(last->at.back(), each.at.back()) << number;
    }
    last = &each;
  }
}

TEST(Notify, TheWatchdogIsCalledWhenAHeartbeatWentTheWholeWay) {
  HttpReceiver receiver;
  Platform platform;
  ASSERT_TRUE(platform.start_syndicator());
  platform.configure("", fmt::format("[platform]\nwatchdog_url = \"{}\"\nwatchdog_udp = "
                                     "\"127.0.0.1:{}\"\n",
                                     receiver.url("/ping/1"), platform.udp_port()));
  ASSERT_TRUE(platform.start_supervisor());
  EXPECT_TRUE(wait_until([&] { return !receiver.requests().empty(); },
                         std::chrono::seconds{is_sanitized ? 120 : 60}));
  platform.stop();
  ASSERT_FALSE(receiver.requests().empty());
  EXPECT_EQ(receiver.requests().front().method, "GET");
  EXPECT_EQ(receiver.requests().front().target, "/ping/1");
}

TEST(Notify, NoSecretStandsInLogsAnswersOrRows) {
  const std::vector<std::string> secrets = {"Bearer planted-authorization-1",
                                            "planted-signing-key-2"};
  setenv("HASTUR_PLANTED_1", secrets[0].c_str(), 1);
  setenv("HASTUR_PLANTED_2", secrets[1].c_str(), 1);
  HttpReceiver receiver;
  // It repeats what it refuses.
  receiver.judges([](const HttpReceiver::Request& request) {
    return HttpReceiver::Answer{.status = 400,
                                .body = "no: " + request.headers.at("authorization")};
  });
  Platform platform;
  platform.configure("notify = \"on\"\nlog = \"debug\"",
                     fmt::format("[notify.hook]\nkind = \"web_hook\"\nallow = [\"{}\"]\n"
                                 "default = true\nauthorization_env = \"HASTUR_PLANTED_1\"\n"
                                 "signing_key_env = \"HASTUR_PLANTED_2\"\n",
                                 receiver.host()));
  platform.save_script("paging", paging_script(receiver.url("/page")));
  ASSERT_TRUE(platform.start_syndicator());
  ASSERT_TRUE(platform.start_supervisor());
  ASSERT_TRUE(platform.wait_for_triggers());
  Pages(platform.udp_port()).send();
  std::optional<Json> failed;
  ASSERT_TRUE(wait_until(
      [&] {
        failed = platform.get("/v1/notifications?status=failed");
        return failed && !(*failed)["items"].empty();
      },
      std::chrono::seconds{20}));
  EXPECT_EQ(receiver.requests().at(0).headers.at("authorization"), secrets[0]);
  EXPECT_NE((*failed)["items"][0]["reason"].get<std::string>().find("(secret)"), std::string::npos);

  std::string said = failed->dump();
  for (const char* path :
       {"/v1/notify", "/v1/incidents", "/v1/triggers", "/v1/notifications/n-0001"})
    said += platform.get(path).value_or(Json()).dump();
  platform.stop();
  said += platform.supervisor().whole_log();
  for (const char* ending : {"", "-wal"}) {
    std::ifstream file(platform.state_file() + ending, std::ios::binary);
    said.append(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_NE(said.find("(secret)"), std::string::npos);
  for (const std::string& secret : secrets)
    EXPECT_EQ(said.find(secret), std::string::npos) << secret;
}

}  // namespace
}  // namespace hastur
