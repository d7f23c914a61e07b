#include "core/json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/number.h"

namespace hastur {
namespace {

constexpr int depth_max = 128;

// The length of the well-formed UTF-8 sequence at `at` (RFC 3629), or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(at + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return continues(at + 1, low, high) && continues(at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return continues(at + 1, low, high) && continues(at + 2) && continues(at + 3) ? 4 : 0;
  }
  return 0;
}

// Appends the character at `at` and returns its length in `text`.
std::size_t append_character(std::string& out, std::string_view text, std::size_t at) {
  const std::size_t length = utf8_length(text, at);
  if (length == 0) {
    out += "\xEF\xBF\xBD";
    return 1;
  }
  out.append(text.substr(at, length));
  return length;
}

int depth_of(const std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (depth_of(text) > depth_max) {
    return fail(ErrorCode::invalid, fmt::format("JSON is nested deeper than {} levels", depth_max));
  }
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const nlohmann::json::exception& thrown) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: …": the number says
    // nothing to a reader.
    std::string_view what = thrown.what();
    if (const auto bracket = what.find("] "); bracket != std::string_view::npos)
      what.remove_prefix(bracket + 2);
    return fail(ErrorCode::invalid, fmt::format("not JSON: {}", what));
  }
}

std::variant<Json, JsonFault> parse_json_part(std::string_view text) {
  Result<Json> parsed = parse_json(text);
  if (parsed) return std::move(*parsed);
  JsonFault fault{std::move(parsed.error().message)};
  // "not JSON: parse error at line 3, column 9: …"
  constexpr std::string_view place = "parse error at line ";
  const auto at = fault.why.find(place);
  if (at == std::string::npos) return fault;
  const char* digits = fault.why.data() + at + place.size();
  std::from_chars(digits, fault.why.data() + fault.why.size(), fault.line);
  const auto end = fault.why.find(": ", at);
  if (end != std::string::npos) fault.why.erase(at, end + 2 - at);
  return fault;
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\') {
      out += c;
      ++i;
      continue;
    }
    if (byte >= 0x80) {
      i += append_character(out, text, i);
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += fmt::format("\\u{:04x}", byte);
    }
    ++i;
  }
  out += '"';
}

void append_utf8(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) i += append_character(out, text, i);
}

void append_canonical_json(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, member] : value.items()) {
        if (!first) out += ',';
        first = false;
        append_json_string(out, key);
        out += ':';
        append_canonical_json(out, member);
      }
      out += '}';
      return;
    }
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const Json& element : value) {
        if (!first) out += ',';
        first = false;
        append_canonical_json(out, element);
      }
      out += ']';
      return;
    }
    case Json::value_t::string:
      append_json_string(out, value.get_ref<const std::string&>());
      return;
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::number_integer:
      out += std::to_string(value.get<std::int64_t>());
      return;
    case Json::value_t::number_unsigned:
      out += std::to_string(value.get<std::uint64_t>());
      return;
    case Json::value_t::number_float:
      if (const double number = value.get<double>(); std::isfinite(number)) {
        append_number(out, number);
      } else {
        out += "null";
      }
      return;
    default:
      out += "null";
      return;
  }
}

std::string canonical_json(const Json& value) {
  std::string out;
  append_canonical_json(out, value);
  return out;
}

}  // namespace hastur
