#pragma once

// Where things stand in the body of a batch (docs/formats/batch.md). Shared by builder and view,
// private to them.
//
// All numbers are little-endian. A body begins with the directory, which is BatchCounts as it lies
// in memory; each section after it begins at a multiple of 8, with zeros between.

#include <bit>
#include <cstddef>
#include <cstdint>

namespace hastur {

static_assert(std::endian::native == std::endian::little, "bodies are read in place");

inline constexpr std::uint32_t batch_body_format = 1;

struct BatchCounts {
  std::uint32_t format = batch_body_format;
  std::uint32_t rows = 0;
  std::uint32_t strings = 0;
  std::uint32_t string_bytes = 0;
  std::uint32_t label_sets = 0;
  std::uint32_t labels = 0;
  std::uint32_t origins = 0;
  std::uint32_t blob_bytes = 0;
};
static_assert(sizeof(BatchCounts) == 32);

struct OriginRecord {
  std::uint32_t trigger = 0;  // string id
  std::uint32_t ordinal = 0;
  std::uint64_t run = 0;
  std::uint64_t sequence = 0;
  std::uint64_t depth = 0;  // pack_depth()
};
static_assert(sizeof(OriginRecord) == 32);

// Byte offsets of the sections, in the order in which they stand. Columns that repeat each other's
// pattern are neighbours, and those that rarely change stand together, which is what zstd finds.
struct BatchLayout {
  std::uint64_t types, value_kinds;
  std::uint64_t names, labels, uuids, hostnames, origins, fields;
  std::uint64_t values, timestamps, received_ats;
  std::uint64_t string_ends, label_set_ends, label_keys, label_values, label_kinds;
  std::uint64_t origin_table, string_bytes, blob_bytes;
  std::uint64_t total;

  // Counts are 32 bits wide, so no sum here can pass 64 bits.
  static constexpr BatchLayout of(const BatchCounts& counts) {
    std::uint64_t at = sizeof(BatchCounts);
    const auto take = [&at](std::uint64_t count, std::uint64_t width) {
      const std::uint64_t begin = at;
      at += (count * width + 7) / 8 * 8;
      return begin;
    };
    BatchLayout layout{};
    layout.types = take(counts.rows, 1);
    layout.value_kinds = take(counts.rows, 1);
    layout.names = take(counts.rows, 4);
    layout.labels = take(counts.rows, 4);
    layout.uuids = take(counts.rows, 4);
    layout.hostnames = take(counts.rows, 4);
    layout.origins = take(counts.rows, 4);
    layout.fields = take(counts.rows, 4);
    layout.values = take(counts.rows, 8);
    layout.timestamps = take(counts.rows, 8);
    layout.received_ats = take(counts.rows, 8);
    layout.string_ends = take(counts.strings, 4);
    layout.label_set_ends = take(counts.label_sets, 4);
    layout.label_keys = take(counts.labels, 4);
    layout.label_values = take(counts.labels, 8);
    layout.label_kinds = take(counts.labels, 1);
    layout.origin_table = take(counts.origins, sizeof(OriginRecord));
    layout.string_bytes = take(counts.string_bytes, 1);
    layout.blob_bytes = take(counts.blob_bytes, 1);
    layout.total = at;
    return layout;
  }
};

// A blob entry is its length (u32), its bytes, and zeros up to a multiple of 4.
inline constexpr std::uint64_t blob_entry_size(std::uint64_t length) {
  return 4 + (length + 3) / 4 * 4;
}

}  // namespace hastur
