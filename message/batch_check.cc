// BatchView::open: what makes a body safe to read without checks.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>

#include "core/check.h"
#include "message/batch.h"
#include "message/batch_layout.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

// Whole microseconds up to here are exact in a double, which is what scripts see; no sum of two
// overflows.
constexpr std::int64_t us_max = std::int64_t{1} << 53;

Failure damaged(std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("a batch cannot be read: {}", what));
}

// none is let through: it wraps to 0.
bool ids_or_none_within(std::span<const std::uint32_t> ids, std::uint32_t count) {
  bool bad = false;
  for (const std::uint32_t id : ids) bad |= id + 1 > count;
  return !bad;
}

bool ids_within(std::span<const std::uint32_t> ids, std::uint32_t count) {
  bool bad = false;
  for (const std::uint32_t id : ids) bad |= id >= count;
  return !bad;
}

bool times_within(std::span<const std::int64_t> times) {
  bool bad = false;
  for (const std::int64_t us : times) bad |= us > us_max || us < -us_max;
  return !bad;
}

// Ends grow up to `size` and reach it.
bool ends_cover(std::span<const std::uint32_t> ends, std::uint32_t size) {
  std::uint32_t before = 0;
  bool bad = false;
  for (const std::uint32_t end : ends) {
    bad |= end < before;
    before = end;
  }
  return !bad && before == size;
}

constexpr std::array<bool, 256> make_known_types() {
  std::array<bool, 256> known{};
  for (const int id : {1, 2, 3, 4, 5, 10, 11, 12, 13, 20, 21, 30, 31, 50, 51, 52, 255}) {
    known[static_cast<std::size_t>(id)] = true;
  }
  return known;
}
constexpr std::array<bool, 256> known_types = make_known_types();

bool is_boolean(std::uint64_t bits) {
  return bits == std::bit_cast<std::uint64_t>(1.0) || bits == std::bit_cast<std::uint64_t>(0.0);
}

// Which offsets begin a blob entry, and of which sort. Entries begin at multiples of 4.
class BlobEntries {
 public:
  // False if the blob is not entry after entry of JSON's msgpack.
  bool read(std::string_view blob) {
    sorts_.assign(blob.size() / 4, Sort::none);
    std::size_t at = 0;
    while (at < blob.size()) {
      std::uint32_t length = 0;
      if (blob.size() - at < sizeof length) return false;
      std::memcpy(&length, blob.data() + at, sizeof length);
      const std::uint64_t size = blob_entry_size(length);
      if (size > blob.size() - at) return false;
      const std::string_view entry = blob.substr(at + sizeof length, length);
      if (!is_json_msgpack(entry)) return false;
      sorts_[at / 4] = sort_of(entry);
      at += size;
    }
    return true;
  }

  bool is_fields(std::uint64_t offset) const { return sort_at(offset) == Sort::sorted_map; }
  bool is_tree(std::uint64_t offset) const {
    const Sort sort = sort_at(offset);
    return sort == Sort::sorted_map || sort == Sort::tree;
  }

 private:
  enum class Sort : std::uint8_t { none, scalar, tree, sorted_map };

  static Sort sort_of(std::string_view entry) {
    if (is_sorted_msgpack_map(entry)) return Sort::sorted_map;
    return value_of_msgpack(entry).kind == Value::Kind::tree ? Sort::tree : Sort::scalar;
  }
  Sort sort_at(std::uint64_t offset) const {
    return offset % 4 == 0 && offset / 4 < sorts_.size() ? sorts_[offset / 4] : Sort::none;
  }

  std::vector<Sort> sorts_;
};

// Whether 8 bytes are what their kind says.
bool value_fits(std::uint8_t kind, std::uint64_t bits, std::uint32_t strings,
                const BlobEntries& blob) {
  switch (static_cast<Value::Kind>(kind)) {
    case Value::Kind::absent:
    case Value::Kind::null:
      return bits == 0;
    case Value::Kind::boolean:
      return is_boolean(bits);
    case Value::Kind::number:
      return std::isfinite(std::bit_cast<double>(bits));
    case Value::Kind::string:
      return bits < strings;
    case Value::Kind::tree:
      return blob.is_tree(bits);
  }
  return false;
}

}  // namespace

