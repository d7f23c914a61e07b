#include "trigger-runtime/vm/pattern.h"

#include "trigger-runtime/vm/vm.h"

namespace hastur {
namespace {

constexpr unsigned char escape = '%';

// ASCII only, whatever the locale.
bool is_lower(unsigned char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(unsigned char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
bool is_alpha(unsigned char c) { return is_lower(c) || is_upper(c); }
bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }
bool is_space(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_punctuation(unsigned char c) {
  return c > 0x20 && c < 0x7F && !is_alpha(c) && !is_digit(c);
}
bool is_hex(unsigned char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// %a, %D …; a letter that names no class, and anything else, stands for itself.
bool class_matches(unsigned char byte, unsigned char name) {
  bool in = false;
  switch (name | 0x20) {
    case 'a':
      in = is_alpha(byte);
      break;
    case 'c':
      in = is_control(byte);
      break;
    case 'd':
      in = is_digit(byte);
      break;
    case 'l':
      in = is_lower(byte);
      break;
    case 'p':
      in = is_punctuation(byte);
      break;
    case 's':
      in = is_space(byte);
      break;
    case 'u':
      in = is_upper(byte);
      break;
    case 'w':
      in = is_alpha(byte) || is_digit(byte);
      break;
    case 'x':
      in = is_hex(byte);
      break;
    case 'z':
      in = byte == 0;
      break;
    default:
      return byte == name;
  }
  return is_upper(name) ? !in : in;
}

}  // namespace

Pattern::Pattern(lua_State* lua, std::string_view pattern, std::string_view text)
    : lua_(lua), pattern_(pattern), text_(text) {
  if (pattern_.starts_with('^')) {
    anchored_ = true;
    pattern_.remove_prefix(1);
  }
}

void Pattern::settle() {
  const std::uint64_t steps = steps_;
  steps_ = 0;
  vm_of(lua_).budget.charge(lua_, steps);
}

bool Pattern::match_at(std::size_t at, Match& match) {
  capture_count_ = 0;
  const std::size_t end = match_here(at, 0, 0);
  if (end == no_match) return false;
  match = {at, end};
  return true;
}

bool Pattern::find(std::size_t at, Match& match) {
  do {
    if (match_at(at, match)) return true;
    ++at;
  } while (!anchored_ && at <= text_.size());
  return false;
}

void Pattern::push_capture(std::size_t index) {
  if (index >= capture_count_) raise(lua_, "invalid capture index in a pattern or its replacement");
  const Capture& capture = captures_[index];
  if (capture.length == open_capture)
    raise(lua_, "a capture in the pattern is not closed with ')'");
  if (capture.length == position_capture) {
    lua_pushnumber(lua_, static_cast<double>(capture.begin + 1));
  } else {
    push_text(lua_, text_.substr(capture.begin, capture.length));
  }
}

int Pattern::push_captures(const Match& match) {
  luaL_checkstack(lua_, static_cast<int>(capture_count_) + 1, "too many captures");
  if (capture_count_ == 0) {
    push_text(lua_, text_.substr(match.begin, match.end - match.begin));
    return 1;
  }
  for (std::size_t i = 0; i < capture_count_; ++i) push_capture(i);
  return static_cast<int>(capture_count_);
}

// Where the text's match of pattern_[pattern…] ends if it begins at `text`, or no_match.
std::size_t Pattern::match_here(std::size_t text, std::size_t pattern, int depth) {
  if (depth > depth_max) raise(lua_, "the pattern is too complex");
  while (true) {
    count_step();
    if (pattern == pattern_.size()) return text;
    const auto head = static_cast<unsigned char>(pattern_[pattern]);
    if (head == '(') {
      const bool position = pattern + 1 < pattern_.size() && pattern_[pattern + 1] == ')';
      return position ? open(text, pattern + 2, position_capture, depth)
                      : open(text, pattern + 1, open_capture, depth);
    }
    if (head == ')') return close(text, pattern + 1, depth);
    if (head == '$' && pattern + 1 == pattern_.size())
      return text == text_.size() ? text : no_match;
    if (head == escape && pattern + 1 < pattern_.size()) {
      const auto name = static_cast<unsigned char>(pattern_[pattern + 1]);
      if (name == 'b') {
        text = match_balanced(text, pattern + 2);
        if (text == no_match) return no_match;
        pattern += 4;
        continue;
      }
      if (name == 'f') {
        const std::size_t set = pattern + 2;
        if (set >= pattern_.size() || pattern_[set] != '[')
          raise(lua_, "missing '[' after '%f' in a pattern");
        const std::size_t set_end = end_of_item(set);
        if (!at_frontier(text, set, set_end)) return no_match;
        pattern = set_end;
        continue;
      }
      if (is_digit(name)) {
        text = match_back_reference(text, name);
        if (text == no_match) return no_match;
        pattern += 2;
        continue;
      }
    }
    const std::size_t item_end = end_of_item(pattern);
    const char suffix = item_end < pattern_.size() ? pattern_[item_end] : '\0';
    if (suffix == '*') return match_most(text, pattern, item_end, depth);
    if (suffix == '-') return match_fewest(text, pattern, item_end, depth);
    const bool one = text < text_.size() && item_matches(text, pattern, item_end);
    if (suffix == '?') {
      if (one) {
        const std::size_t end = match_here(text + 1, item_end + 1, depth + 1);
        if (end != no_match) return end;
      }
      pattern = item_end + 1;
      continue;
    }
    if (!one) return no_match;
    if (suffix == '+') return match_most(text + 1, pattern, item_end, depth);
    ++text;
    pattern = item_end;
  }
}

// Past the single item that begins at `pattern`: a character, %x, or a set.
std::size_t Pattern::end_of_item(std::size_t pattern) {
  const char head = pattern_[pattern++];
  if (head == escape) {
    if (pattern == pattern_.size()) raise(lua_, "the pattern ends with '%'");
    return pattern + 1;
  }
  if (head != '[') return pattern;
  if (pattern < pattern_.size() && pattern_[pattern] == '^') ++pattern;
  // A ']' that comes first is part of the set.
  bool first = true;
  while (first || pattern >= pattern_.size() || pattern_[pattern] != ']') {
    if (pattern >= pattern_.size()) raise(lua_, "missing ']' in a pattern");
    count_step();
    if (pattern_[pattern++] == escape) ++pattern;
    first = false;
  }
  return pattern + 1;
}

bool Pattern::item_matches(std::size_t text, std::size_t pattern, std::size_t item_end) {
  count_step();
  const auto byte = static_cast<unsigned char>(text_[text]);
  switch (pattern_[pattern]) {
    case '.':
      return true;
    case escape:
      return class_matches(byte, static_cast<unsigned char>(pattern_[pattern + 1]));
    case '[':
      return set_matches(byte, pattern, item_end - 1);
    default:
      return static_cast<unsigned char>(pattern_[pattern]) == byte;
  }
}

// `pattern` is at '[', `set_end` at its ']'.
bool Pattern::set_matches(unsigned char byte, std::size_t pattern, std::size_t set_end) {
  bool wanted = true;
  std::size_t at = pattern + 1;
  if (pattern_[at] == '^') {
    wanted = false;
    ++at;
  }
  for (; at < set_end; ++at) {
    count_step();
    const auto low = static_cast<unsigned char>(pattern_[at]);
    if (low == escape) {
      if (class_matches(byte, static_cast<unsigned char>(pattern_[++at]))) return wanted;
    } else if (at + 2 < set_end && pattern_[at + 1] == '-') {
      if (low <= byte && byte <= static_cast<unsigned char>(pattern_[at + 2])) return wanted;
      at += 2;
    } else if (low == byte) {
      return wanted;
    }
  }
  return !wanted;
}

std::size_t Pattern::match_most(std::size_t text, std::size_t pattern, std::size_t item_end,
                                int depth) {
  std::size_t count = 0;
  while (text + count < text_.size() && item_matches(text + count, pattern, item_end)) ++count;
  while (true) {
    const std::size_t end = match_here(text + count, item_end + 1, depth + 1);
    if (end != no_match || count == 0) return end;
    --count;
  }
}

std::size_t Pattern::match_fewest(std::size_t text, std::size_t pattern, std::size_t item_end,
                                  int depth) {
  while (true) {
    const std::size_t end = match_here(text, item_end + 1, depth + 1);
    if (end != no_match) return end;
    if (text >= text_.size() || !item_matches(text, pattern, item_end)) return no_match;
    ++text;
  }
}

std::size_t Pattern::match_balanced(std::size_t text, std::size_t pattern) {
  if (pattern + 1 >= pattern_.size()) raise(lua_, "'%b' in a pattern needs two characters");
  const char begin = pattern_[pattern];
  const char end = pattern_[pattern + 1];
  if (text >= text_.size() || text_[text] != begin) return no_match;
  std::size_t level = 1;
  for (std::size_t at = text + 1; at < text_.size(); ++at) {
    count_step();
    if (text_[at] == end) {
      if (--level == 0) return at + 1;
    } else if (text_[at] == begin) {
      ++level;
    }
  }
  return no_match;
}

std::size_t Pattern::match_back_reference(std::size_t text, unsigned char digit) {
  const std::size_t index = static_cast<std::size_t>(digit) - '1';
  if (index >= capture_count_ || captures_[index].length == open_capture) {
    raise(lua_, "a pattern refers back to a capture that does not exist");
  }
  // A position has no text that could come again; stock Lua says so too.
  if (captures_[index].length == position_capture) return no_match;
  const std::string_view wanted = text_.substr(captures_[index].begin, captures_[index].length);
  steps_ += wanted.size() / 16;
  count_step();
  return text_.substr(text).starts_with(wanted) ? text + wanted.size() : no_match;
}

std::size_t Pattern::open(std::size_t text, std::size_t pattern, std::size_t length, int depth) {
  if (capture_count_ == captures_max) raise(lua_, "too many captures in a pattern");
  captures_[capture_count_++] = {text, length};
  const std::size_t end = match_here(text, pattern, depth + 1);
  if (end == no_match) --capture_count_;
  return end;
}

std::size_t Pattern::close(std::size_t text, std::size_t pattern, int depth) {
  std::size_t index = capture_count_;
  while (index > 0 && captures_[index - 1].length != open_capture) --index;
  if (index == 0) raise(lua_, "a pattern has a ')' without its '('");
  captures_[index - 1].length = text - captures_[index - 1].begin;
  const std::size_t end = match_here(text, pattern, depth + 1);
  if (end == no_match) captures_[index - 1].length = open_capture;
  return end;
}

bool Pattern::at_frontier(std::size_t text, std::size_t set_begin, std::size_t set_end) {
  const auto before = text == 0 ? '\0' : text_[text - 1];
  const auto here = text == text_.size() ? '\0' : text_[text];
  return !set_matches(static_cast<unsigned char>(before), set_begin, set_end - 1) &&
         set_matches(static_cast<unsigned char>(here), set_begin, set_end - 1);
}

}  // namespace hastur
