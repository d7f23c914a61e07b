#include "message/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cstring>

#include "core/json.h"
#include "core/printable.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

struct TypeName {
  MessageType type;
  std::string_view name;
};

// The most frequent first: they are looked up by name for every datagram.
constexpr std::array<TypeName, 17> type_names{{
    {MessageType::gauge, "gauge"},
    {MessageType::counter, "counter"},
    {MessageType::hb_process, "hb_process"},
    {MessageType::event, "event"},
    {MessageType::log, "log"},
    {MessageType::mark, "mark"},
    {MessageType::hb_agent, "hb_agent"},
    {MessageType::compound, "compound"},
    {MessageType::error, "error"},
    {MessageType::ack, "ack"},
    {MessageType::noop, "noop"},
    {MessageType::reg_agent, "reg_agent"},
    {MessageType::reg_process, "reg_process"},
    {MessageType::info_process, "info_process"},
    {MessageType::info_agent, "info_agent"},
    {MessageType::info_ohai, "info_ohai"},
    {MessageType::tick, "tick"},
}};

// Whether all eight bytes of `word` are hex digits of either case.
bool all_hex(std::uint64_t word) {
  constexpr std::uint64_t each = 0x0101010101010101;
  constexpr std::uint64_t high_bits = 0x80 * each;
  // The high bit of every byte that is at least `low`; no byte of `bytes` has its own set, so none
  // carries over.
  const auto at_least = [](std::uint64_t bytes, std::uint64_t low) {
    return bytes + (0x80 - low) * each;
  };
  if ((word & high_bits) != 0) return false;
  const std::uint64_t lowered = word | 0x20 * each;
  const std::uint64_t decimal = at_least(word, '0') & ~at_least(word, '9' + 1);
  const std::uint64_t letter = at_least(lowered, 'a') & ~at_least(lowered, 'f' + 1);
  return ((decimal | letter) & high_bits) == high_bits;
}

bool same_fields(const MessageView& a, const MessageView& b) {
  return a.type == b.type && a.name == b.name && a.value == b.value && a.timestamp == b.timestamp &&
         a.received_at == b.received_at && a.uuid == b.uuid && a.hostname == b.hostname &&
         std::ranges::equal(a.labels, b.labels) && a.fields == b.fields && a.origin == b.origin &&
         a.deaf == b.deaf;
}

}  // namespace

std::string_view type_name(MessageType type) {
  for (const TypeName& entry : type_names) {
    if (entry.type == type) return entry.name;
  }
  return "unknown";
}

std::optional<MessageType> type_from_name(std::string_view name) {
  for (const TypeName& entry : type_names) {
    if (entry.name == name) return entry.type;
  }
  return std::nullopt;
}

std::optional<MessageType> type_from_wire_id(std::uint8_t id) {
  for (const TypeName& entry : type_names) {
    if (static_cast<std::uint8_t>(entry.type) == id) return entry.type;
  }
  return std::nullopt;
}

std::span<const std::string_view> optional_fields(MessageType type) {
  static constexpr std::array<std::string_view, 3> event{"attn", "body", "subject"};
  static constexpr std::array<std::string_view, 2> log{"data", "subject"};
  static constexpr std::array<std::string_view, 4> error{"backtrace", "class", "data", "error"};
  static constexpr std::array<std::string_view, 1> heartbeat{"timeout"};
  static constexpr std::array<std::string_view, 4> registration{"data", "hostname", "ipv4",
                                                                "nodename"};
  static constexpr std::array<std::string_view, 2> info{"data", "tag"};
  switch (type) {
    case MessageType::event:
      return event;
    case MessageType::log:
      return log;
    case MessageType::error:
      return error;
    case MessageType::hb_process:
    case MessageType::hb_agent:
      return heartbeat;
    case MessageType::reg_agent:
    case MessageType::reg_process:
      return registration;
    case MessageType::info_process:
    case MessageType::info_agent:
      return info;
    default:
      return {};
  }
}

const Value* MessageView::label(std::string_view key) const {
  const auto found = std::ranges::lower_bound(labels, key, {}, &Label::key);
  return found != labels.end() && found->key == key ? &found->value : nullptr;
}

