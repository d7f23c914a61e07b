#include "trigger-runtime/vm/helpers/json_cursor.h"

#include <charconv>
#include <cmath>

#include "core/json.h"

namespace hastur {

bool JsonCursor::take(std::string_view word) {
  if (static_cast<std::size_t>(end_ - at_) < word.size() ||
      std::string_view(at_, word.size()) != word)
    return false;
  at_ += word.size();
  return true;
}

bool JsonCursor::skip_text() {
  if (!take('"')) return false;
  for (; at_ != end_; ++at_) {
    if (*at_ == '"') {
      ++at_;
      return true;
    }
    if (*at_ == '\\' && ++at_ == end_) return false;
  }
  return false;
}

std::optional<std::string_view> JsonCursor::text() {
  const char* begin = at_;
  if (!skip_text()) return std::nullopt;
  const std::string_view quoted(begin, static_cast<std::size_t>(at_ - begin));
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside;
  const Result<Json> json = parse_json(quoted);
  if (!json || !json->is_string()) return std::nullopt;
  unescaped_ = json->get<std::string>();
  return unescaped_;
}

std::optional<double> JsonCursor::number() {
  double number = 0;
  const auto [after, status] = std::from_chars(at_, end_, number);
  if (status != std::errc{} || !std::isfinite(number)) return std::nullopt;
  at_ = after;
  return number;
}

std::optional<std::int64_t> JsonCursor::whole() {
  const std::optional<double> number = this->number();
  if (!number || std::trunc(*number) != *number || std::fabs(*number) > 9007199254740992.0)
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<bool> JsonCursor::boolean() {
  if (take("true")) return true;
  if (take("false")) return false;
  return std::nullopt;
}

std::optional<std::string_view> JsonCursor::value() {
  const char* begin = at_;
  int depth = 0;
  do {
    if (at_ == end_) return std::nullopt;
    switch (*at_) {
      case '"':
        if (!skip_text()) return std::nullopt;
        break;
      case '{':
      case '[':
        ++depth;
        ++at_;
        continue;
      case '}':
      case ']':
        --depth;
        ++at_;
        break;
      case ',':
      case ':':
        if (depth == 0) return std::nullopt;
        ++at_;
        break;
      default:
        while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']') ++at_;
        break;
    }
  } while (depth > 0);
  if (depth < 0 || at_ == begin) return std::nullopt;
  return std::string_view(begin, static_cast<std::size_t>(at_ - begin));
}

}  // namespace hastur
