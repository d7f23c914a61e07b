#include "trigger-test/lua_tokens.h"

#include <optional>
#include <string>

namespace hastur {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  std::vector<LuaToken> all() {
    std::vector<LuaToken> tokens;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const std::uint32_t line = line_;
      if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
        skip(1);
      } else if (text_.substr(at_, 2) == "--") {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        tokens.push_back({LuaToken::Kind::text, quoted(c), line});
      } else if (const auto level = long_bracket()) {
        tokens.push_back({LuaToken::Kind::text, bracketed(*level), line});
      } else if (is_word(c)) {
        std::size_t end = at_;
        while (end < text_.size() && is_word(text_[end])) ++end;
        tokens.push_back({LuaToken::Kind::word, skip(end - at_), line});
      } else {
        tokens.push_back({LuaToken::Kind::sign, skip(1), line});
      }
    }
    return tokens;
  }

 private:
  std::string_view skip(std::size_t count) {
    const std::string_view skipped = text_.substr(at_, count);
    for (const char c : skipped) line_ += c == '\n' ? 1 : 0;
    at_ += skipped.size();
    return skipped;
  }

  std::string_view quoted(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    const std::string_view whole = skip(end + 1 - at_);
    return whole.substr(1, whole.size() < 2 ? 0 : whole.size() - 2);
  }

  // How many '=' stand between the brackets that begin here; nothing if none do.
  std::optional<std::size_t> long_bracket() const {
    if (text_[at_] != '[') return std::nullopt;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] == '=') ++end;
    if (end >= text_.size() || text_[end] != '[') return std::nullopt;
    return end - at_ - 1;
  }

  std::string_view bracketed(std::size_t level) {
    const std::string closing = "]" + std::string(level, '=') + "]";
    skip(level + 2);
    const std::string_view inside = skip(text_.find(closing, at_) - at_);
    skip(closing.size());
    return inside;
  }

  void skip_comment() {
    skip(2);
    if (at_ < text_.size()) {
      if (const auto level = long_bracket()) {
        bracketed(*level);
        return;
      }
    }
    skip(text_.find('\n', at_) - at_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

std::vector<LuaToken> lua_tokens(std::string_view text) { return Tokens(text).all(); }

}  // namespace hastur
