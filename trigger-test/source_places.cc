#include "trigger-test/source_places.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

namespace hastur {
namespace {

struct Token {
  enum class Kind : std::uint8_t { word, text, sign };
  Kind kind = Kind::sign;
  // A word; what a text holds, escapes as they stand; one character.
  std::string_view text;
  std::uint32_t line = 0;

  bool is(char sign) const { return kind == Kind::sign && text[0] == sign; }
  bool is(std::string_view word) const { return kind == Kind::word && text == word; }
};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

// Of Lua, and of JSON, whose tokens are a part of them.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  std::vector<Token> all() {
    std::vector<Token> tokens;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const std::uint32_t line = line_;
      if (c == '\n' || c == ' ' || c == '\t' || c == '\r') {
        skip(1);
      } else if (text_.substr(at_, 2) == "--") {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        tokens.push_back({Token::Kind::text, quoted(c), line});
      } else if (const auto level = long_bracket()) {
        tokens.push_back({Token::Kind::text, bracketed(*level), line});
      } else if (is_word(c)) {
        std::size_t end = at_;
        while (end < text_.size() && is_word(text_[end])) ++end;
        tokens.push_back({Token::Kind::word, skip(end - at_), line});
      } else {
        tokens.push_back({Token::Kind::sign, skip(1), line});
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

// Walks the tables of one value. Where it does not understand, it stops: what was found stands.
class PlaceReader {
 public:
  PlaceReader(std::string_view text, SourcePlaces& places)
      : tokens_(Tokens(text).all()), places_(places) {}

  void lua() {
    std::optional<std::size_t> begin;
    int depth = 0;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      depth += nesting(tokens_[i]);
      if (depth == 0 && tokens_[i].is("return")) begin = i + 1;
    }
    if (!begin || *begin == tokens_.size()) return;
    at_ = *begin;
    value("");
  }
  void json() {
    if (!tokens_.empty()) value("");
  }

 private:
  static int nesting(const Token& token) {
    if (token.is('(') || token.is('{') || token.is('[') || token.is("function") || token.is("if") ||
        token.is("do") || token.is("repeat"))
      return 1;
    if (token.is(')') || token.is('}') || token.is(']') || token.is("end") || token.is("until"))
      return -1;
    return 0;
  }

  const Token& token() const {
    static const Token end{Token::Kind::sign, "\0", 0};
    return at_ < tokens_.size() ? tokens_[at_] : end;
  }
  bool at_end() const { return at_ >= tokens_.size(); }

  void value(const std::string& path) {
    places_.lines_.emplace(path, token().line);
    const std::size_t begin = at_;
    if (token().is('{') || token().is('[')) {
      table(path, token().is('{') ? '}' : ']');
      if (at_end() || is_end_of_value()) return;
      // It was only the beginning of an expression.
      at_ = begin;
    }
    skip_expression();
  }

  void table(const std::string& path, char closing) {
    ++at_;
    std::size_t position = 0;
    while (!at_end() && !token().is(closing)) {
      const std::size_t begin = at_;
      if (token().is(',') || token().is(';')) {
        ++at_;
      } else if (const auto key = take_key()) {
        value(fmt::format("{}/{}", path, *key));
      } else {
        value(fmt::format("{}/{}", path, position++));
      }
      // A bracket that closes nothing.
      if (at_ == begin) ++at_;
    }
    ++at_;
  }

  // NAME =, ["NAME"] = or "NAME": before a value.
  std::optional<std::string> take_key() {
    const auto next = [&](std::size_t ahead, char sign) {
      return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].is(sign);
    };
    const bool named = token().kind == Token::Kind::word && next(1, '=') && !next(2, '=');
    const bool json = token().kind == Token::Kind::text && next(1, ':');
    if (named || json) {
      std::string key(token().text);
      at_ += 2;
      return key;
    }
    if (token().is('[') && next(2, ']') && next(3, '=')) {
      std::string key(tokens_[at_ + 1].text);
      at_ += 4;
      return key;
    }
    return std::nullopt;
  }

  bool is_end_of_value() const {
    return token().is(',') || token().is(';') || token().is('}') || token().is(']');
  }

  void skip_expression() {
    int depth = 0;
    while (!at_end()) {
      if (depth == 0 && is_end_of_value()) return;
      depth += nesting(token());
      ++at_;
    }
  }

  std::vector<Token> tokens_;
  SourcePlaces& places_;
  std::size_t at_ = 0;
};

SourcePlaces SourcePlaces::of_lua(std::string_view text) {
  SourcePlaces places;
  PlaceReader(text, places).lua();
  return places;
}

SourcePlaces SourcePlaces::of_json(std::string_view text) {
  SourcePlaces places;
  PlaceReader(text, places).json();
  return places;
}

std::uint32_t SourcePlaces::line(std::string_view path) const {
  while (true) {
    if (const auto found = lines_.find(path); found != lines_.end()) return found->second;
    if (path.empty()) return 0;
    path = path.substr(0, path.rfind('/'));
  }
}

}  // namespace hastur
