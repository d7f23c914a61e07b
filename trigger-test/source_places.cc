#include "trigger-test/source_places.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "trigger-test/lua_tokens.h"

namespace hastur {

// Walks the tables of one value. Where it does not understand, it stops: what was found stands.
class PlaceReader {
 public:
  PlaceReader(std::string_view text, SourcePlaces& places)
      : tokens_(lua_tokens(text)), places_(places) {}

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
  static int nesting(const LuaToken& token) {
    if (token.is('(') || token.is('{') || token.is('[') || token.is("function") || token.is("if") ||
        token.is("do") || token.is("repeat"))
      return 1;
    if (token.is(')') || token.is('}') || token.is(']') || token.is("end") || token.is("until"))
      return -1;
    return 0;
  }

  const LuaToken& token() const {
    static const LuaToken end{LuaToken::Kind::sign, "\0", 0};
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
    const bool named = token().kind == LuaToken::Kind::word && next(1, '=') && !next(2, '=');
    const bool json = token().kind == LuaToken::Kind::text && next(1, ':');
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

  std::vector<LuaToken> tokens_;
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
