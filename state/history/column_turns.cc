#include "state/history/column_turns.h"

#include <algorithm>
#include <bit>
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

std::uint32_t u32_at(const std::string& body, std::uint32_t offset, std::uint32_t row) {
  std::uint32_t value = 0;
  std::memcpy(&value, body.data() + offset + std::size_t{row} * 4, 4);
  return value;
}

}  // namespace

TurnedColumns TurnedColumns::of(const BatchView& view, std::string_view body) {
  const auto offset_of = [&](const void* column) {
    return static_cast<std::uint32_t>(static_cast<const char*>(column) - body.data());
  };
  return {.rows = view.count(),
          .names = offset_of(view.names().data()),
          .uuids = offset_of(view.uuids().data()),
          .labels = offset_of(view.labels().data()),
          .values = offset_of(view.values().data()),
          .timestamps = offset_of(view.timestamps().data()),
          .received_ats = offset_of(view.received_ats().data())};
}

bool TurnedColumns::fit(std::size_t body_bytes) const {
  const auto fits = [&](std::uint32_t offset, std::uint64_t width) {
    return offset + rows * width <= body_bytes;
  };
  return fits(names, 4) && fits(uuids, 4) && fits(labels, 4) && fits(values, 8) &&
         fits(timestamps, 8) && fits(received_ats, 8);
}

void ColumnTurner::find_previous(const TurnedColumns& columns, const std::string& body) {
  const std::uint32_t rows = columns.rows;
  previous_.resize(rows);
  // An open table of the newest row of each series; at most half full, so that a free place is
  // near.
  const std::size_t size = std::bit_ceil(std::size_t{rows} * 2 + 2);
  table_.assign(size, BatchView::none);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::uint64_t name = u32_at(body, columns.names, row);
    const std::uint64_t uuid = u32_at(body, columns.uuids, row);
    const std::uint64_t labels = u32_at(body, columns.labels, row);
    std::uint64_t hash = (name | (uuid << 32)) * 0x9E3779B97F4A7C15;
    hash = (hash ^ (hash >> 32) ^ labels) * 0xD6E8FEB86659FD93;
    std::size_t place = (hash >> 32) & (size - 1);
    while (true) {
      const std::uint32_t other = table_[place];
      if (other == BatchView::none) {
        previous_[row] = row;
        break;
      }
      if (u32_at(body, columns.names, other) == name &&
          u32_at(body, columns.uuids, other) == uuid &&
          u32_at(body, columns.labels, other) == labels) {
        previous_[row] = other;
        break;
      }
      place = (place + 1) & (size - 1);
    }
    table_[place] = row;
  }
}

void ColumnTurner::turn(const TurnedColumns& columns, std::string& body) {
  const std::uint32_t rows = columns.rows;
  numbers_.resize(rows);
  received_.resize(rows);
  load(body, columns.received_ats, received_);

  load(body, columns.timestamps, numbers_);
  for (std::uint32_t row = 0; row < rows; ++row) {
    numbers_[row] = zigzag(numbers_[row] - received_[row]);
  }
  store_planes(numbers_, body, columns.timestamps);

  find_previous(columns, body);
  load(body, columns.values, numbers_);
  for (std::uint32_t row = rows; row-- > 0;) {
    if (previous_[row] != row) numbers_[row] ^= numbers_[previous_[row]];
  }
  store_planes(numbers_, body, columns.values);

  for (std::uint32_t row = rows; row-- > 1;) {
    received_[row] = zigzag(received_[row] - received_[row - 1]);
  }
  store_planes(received_, body, columns.received_ats);
}

void ColumnTurner::turn_back(const TurnedColumns& columns, std::string& body) {
  const std::uint32_t rows = columns.rows;
  numbers_.resize(rows);
  received_.resize(rows);
  const auto put = [&](const std::vector<std::uint64_t>& numbers, std::uint32_t offset) {
    std::memcpy(body.data() + offset, numbers.data(), std::size_t{rows} * 8);
  };

  load_planes(body, columns.received_ats, received_);
  for (std::uint32_t row = 1; row < rows; ++row) {
    received_[row] = zagzig(received_[row]) + received_[row - 1];
  }
  put(received_, columns.received_ats);

  load_planes(body, columns.timestamps, numbers_);
  for (std::uint32_t row = 0; row < rows; ++row) {
    numbers_[row] = zagzig(numbers_[row]) + received_[row];
  }
  put(numbers_, columns.timestamps);

  find_previous(columns, body);
  load_planes(body, columns.values, numbers_);
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (previous_[row] != row) numbers_[row] ^= numbers_[previous_[row]];
  }
  put(numbers_, columns.values);
}

}  // namespace hastur