Message::Message(const MessageView& view) : view_(view) {
  // Every string gets a heap block of its own, so that moving the vector moves no byte.
  const auto keep = [this](std::string_view text) -> std::string_view {
    if (text.empty()) return {"", 0};
    std::string& kept = kept_.emplace_back();
    kept.reserve(std::max<std::size_t>(text.size(), 32));
    kept = text;
    return kept;
  };
  kept_.reserve(8 + 2 * view.labels.size());
  labels_.assign(view.labels.begin(), view.labels.end());
  for (Label& label : labels_) {
    label.key = keep(label.key);
    label.value.text = keep(label.value.text);
  }
  view_.labels = labels_;
  if (view_.name) view_.name = keep(*view_.name);
  view_.value.text = keep(view_.value.text);
  view_.uuid = keep(view_.uuid);
  if (view_.hostname) view_.hostname = keep(*view_.hostname);
  view_.fields = keep(view_.fields);
  if (view_.origin) view_.origin->trigger = keep(view_.origin->trigger);
}

Message& Message::operator=(const Message& other) {
  if (this != &other) *this = Message(other);
  return *this;
}

bool operator==(const Message& a, const Message& b) { return same_fields(a.view_, b.view_); }

bool same_message(const MessageView& a, const MessageView& b) { return same_fields(a, b); }

std::optional<Json> field_of(const MessageView& message, std::string_view key) {
  if (message.fields.empty()) return std::nullopt;
  Json fields = Json::from_msgpack(message.fields.begin(), message.fields.end(), true, false);
  const auto found = fields.find(key);
  if (found == fields.end()) return std::nullopt;
  return std::move(*found);
}

std::optional<std::string_view> registered_hostname(const MessageView& message) {
  if (!is_registration(message.type) || message.origin) return std::nullopt;
  const auto entry = find_in_msgpack(message.fields, "hostname");
  if (!entry) return std::nullopt;
  const Value value = value_of_msgpack(*entry);
  if (value.kind != Value::Kind::string || value.text.empty()) return std::nullopt;
  return value.text;
}

Result<void> check_trigger_name(std::string_view name) {
  constexpr std::size_t length_max = 200;
  const auto refuse = [name](std::string_view why) {
    return fail(ErrorCode::invalid,
                fmt::format("'{}' cannot be a trigger's name: {}", printable(name), why));
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > length_max)
    return refuse(fmt::format("it is longer than {} characters", length_max));
  std::string_view rest = name;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty()) return refuse("a part between slashes is empty");
    if (part == "." || part == "..") return refuse("'.' and '..' are no names");
    for (const char c : part) {
      const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
      if (!allowed) return refuse("only letters, digits, '_', '-', '.' and '/' may stand in it");
    }
    if (slash == std::string_view::npos) {
      if (part == "state" || part == "snapshots")
        return refuse("its last part is a path of the API");
      return {};
    }
    rest.remove_prefix(slash + 1);
  }
}

std::string dns_uuid(std::string_view name) {
  boost::uuids::name_generator_sha1 generator(boost::uuids::ns::dns());
  return boost::uuids::to_string(generator(name.data(), name.size()));
}

std::string trigger_uuid(std::string_view trigger) {
  return dns_uuid(fmt::format("{}.trigger.hastur", trigger));
}

// Eight bytes at a time: every datagram has a uuid, and a loop over its characters costs a tenth of
// decoding it.
bool normalise_uuid(std::string_view text, std::span<char, 36> out) {
  if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
    return false;
  const auto load8 = [&](std::size_t at) {
    std::uint64_t word = 0;
    std::memcpy(&word, &text[at], sizeof word);
    return word;
  };
  const auto load4 = [&](std::size_t at) {
    std::uint32_t word = 0;
    std::memcpy(&word, &text[at], sizeof word);
    return std::uint64_t{word};
  };
  if (!all_hex(load8(0)) || !all_hex(load4(9) | load4(14) << 32) ||
      !all_hex(load4(19) | load4(24) << 32) || !all_hex(load8(28))) {
    return false;
  }
  // The bit that makes a letter small is set in digits and '-' anyway.
  constexpr std::uint64_t small = 0x2020202020202020;
  for (const std::size_t at : {0, 8, 16, 24, 28}) {
    const std::uint64_t word = load8(at) | small;
    std::memcpy(&out[at], &word, sizeof word);
  }
  return true;
}

std::optional<Time> normalise_timestamp(std::int64_t number) {
  constexpr std::int64_t low = 31'536'000;
  constexpr std::int64_t high = 4'102'444'800;
  const auto within = [number](std::int64_t scale) {
    return number >= low * scale && number <= high * scale;
  };
  if (within(1)) return time_from_us(number * 1'000'000);
  if (within(1'000)) return time_from_us(number * 1'000);
  if (within(1'000'000)) return time_from_us(number);
  if (within(1'000'000'000)) return time_from_us(number / 1'000);
  return std::nullopt;
}

}  // namespace hastur
