#include <charconv>

#include "trigger-runtime/vm/lua_json.h"

namespace hastur {
namespace {

// Recursive descent over canonical JSON; every value it takes stands on top of the stack. White
// space is no part of canonical JSON and is refused with everything else that is not.
class Reader {
 public:
  Reader(lua_State* lua, std::string_view text)
      : lua_(lua), at_(text.data()), end_(text.data() + text.size()) {}

  bool whole_value() { return value(0) && at_ == end_; }

  // Into the table at `index`.
  bool whole_table(int index) {
    if (at_ == end_) return false;
    if (*at_ == '{') return object(index, 0) && at_ == end_;
    if (*at_ == '[') return array(index, 0) && at_ == end_;
    return false;
  }

 private:
  bool take(std::string_view word) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() ||
        std::string_view(at_, word.size()) != word)
      return false;
    at_ += word.size();
    return true;
  }

  bool value(int depth) {
    if (at_ == end_ || depth > lua_json_depth_max + 28) return false;
    switch (*at_) {
      case '{':
      case '[':
        luaL_checkstack(lua_, 4, "JSON is nested too deep");
        lua_newtable(lua_);
        return *at_ == '{' ? object(lua_gettop(lua_), depth) : array(lua_gettop(lua_), depth);
      case '"':
        return text();
      case 't':
        lua_pushboolean(lua_, 1);
        return take("true");
      case 'f':
        lua_pushboolean(lua_, 0);
        return take("false");
      case 'n':
        push_null(lua_);
        return take("null");
      default: {
        double number = 0;
        const auto [after, status] = std::from_chars(at_, end_, number);
        if (status != std::errc{}) return false;
        at_ = after;
        lua_pushnumber(lua_, number);
        return true;
      }
    }
  }

  bool object(int index, int depth) {
    ++at_;
    if (take("}")) return true;
    do {
      if (at_ == end_ || *at_ != '"' || !text() || !take(":") || !value(depth + 1)) return false;
      lua_rawset(lua_, index);
    } while (take(","));
    return take("}");
  }

  bool array(int index, int depth) {
    ++at_;
    if (take("]")) return true;
    int position = 0;
    do {
      if (!value(depth + 1)) return false;
      lua_rawseti(lua_, index, ++position);
    } while (take(","));
    return take("]");
  }

  bool text() {
    const char* begin = ++at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\') ++at_;
    if (at_ == end_) return false;
    if (*at_ == '"') {
      lua_pushlstring(lua_, begin, static_cast<std::size_t>(at_ - begin));
      ++at_;
      return true;
    }
    std::string unescaped(begin, at_);
    while (at_ != end_ && *at_ != '"') {
      if (*at_ != '\\') {
        unescaped += *at_++;
      } else if (!escape(unescaped)) {
        return false;
      }
    }
    if (at_ == end_) return false;
    ++at_;
    push_text(lua_, unescaped);
    return true;
  }

  bool escape(std::string& out) {
    if (++at_ == end_) return false;
    switch (*at_++) {
      case '"':
        out += '"';
        return true;
      case '\\':
        out += '\\';
        return true;
      case '/':
        out += '/';
        return true;
      case 'b':
        out += '\b';
        return true;
      case 'f':
        out += '\f';
        return true;
      case 'n':
        out += '\n';
        return true;
      case 'r':
        out += '\r';
        return true;
      case 't':
        out += '\t';
        return true;
      case 'u':
        return code_point(out);
      default:
        return false;
    }
  }

  bool four_digits(unsigned& code) {
    if (end_ - at_ < 4) return false;
    const auto [after, status] = std::from_chars(at_, at_ + 4, code, 16);
    if (status != std::errc{} || after != at_ + 4) return false;
    at_ = after;
    return true;
  }

  bool code_point(std::string& out) {
    unsigned code = 0;
    if (!four_digits(code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      unsigned low = 0;
      if (!take("\\u") || !four_digits(low) || low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | code >> 6);
      put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | code >> 12);
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3F));
      put(0x80 | (code >> 6 & 0x3F));
      put(0x80 | (code & 0x3F));
    }
    return true;
  }

  lua_State* lua_;
  const char* at_;
  const char* end_;
};

}  // namespace

bool push_json(lua_State* lua, std::string_view text) {
  const int top = lua_gettop(lua);
  if (Reader(lua, text).whole_value()) return true;
  lua_settop(lua, top);
  return false;
}

bool fill_from_json(lua_State* lua, int index, std::string_view text) {
  const int top = lua_gettop(lua);
  const bool filled = Reader(lua, text).whole_table(absolute(lua, index));
  lua_settop(lua, top);
  return filled;
}

}  // namespace hastur
