#include "trigger-test/test_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "core/json.h"

namespace hastur {
namespace {

bool is_name(const std::string& text) {
  static const std::set<std::string_view> keywords{
      "and", "break",    "do",     "else", "elseif", "end",   "false",
      "for", "function", "if",     "in",   "local",  "nil",   "not",
      "or",  "repeat",   "return", "then", "true",   "until", "while"};
  if (text.empty() || keywords.contains(text) || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\{:03}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string entry(const std::string& key, const std::string& value) {
  return fmt::format("{} = {}", is_name(key) ? key : "[" + quoted(key) + "]", value);
}

std::string offset(Micros at) {
  if (at.count() % 1000 != 0)
    return fmt::format("{}", static_cast<double>(at.count()) / us_per_second);
  return quoted(format_span(at));
}

std::string message_text(const MessageSpec& spec) {
  std::string out = "{ ";
  // In the order in which people write them.
  static constexpr std::array first{"type", "name", "uuid", "value"};
  std::string_view comma;
  const auto add = [&](const std::string& key, const std::string& value) {
    out += fmt::format("{}{}", comma, entry(key, value));
    comma = ", ";
  };
  for (const char* key : first) {
    if (const auto found = spec.fields.find(key); found != spec.fields.end())
      add(key, lua_text(*found));
  }
  for (const auto& [key, value] : spec.fields.items()) {
    if (std::ranges::find(first, key) == first.end()) add(key, lua_text(value));
  }
  if (!spec.values.empty()) add("values", lua_text(Json(spec.values)));
  if (spec.at != Micros{0}) add("at", offset(spec.at));
  if (spec.deaf != Micros{0}) add("deaf", offset(spec.deaf));
  if (spec.lost != Micros{0}) add("lost", offset(spec.lost));
  if (spec.timestamp && *spec.timestamp != spec.at) add("timestamp", offset(*spec.timestamp));
  if (spec.times > 1) {
    add("every", offset(spec.every));
    add("times", fmt::format("{}", spec.times));
  }
  return out + " }";
}

}  // namespace

std::string lua_text(const Json& value) {
  if (value.is_null()) return "hastur.null";
  if (value.is_string()) return quoted(value.get<std::string>());
  if (!value.is_structured()) return canonical_json(value);
  if (value.empty()) return "{}";
  std::string out = "{ ";
  std::string_view comma;
  for (const auto& [key, each] : value.items()) {
    out += comma;
    out += value.is_array() ? lua_text(each) : entry(key, lua_text(each));
    comma = ", ";
  }
  return out + " }";
}

std::string lua_text(const TestCase& test, const std::string& indent) {
  std::string out = "{\n";
  const auto line = [&](const std::string& text) { out += fmt::format("{}  {}\n", indent, text); };
  line(entry("name", quoted(test.name)) + ",");
  if (test.start != time_from_us(test_start_us))
    line(entry("start", quoted(format_time(test.start))) + ",");
  line(test.messages.empty() ? "messages = {}," : "messages = {");
  for (const MessageSpec& spec : test.messages) line("  " + message_text(spec) + ",");
  if (!test.messages.empty()) line("},");
  if (!test.expect.empty()) line("expect = {");
  for (const Expectation& each : test.expect) {
    if (each.state_bytes_max)
      line(fmt::format("  {{ state_bytes_max = {} }},", *each.state_bytes_max));
  }
  if (!test.expect.empty()) line("},");
  if (test.ends != Micros{0}) line(entry("ends", offset(test.ends)) + ",");
  return out + indent + "}";
}

}  // namespace hastur
