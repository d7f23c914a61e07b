#pragma once

// Batch: the one format of messages from socket to script (DESIGN §5, docs/formats/batch.md).
//
// Columnar and dictionary-encoded. Strings, label sets and origins stand once in tables;
// fixed-width columns refer to them by number; rare fields lie in a side blob. The same bytes (a
// "body") go over the wire, into History (compressed) and into the workers' shared memory. A body
// is checked once, by BatchView::open; after that every id and offset in it is in range and reading
// needs no check.
//
//   BatchBuilder ── finish ──▶ Batch (header + body) ── encode_frame ──▶ bytes ── decode_frame ──▶
//   Batch BatchView: reads a body in place

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "message/ids.h"
#include "message/message.h"

namespace hastur {

// What stands before a body. Sequences in a batch are dense: row i has first.plus(i).
struct BatchHeader {
  StreamId stream;
  Sequence first;
  std::uint32_t count = 0;
  // Stream time before the first row; Time{} at the very start of a stream.
  Time stream_time_before;
  // hash64 of the body.
  std::uint64_t checksum = 0;

  // The last sequence in it; `first` minus one for an empty batch.
  Sequence last() const { return {first.value + count - 1}; }
  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

// No batch is larger: the syndicator starts a new one before these are passed.
inline constexpr std::uint32_t batch_rows_max = 65'536;
inline constexpr std::size_t batch_bytes_max = 64u << 20;

struct Batch {
  BatchHeader header;
  // Its start is aligned to 8 bytes.
  std::string body;
};

class BatchView {
 public:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  // Reads `body` in place, which must be aligned to 8 bytes and outlive the view. Checks every
  // count, offset and id, so that garbage gives an error here and never more (`corrupt`). Does not
  // check the checksum (see decode_frame), nor that received_at never falls, nor that texts are
  // UTF-8.
  static Result<BatchView> open(const BatchHeader& header, std::string_view body);
  // For bytes that this process or its parent has opened before: no checks.
  static BatchView trusted(const BatchHeader& header, std::string_view body);

  const BatchHeader& header() const { return header_; }
  std::uint32_t count() const { return header_.count; }
  Sequence sequence(std::uint32_t row) const { return header_.first.plus(row); }

  // Columns, one entry a row.
  std::span<const std::uint8_t> types() const { return types_; }              // MessageType
  std::span<const std::uint8_t> value_kinds() const { return value_kinds_; }  // Value::Kind
  // number, boolean: the bits of a double. string: a string id. tree: a blob offset. tick: `deaf`
  // in µs.
  std::span<const std::uint64_t> values() const { return values_; }
  std::span<const std::uint32_t> names() const { return names_; }          // string id or none
  std::span<const std::uint32_t> uuids() const { return uuids_; }          // string id or none
  std::span<const std::uint32_t> hostnames() const { return hostnames_; }  // string id or none
  std::span<const std::uint32_t> labels() const {
    return labels_;
  }  // label set id; 0 is the empty set
  std::span<const std::uint32_t> fields() const { return fields_; }         // blob offset or none
  std::span<const std::uint32_t> origins() const { return origins_; }       // origin id or none
  std::span<const std::int64_t> timestamps() const { return timestamps_; }  // µs
  std::span<const std::int64_t> received_ats() const { return received_ats_; }  // µs

  // Dictionaries.
  std::uint32_t string_count() const { return string_count_; }
  std::string_view string(std::uint32_t id) const {
    const std::uint32_t begin = id == 0 ? 0 : string_ends_[id - 1];
    return {string_bytes_.data() + begin, string_ends_[id] - begin};
  }
  std::uint32_t label_set_count() const { return label_set_count_; }
  std::uint32_t label_count(std::uint32_t set) const;
  // The i-th label of a set, in key order.
  Label label(std::uint32_t set, std::uint32_t index) const;
  // The string id of that label's key, and of its value if that is a string (else none).
  std::uint32_t label_key_id(std::uint32_t set, std::uint32_t index) const;
  std::uint32_t label_value_id(std::uint32_t set, std::uint32_t index) const;
  std::uint32_t origin_count() const { return origin_count_; }
  Origin origin(std::uint32_t id) const;
  // The blob entry at an offset taken from `fields` or from `values` of a tree: its msgpack bytes.
  std::string_view blob(std::uint32_t offset) const {
    std::uint32_t length = 0;
    std::memcpy(&length, blob_bytes_.data() + offset, sizeof length);
    return {blob_bytes_.data() + offset + sizeof length, length};
  }

  // A row's value, absent for a tick.
  Value value(std::uint32_t row) const {
    const auto kind = static_cast<Value::Kind>(value_kinds_[row]);
    return kind == Value::Kind::absent ? Value{} : value_of(kind, values_[row]);
  }

  // The whole row. `scratch` receives its labels and must live as long as the view is used.
  MessageView message(std::uint32_t row, std::vector<Label>& scratch) const;

 private:
  BatchView() = default;
  Result<void> check_labels() const;
  Result<void> check_rows() const;
  Value value_of(Value::Kind kind, std::uint64_t bits) const;

  BatchHeader header_;
  std::span<const std::uint8_t> types_, value_kinds_;
  std::span<const std::uint64_t> values_;
  std::span<const std::uint32_t> names_, uuids_, hostnames_, labels_, fields_, origins_;
  std::span<const std::int64_t> timestamps_, received_ats_;
  std::uint32_t string_count_ = 0, label_set_count_ = 0, origin_count_ = 0;
  std::span<const std::uint32_t> string_ends_, label_set_ends_, label_keys_;
  std::span<const std::uint8_t> label_kinds_;
  std::span<const std::uint64_t> label_values_;
  std::span<const std::byte> origin_table_;
  std::string_view string_bytes_, blob_bytes_;
};

// Collects messages into a body. Reusable: after finish() it is empty again and keeps its memory.
class BatchBuilder {
 public:
  BatchBuilder();
  ~BatchBuilder();
  BatchBuilder(BatchBuilder&&) noexcept;
  BatchBuilder& operator=(BatchBuilder&&) noexcept;

  // Copies every byte. `message` keeps MessageView's invariants (labels sorted, fields a msgpack
  // map) and its numbers are finite. received_at never falls from row to row; it is the caller who
  // sees to that, neither builder nor view look.
  void add(const MessageView& message);
  void add_tick(Time time, Time received_at, Micros deaf);

  std::uint32_t count() const;
  // What the body would weigh now, within a few bytes.
  std::size_t bytes() const;
  // False when the next message could pass batch_rows_max or batch_bytes_max (a message is at most
  // 1 MiB).
  bool has_room() const;

  // The batch of what was added, with its checksum.
  Batch finish(const StreamId& stream, Sequence first, Time stream_time_before);

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

// One frame: a msgpack array [format, stream id, first, count, stream time before, checksum, body].
std::string encode_frame(const Batch& batch);

// Checks format, sizes, checksum and the whole body. `corrupt` names what did not hold.
Result<Batch> decode_frame(std::string_view frame);

// Rows [from, from + count) of a batch as a batch of their own. `from + count` is within it.
Batch slice(const BatchView& batch, std::uint32_t from, std::uint32_t count);

// min(timestamp, received_at) folded from stream_time_before: what hastur.now() is at each row. In
// µs; `out` is resized to the count.
void stream_times(const BatchView& batch, std::vector<std::int64_t>& out);

}  // namespace hastur
