#include "state/history/stored_batch.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "core/hash.h"
#include "state/history/history.h"

namespace hastur {
namespace {

// First byte of a stored batch. After it, little-endian: seal u64, size of the body u32, the two
// offsets of TimeColumns u32, and a zstd frame of the turned body.
constexpr std::uint8_t stored_form = 1;

// Turned bodies of host metrics pack at about 50 M messages/s at either level; 3 saves a few
// percent of a joined batch and costs a small one twice the time (bench/history_bench.cc).
constexpr int fast_level = 1;
constexpr int dense_level = 3;

template <class T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

// Ties the bytes to their row: a damaged number in the row is found as surely as a damaged byte.
std::uint64_t seal_of(const RowHead& head) {
  const std::array<std::uint64_t, 6> numbers = {
      head.header.first.value,
      head.header.count,
      static_cast<std::uint64_t>(to_us(head.header.stream_time_before)),
      head.header.checksum,
      static_cast<std::uint64_t>(to_us(head.stream_time_after)),
      static_cast<std::uint64_t>(to_us(head.received_at))};
  return hash64(std::as_bytes(std::span(numbers)));
}

Failure damaged(const RowHead& head, std::string_view what) {
  return fail(ErrorCode::corrupt,
              fmt::format("the stored batch at {} is damaged: {}", head.header.first.value, what));
}

}  // namespace

bool RowHead::is_possible() const {
  return header.first.value > 0 && header.first < sequence_max && header.count > 0 &&
         header.count <= batch_rows_max;
}

bool BatchPacker::is_sealed(const RowHead& head, std::string_view stored) {
  std::uint8_t form = 0;
  std::uint64_t seal = 0;
  return head.is_possible() && take(stored, form) && take(stored, seal) && form == stored_form &&
         seal == seal_of(head);
}

std::string_view BatchPacker::pack(const RowHead& head, std::string_view body, Density density) {
  stored_.clear();
  const auto columns = TimeColumns::of(BatchView::trusted(head.header, body), body);
  put(stored_, stored_form);
  put(stored_, seal_of(head));
  put(stored_, static_cast<std::uint32_t>(body.size()));
  put(stored_, columns.timestamps);
  put(stored_, columns.received_ats);
  turned_ = body;
  turner_.turn(columns, turned_);
  compressor_.compress(turned_, density == Density::fast ? fast_level : dense_level, stored_);
  return stored_;
}

Result<Batch> BatchPacker::unpack(const RowHead& head, std::string_view stored) {
  std::uint8_t form = 0;
  std::uint64_t seal = 0;
  std::uint32_t body_bytes = 0;
  TimeColumns columns{.rows = head.header.count};
  if (!take(stored, form) || !take(stored, seal) || !take(stored, body_bytes) ||
      !take(stored, columns.timestamps) || !take(stored, columns.received_ats)) {
    return damaged(head, "it is cut short");
  }
  if (form != stored_form) return damaged(head, "its form is unknown");
  if (seal != seal_of(head)) return damaged(head, "it belongs to another row");
  if (body_bytes > batch_bytes_max) return damaged(head, "its size is out of range");
  if (!columns.fit(body_bytes)) return damaged(head, "its columns do not fit its size");
  Batch batch{head.header, std::string(body_bytes, '\0')};
  if (!compressor_.decompress(stored, batch.body)) {
    return damaged(head, "its compressed bytes do not unpack");
  }
  turner_.turn_back(columns, batch.body);
  if (hash64(batch.body) != head.header.checksum) return damaged(head, "its checksum differs");
  return batch;
}

}  // namespace hastur