Result<BatchView> BatchView::open(const BatchHeader& header, std::string_view body) {
  BatchCounts counts;
  if (body.size() < sizeof counts) return damaged("its body ends within the directory");
  std::memcpy(&counts, body.data(), sizeof counts);
  if (counts.format != batch_body_format) {
    return damaged(fmt::format("its body has format {}, this program reads {}", counts.format,
                               batch_body_format));
  }
  if (counts.rows != header.count) return damaged("header and body disagree on the number of rows");
  if (counts.rows > batch_rows_max) return damaged("it has too many rows");
  if (BatchLayout::of(counts).total != body.size())
    return damaged("its counts do not make up its size");
  if (header.first.value > UINT64_MAX - counts.rows) return damaged("its sequences pass 64 bits");
  if (!times_within({{to_us(header.stream_time_before)}}))
    return damaged("its stream time is out of range");

  const BatchView view = trusted(header, body);
  if (!ends_cover(view.string_ends_, counts.string_bytes))
    return damaged("its table of strings is broken");
  HASTUR_TRY(view.check_labels());
  for (std::uint32_t i = 0; i < counts.origins; ++i) {
    OriginRecord record;
    std::memcpy(&record, view.origin_table_.data() + i * sizeof record, sizeof record);
    if (record.trigger >= counts.strings || record.depth > packed_depth_max)
      return damaged("an origin is broken");
  }
  HASTUR_TRY(view.check_rows());
  return view;
}

Result<void> BatchView::check_labels() const {
  if (label_set_count_ == 0 || label_set_ends_[0] != 0)
    return damaged("its label set 0 is not empty");
  if (!ends_cover(label_set_ends_, static_cast<std::uint32_t>(label_keys_.size()))) {
    return damaged("its table of label sets is broken");
  }
  if (!ids_within(label_keys_, string_count_)) return damaged("a label's key is no string of it");
  const BlobEntries no_trees;
  for (std::size_t i = 0; i < label_kinds_.size(); ++i) {
    const bool absent = label_kinds_[i] == static_cast<std::uint8_t>(Value::Kind::absent);
    if (absent || !value_fits(label_kinds_[i], label_values_[i], string_count_, no_trees)) {
      return damaged("a label's value is broken");
    }
  }
  for (std::uint32_t set = 0; set < label_set_count_; ++set) {
    for (std::uint32_t i = 1; i < label_count(set); ++i) {
      if (string(label_key_id(set, i - 1)) >= string(label_key_id(set, i))) {
        return damaged("the keys of a label set are not in order");
      }
    }
  }
  return {};
}

Result<void> BatchView::check_rows() const {
  if (!ids_or_none_within(names_, string_count_) || !ids_or_none_within(uuids_, string_count_) ||
      !ids_or_none_within(hostnames_, string_count_)) {
    return damaged("a row refers to a string that it does not have");
  }
  if (!ids_within(labels_, label_set_count_))
    return damaged("a row refers to a label set that it does not have");
  if (!ids_or_none_within(origins_, origin_count_))
    return damaged("a row refers to an origin that it does not have");
  if (!times_within(timestamps_) || !times_within(received_ats_))
    return damaged("a time is out of range");

  BlobEntries blob;
  if (!blob.read(blob_bytes_)) return damaged("its blob is not well-formed");
  for (std::uint32_t row = 0; row < header_.count; ++row) {
    if (!known_types[types_[row]])
      return damaged(fmt::format("row {} has the unknown type {}", row, types_[row]));
    if (types_[row] == static_cast<std::uint8_t>(MessageType::tick)) {
      const bool bare = value_kinds_[row] == 0 && names_[row] == none && uuids_[row] == none &&
                        hostnames_[row] == none && labels_[row] == 0 && fields_[row] == none &&
                        origins_[row] == none;
      if (!bare || values_[row] > static_cast<std::uint64_t>(us_max)) {
        return damaged(fmt::format("row {} is a tick with more than its time", row));
      }
      continue;
    }
    if (!value_fits(value_kinds_[row], values_[row], string_count_, blob)) {
      return damaged(fmt::format("the value of row {} is broken", row));
    }
    if (fields_[row] != none && !blob.is_fields(fields_[row])) {
      return damaged(fmt::format("the fields of row {} are no map in order", row));
    }
  }
  return {};
}

}  // namespace hastur
