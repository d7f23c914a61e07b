#pragma once

// Lua's patterns (Reference Manual 5.1, §5.4.1), with every step charged to the budget: a pattern
// that would back up for hours ends like a loop that would run for hours.

#include <array>
#include <cstdint>
#include <string_view>

#include "trigger-runtime/vm/lua.h"

namespace hastur {

class Pattern {
 public:
  // Both texts must stand on the Lua stack as long as this object is used.
  Pattern(lua_State* lua, std::string_view pattern, std::string_view text);

  struct Match {
    std::size_t begin;
    std::size_t end;
  };

  // Whether the pattern begins with '^'.
  bool anchored() const { return anchored_; }
  // Tries to match at exactly `at`; true leaves its bounds in `match` and its captures in here.
  bool match_at(std::size_t at, Match& match);
  // The first match at or after `at`.
  bool find(std::size_t at, Match& match);

  std::size_t captures() const { return capture_count_; }
  // Pushes capture `index` (0-based): a string, or a position for "()".
  void push_capture(std::size_t index);
  // Pushes all captures, or the whole match if there are none; returns how many.
  int push_captures(const Match& match);
  // Charges what is still uncharged: after the last use.
  void settle();

 private:
  static constexpr std::size_t captures_max = 32;
  static constexpr int depth_max = 200;
  static constexpr std::size_t no_match = SIZE_MAX;
  static constexpr std::size_t open_capture = SIZE_MAX;
  static constexpr std::size_t position_capture = SIZE_MAX - 1;

  struct Capture {
    std::size_t begin;
    std::size_t length;
  };

  void count_step() {
    if (++steps_ >= 1'000) settle();
  }
  std::size_t match_here(std::size_t text, std::size_t pattern, int depth);
  std::size_t end_of_item(std::size_t pattern);
  bool item_matches(std::size_t text, std::size_t pattern, std::size_t item_end);
  bool set_matches(unsigned char byte, std::size_t pattern, std::size_t set_end);
  std::size_t match_most(std::size_t text, std::size_t pattern, std::size_t item_end, int depth);
  std::size_t match_fewest(std::size_t text, std::size_t pattern, std::size_t item_end, int depth);
  std::size_t match_balanced(std::size_t text, std::size_t pattern);
  std::size_t match_back_reference(std::size_t text, unsigned char digit);
  std::size_t open(std::size_t text, std::size_t pattern, std::size_t length, int depth);
  std::size_t close(std::size_t text, std::size_t pattern, int depth);
  bool at_frontier(std::size_t text, std::size_t set_begin, std::size_t set_end);

  lua_State* lua_;
  std::string_view pattern_;
  std::string_view text_;
  bool anchored_ = false;
  std::uint64_t steps_ = 0;
  std::size_t capture_count_ = 0;
  std::array<Capture, captures_max> captures_{};
};

}  // namespace hastur
