#include "state/history/column_turns.h"

#include <algorithm>
#include <cstring>

namespace hastur {
namespace {

std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1) ^ (0 - (difference >> 63));
}
std::uint64_t zagzig(std::uint64_t coded) { return (coded >> 1) ^ (0 - (coded & 1)); }

void load(const std::string& body, std::uint32_t offset, std::vector<std::uint64_t>& numbers) {
  std::memcpy(numbers.data(), body.data() + offset, numbers.size() * 8);
}

void store(const std::vector<std::uint64_t>& numbers, std::string& body, std::uint32_t offset) {
  std::memcpy(body.data() + offset, numbers.data(), numbers.size() * 8);
}

// Byte j of number i stands at j * rows + i.
void store_planes(const std::vector<std::uint64_t>& numbers, std::string& body,
                  std::uint32_t offset) {
  const std::size_t rows = numbers.size();
  for (std::size_t plane = 0; plane < 8; ++plane) {
    char* out = body.data() + offset + plane * rows;
    for (std::size_t row = 0; row < rows; ++row) {
      out[row] = static_cast<char>(numbers[row] >> (8 * plane));
    }
  }
}

void load_planes(const std::string& body, std::uint32_t offset,
                 std::vector<std::uint64_t>& numbers) {
  const std::size_t rows = numbers.size();
  std::ranges::fill(numbers, 0);
  for (std::size_t plane = 0; plane < 8; ++plane) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(body.data() + offset + plane * rows);
    for (std::size_t row = 0; row < rows; ++row) {
      numbers[row] |= std::uint64_t{in[row]} << (8 * plane);
    }
  }
}

}  // namespace

TimeColumns TimeColumns::of(const BatchView& view, std::string_view body) {
  const auto offset_of = [&](const void* column) {
    return static_cast<std::uint32_t>(static_cast<const char*>(column) - body.data());
  };
  return {.rows = view.count(),
          .timestamps = offset_of(view.timestamps().data()),
          .received_ats = offset_of(view.received_ats().data())};
}

bool TimeColumns::fit(std::size_t body_bytes) const {
  const std::uint64_t bytes = std::uint64_t{rows} * 8;
  return timestamps + bytes <= body_bytes && received_ats + bytes <= body_bytes;
}

void ColumnTurner::turn(const TimeColumns& columns, std::string& body) {
  const std::uint32_t rows = columns.rows;
  numbers_.resize(rows);
  received_.resize(rows);
  load(body, columns.received_ats, received_);
  load(body, columns.timestamps, numbers_);
  for (std::uint32_t row = 0; row < rows; ++row) {
    numbers_[row] = zigzag(numbers_[row] - received_[row]);
  }
  store_planes(numbers_, body, columns.timestamps);
  for (std::uint32_t row = rows; row-- > 1;) {
    received_[row] = zigzag(received_[row] - received_[row - 1]);
  }
  store_planes(received_, body, columns.received_ats);
}

void ColumnTurner::turn_back(const TimeColumns& columns, std::string& body) {
  const std::uint32_t rows = columns.rows;
  numbers_.resize(rows);
  received_.resize(rows);
  load_planes(body, columns.received_ats, received_);
  load_planes(body, columns.timestamps, numbers_);
  for (std::uint32_t row = 1; row < rows; ++row) {
    received_[row] = zagzig(received_[row]) + received_[row - 1];
  }
  for (std::uint32_t row = 0; row < rows; ++row) {
    numbers_[row] = zagzig(numbers_[row]) + received_[row];
  }
  store(received_, body, columns.received_ats);
  store(numbers_, body, columns.timestamps);
}

}  // namespace hastur
