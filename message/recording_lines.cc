#include "message/recording_lines.h"

#include <fmt/format.h>

#include <cmath>

namespace hastur {
namespace {

using Refused = JsonDecoder::Refused;

// Longer deafness than anybody records; keeps sums of it far from overflow.
constexpr std::int64_t deaf_us_max = 100ll * 365 * 86'400 * us_per_second;

// The integer under `key`, or nothing.
std::optional<std::int64_t> integer_of(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > std::uint64_t{INT64_MAX})
    return std::nullopt;
  return found->get<std::int64_t>();
}

bool is_whole(const Json& number) {
  if (number.is_number_integer()) return true;
  return number.is_number() && std::trunc(number.get<double>()) == number.get<double>();
}

// Of a whole number; nothing if it is out of range.
std::optional<Time> time_of(const Json& number) {
  // 2^63: at or above it no form of a number converts.
  if (!(std::fabs(number.get<double>()) < 9223372036854775808.0)) return std::nullopt;
  return normalise_timestamp(number.get<std::int64_t>());
}

}  // namespace

const std::string* string_of(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const Json::string_t*>();
}

Sequence sequence_of_line(const Json& line) {
  const auto number = integer_of(line, "seq");
  return number && *number > 0 ? Sequence{static_cast<std::uint64_t>(*number)} : Sequence{};
}

std::variant<Tick, Refused> tick_of_line(const Json& line) {
  const auto number = integer_of(line, "time");
  const auto time = number ? normalise_timestamp(*number) : std::nullopt;
  if (!time || whole_second(*time) != *time) {
    return Refused{Refusal::bad_timestamp,
                   time ? "\"time\" of a tick must be a whole second"
                        : "\"time\" of a tick must be a whole number of s, ms, µs or ns"};
  }
  const std::int64_t deaf = line.contains("deaf") ? integer_of(line, "deaf").value_or(-1) : 0;
  if (deaf < 0 || deaf > deaf_us_max) {
    return Refused{Refusal::bad_field,
                   "\"deaf\" of a tick must be a whole number of µs, not negative"};
  }
  return Tick{*time, Micros{deaf}};
}

std::variant<RecordingReader::Lost, Refused> lost_of_line(const Json& line) {
  const auto first = integer_of(line, "first");
  const auto last = integer_of(line, "last");
  if (!first || !last || *first < 1 || *last < *first) {
    return Refused{Refusal::bad_field,
                   "what was lost must have a \"first\" and a \"last\", whole numbers, the last "
                   "not below the first"};
  }
  const std::string* why = string_of(line, "why");
  return RecordingReader::Lost{{static_cast<std::uint64_t>(*first)},
                               {static_cast<std::uint64_t>(*last)},
                               why != nullptr ? *why : std::string()};
}

std::variant<ReplayElement, RefusedElement> element_of(std::string_view text) {
  const auto refuse = [](Refusal why, std::string sentence, std::size_t below = 0) {
    return RefusedElement{{why, std::move(sentence)}, below};
  };
  const auto json = parse_json_part(text);
  if (const auto* fault = std::get_if<JsonFault>(&json))
    return refuse(Refusal::not_json, fault->why, fault->line - 1);
  const Json& object = std::get<Json>(json);
  if (!object.is_object()) return refuse(Refusal::not_an_object, "an element must be an object");
  const std::string* payload = string_of(object, "payload");
  if (payload == nullptr) {
    return refuse(Refusal::bad_envelope, "\"payload\" of an element must be a string of JSON");
  }
  ReplayElement element;
  element.payload = *payload;
  if (const auto timestamp = object.find("timestamp");
      timestamp != object.end() && !timestamp->is_null()) {
    if (!is_whole(*timestamp)) {
      return refuse(Refusal::bad_timestamp,
                    "\"timestamp\" of an element must be a whole number of s, ms, µs or ns");
    }
    element.timestamp = time_of(*timestamp);
  }
  const std::string* type = string_of(object, "type");
  const std::string* from = string_of(object, "from");
  if (type == nullptr && from == nullptr) return element;
  element.from.emplace();
  if (type == nullptr || from == nullptr || !normalise_uuid(*from, *element.from)) {
    return refuse(Refusal::bad_envelope, "an element needs a \"type\" and a uuid as \"from\"");
  }
  element.type = type_from_name(*type);
  if (!element.type) {
    return refuse(Refusal::unknown_type, fmt::format("\"type\" '{}' is none that is known", *type));
  }
  return element;
}

}  // namespace hastur
