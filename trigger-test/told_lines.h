#pragma once

// Which of the lines that ran are told: a loop's a few times, and first those of a key.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trigger-test/ran_lines.h"

namespace hastur {

// Whether one of the two texts stands in the other as a word ("web3" in "load/web3").
bool is_about(std::string_view text, std::string_view key);

// The same of a value's JSON, if it is a text: a table has to do with many keys.
bool is_text_about(std::string_view json, std::string_view key);

// Whether a line ran for the key: a text that it sees, or what it says to an alert, is about it.
// Never the head of a loop, which is met again with what its last round left. Not for an empty key.
bool is_about(const RanLine& ran, std::string_view key);

struct ToldLines {
  // In their order.
  std::vector<const RanLine*> lines;
  std::size_t left_out = 0;
};

// `key` may be empty. The result points into `all`.
ToldLines told_lines(const std::vector<RanLine>& all, std::string_view key);

}  // namespace hastur
