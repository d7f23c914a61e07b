#pragma once

// Turns the wide columns of a batch's body into numbers that compress well, in place, and back.
//
// received_at becomes its difference to the row before, timestamp its difference to received_at
// (both zigzag, so that small negative numbers are small), value its bits combined by XOR with
// those of the previous row of the same name, uuid and labels. Each turned column then lies in byte
// planes: all lowest bytes, then all second ones …

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message/batch.h"

namespace hastur {

// Byte offsets of columns in a body.
struct TurnedColumns {
  std::uint32_t rows = 0;
  std::uint32_t names = 0, uuids = 0, labels = 0;              // 4 bytes a row, left as they are
  std::uint32_t values = 0, timestamps = 0, received_ats = 0;  // 8 bytes a row
  friend bool operator==(const TurnedColumns&, const TurnedColumns&) = default;

  static TurnedColumns of(const BatchView& view, std::string_view body);
  // Whether all columns lie within a body of this size.
  bool fit(std::size_t body_bytes) const;
};

class ColumnTurner {
 public:
  // `columns` fit into `body`.
  void turn(const TurnedColumns& columns, std::string& body);
  void turn_back(const TurnedColumns& columns, std::string& body);

 private:
  // For each row its previous row of the same series, or the row itself.
  void find_previous(const TurnedColumns& columns, const std::string& body);

  std::vector<std::uint32_t> previous_, table_;
  std::vector<std::uint64_t> numbers_, received_;
};

}  // namespace hastur
