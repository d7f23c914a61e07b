#include "supervisor/cli/compose.h"

#include <fmt/format.h>

#include "core/json.h"
#include "core/suggest.h"
#include "message/json_codec.h"
#include "message/message.h"

namespace hastur {
namespace {

constexpr std::string_view any_uuid = "00000000-0000-0000-0000-000000000000";

Json typed(const std::string& word) {
  auto json = parse_json(word);
  return json ? std::move(*json) : Json(word);
}

Result<void> add_pairs(Json& into, const std::vector<std::string>& pairs, const char* flag) {
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorCode::invalid, fmt::format("{} takes key=value, not \"{}\"", flag, pair));
    }
    into[pair.substr(0, equals)] = typed(pair.substr(equals + 1));
  }
  return {};
}

Result<MessageType> type_of(const std::string& word) {
  if (const auto type = type_from_name(word)) return *type;
  const std::vector<std::string> known = {"event",        "log",      "error",      "mark",
                                          "gauge",        "counter",  "compound",   "reg_agent",
                                          "reg_process",  "hb_agent", "hb_process", "info_agent",
                                          "info_process", "info_ohai"};
  const std::string near = nearest(word, known);
  return fail(ErrorCode::invalid,
              fmt::format("there is no message type \"{}\"{}", word,
                          near.empty() ? "; a common one is \"gauge\""
                                       : fmt::format("; did you mean \"{}\"?", near)));
}

}  // namespace

Result<std::string> compose_message(const MessageWords& words) {
  const auto type = type_of(words.type);
  if (!type) return fail(type.error());
  Json message = {{"type", words.type}};
  const char* name_field = *type == MessageType::log     ? "subject"
                           : *type == MessageType::error ? "error"
                                                         : "name";
  const char* value_field = *type == MessageType::event                                ? "subject"
                            : *type == MessageType::log || *type == MessageType::error ? "data"
                                                                                       : "value";
  if (!words.name.empty()) message[name_field] = words.name;
  // A mark's value is a text even if it looks like a number.
  const bool is_text = *type == MessageType::mark || *type == MessageType::event;
  if (!words.value.empty()) message[value_field] = is_text ? Json(words.value) : typed(words.value);
  if (*type == MessageType::mark && words.value.empty()) message["value"] = nullptr;
  Json labels = Json::object();
  HASTUR_TRY(add_pairs(labels, words.labels, "--label"));
  if (!labels.empty()) message["labels"] = std::move(labels);
  HASTUR_TRY(add_pairs(message, words.fields, "--field"));
  return canonical_json(message);
}

Result<void> check_message(std::string_view json, Time now) {
  // A datagram's payload over IPv4.
  constexpr std::size_t datagram_bytes_max = 65'507;
  if (json.size() > datagram_bytes_max) {
    return fail(ErrorCode::invalid,
                fmt::format("the message has {} bytes; a datagram holds at most {}", json.size(),
                            datagram_bytes_max));
  }
  JsonDecoder decoder;
  JsonDecoder::Defaults defaults;
  defaults.received_at = now;
  defaults.uuid = any_uuid;
  const auto decoded = decoder.decode(json, defaults);
  if (const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded)) {
    return fail(ErrorCode::invalid,
                fmt::format("{}: {}", refusal_name(refused->why), refused->text));
  }
  return {};
}

}  // namespace hastur
