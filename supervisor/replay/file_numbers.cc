#include "supervisor/replay/file_numbers.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {

FileNumbers::FileNumbers(const std::vector<Sequence>& first_rows)
    : are_there_(std::ranges::any_of(first_rows, [](Sequence seq) { return seq.value > 0; })) {}

Result<std::vector<FileNumbers::Piece>> FileNumbers::take(
    const BatchHeader& header, const std::vector<Sequence>& row_sequences, bool exactly) {
  if (!are_there_) return std::vector<Piece>{{0, header.count, header.first}};
  numbers_.resize(header.count);
  // What was put in stands just before what it was put in for, if there is room.
  std::uint64_t following = 0;
  for (std::size_t row = numbers_.size(); row-- > 0;) {
    const std::uint64_t own = row_sequences[row].value;
    following = own > 0 ? own : following - (following > 0 ? 1 : 0);
    numbers_[row] = following;
  }
  std::vector<Piece> pieces;
  for (std::uint32_t row = 0; row < header.count; ++row) {
    const bool is_free = numbers_[row] > last_;
    if (!is_free && exactly && row_sequences[row].value > 0) {
      return fail(ErrorCode::conflict,
                  fmt::format("the input with the \"seq\" {} stands behind one with {}",
                              numbers_[row], last_));
    }
    if (!is_free) numbers_[row] = last_ + 1;
    const bool hole = numbers_[row] != last_ + 1;
    last_ = numbers_[row];
    if (pieces.empty() || (exactly && hole)) pieces.push_back({row, 0, Sequence{last_}});
    ++pieces.back().count;
  }
  return pieces;
}

}  // namespace hastur
