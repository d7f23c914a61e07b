#pragma once

// The one wrapper of nlohmann/json: JSON values off the hot path, and our canonical text of them.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.h"

namespace hastur {

// Object keys are kept sorted by bytes.
using Json = nlohmann::json;

// Fails with the byte position and what was expected there. Nesting is bounded at 128.
Result<Json> parse_json(std::string_view text);

// The same for a text that is a part of a file: what is wrong, without a place, and the line of the
// text (from 1) in which it is.
struct JsonFault {
  std::string why;
  std::size_t line = 1;
};
std::variant<Json, JsonFault> parse_json_part(std::string_view text);

// Keys sorted by bytes, no white space, numbers as append_number writes them (integers that the
// value holds as such keep all their digits), bytes that are not UTF-8 replaced by U+FFFD. Equal
// values are equal bytes.
std::string canonical_json(const Json& value);
void append_canonical_json(std::string& out, const Json& value);

// Whether `text` is well-formed UTF-8 (RFC 3629: no surrogates, nothing over-long).
bool is_utf8(std::string_view text);

// Appends `text` as a JSON string with its quotes: control characters, '"' and '\' escaped in the
// shortest way, bytes that are not UTF-8 replaced by U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Appends `text` as it is, but for bytes that are not UTF-8, which are replaced by U+FFFD.
void append_utf8(std::string& out, std::string_view text);

}  // namespace hastur
