#pragma once

// Turns the columns of time in a batch's body into numbers that compress well, in place, and back.
//
// received_at becomes its difference to the row before, timestamp its difference to received_at
// (both zigzag, so that small negative numbers are small). Each of the two then lies in byte
// planes: all lowest bytes, then all second ones … Values stay as they are: metrics repeat
// themselves to the bit, and zstd finds that best in whole numbers (XOR with the series' last value
// and planes made them twice as large).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "message/batch.h"

namespace hastur {

// Byte offsets of the columns in a body; 8 bytes a row.
struct TimeColumns {
  std::uint32_t rows = 0;
  std::uint32_t timestamps = 0, received_ats = 0;

  static TimeColumns of(const BatchView& view, std::string_view body);
  // Whether both lie within a body of this size.
  bool fit(std::size_t body_bytes) const;
};

class ColumnTurner {
 public:
  // `columns` fit into `body`.
  void turn(const TimeColumns& columns, std::string& body);
  void turn_back(const TimeColumns& columns, std::string& body);

 private:
  std::vector<std::uint64_t> numbers_, received_;
};

}  // namespace hastur
