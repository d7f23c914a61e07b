#pragma once

// The words, texts and signs of a Lua file, read loosely: for what its text tells besides running.

#include <cstdint>
#include <string_view>
#include <vector>

namespace hastur {

struct LuaToken {
  enum class Kind : std::uint8_t { word, text, sign };
  Kind kind = Kind::sign;
  // A word, with the dots in it ("ctx.state", "1.5", "a..b"); what a text holds, escapes as they
  // stand; one character.
  std::string_view text;
  std::uint32_t line = 0;

  bool is(char sign) const { return kind == Kind::sign && text[0] == sign; }
  bool is(std::string_view word) const { return kind == Kind::word && text == word; }
};

// Of Lua, and of JSON, whose tokens are a part of them. They live as long as `text`.
std::vector<LuaToken> lua_tokens(std::string_view text);

}  // namespace hastur
