#include <cmath>
#include <cstring>

#include "core/check.h"
#include "core/hash.h"
#include "message/batch.h"
#include "message/batch_layout.h"
#include "message/intern_table.h"

namespace hastur {
namespace {

// What one message can add at most: 1 MiB of its own, and the tables' share of it.
constexpr std::size_t message_growth_max = 4u << 20;

// All columns grow together, so that a row asks for room once.
struct Columns {
  std::uint32_t rows = 0;
  std::uint32_t capacity = 0;
  std::vector<std::uint8_t> types, value_kinds;
  std::vector<std::uint32_t> names, labels, uuids, hostnames, origins, fields;
  std::vector<std::uint64_t> values;
  std::vector<std::int64_t> timestamps, received_ats;

  std::uint32_t new_row() {
    if (rows == capacity) grow();
    return rows++;
  }
  void grow() {
    capacity = capacity == 0 ? 1024 : capacity * 2;
    const auto resize = [this](auto&... columns) { (columns.resize(capacity), ...); };
    resize(types, value_kinds, names, labels, uuids, hostnames, origins, fields, values, timestamps,
           received_ats);
  }
};

}  // namespace

struct BatchBuilder::Tables {
  Columns columns;
  InternTable strings;

  // Label sets are told apart by their content written into `key`; what goes into the body lies
  // beside it.
  InternTable label_sets;
  std::string key;
  std::vector<std::uint32_t> label_set_ends, label_keys;
  std::vector<std::uint64_t> label_values;
  std::vector<std::uint8_t> label_kinds;

  std::vector<OriginRecord> origins;

  InternTable blobs;
  std::vector<std::uint32_t> blob_offsets;
  std::uint64_t blob_bytes = 0;

  // Neighbouring rows mostly come from one host.
  std::uint32_t last_uuid = BatchView::none;
  std::uint32_t last_hostname = BatchView::none;

  Tables() { clear(); }

  void clear() {
    columns.rows = 0;
    strings.clear();
    label_sets.clear();
    label_set_ends.clear();
    label_keys.clear();
    label_values.clear();
    label_kinds.clear();
    origins.clear();
    blobs.clear();
    blob_offsets.clear();
    blob_bytes = 0;
    last_uuid = last_hostname = BatchView::none;
    // Set 0 is the empty one.
    label_sets.intern({});
    label_set_ends.push_back(0);
  }

  BatchCounts counts() const {
    BatchCounts counts;
    counts.rows = columns.rows;
    counts.strings = strings.count();
    counts.string_bytes = static_cast<std::uint32_t>(strings.bytes().size());
    counts.label_sets = static_cast<std::uint32_t>(label_set_ends.size());
    counts.labels = static_cast<std::uint32_t>(label_keys.size());
    counts.origins = static_cast<std::uint32_t>(origins.size());
    counts.blob_bytes = static_cast<std::uint32_t>(blob_bytes);
    return counts;
  }

  std::uint32_t string_like_last(std::string_view text, std::uint32_t& last) {
    if (last == BatchView::none || strings[last] != text) last = strings.intern(text);
    return last;
  }

  std::uint32_t blob(std::string_view bytes) {
    const std::uint32_t id = blobs.intern(bytes);
    if (id == blob_offsets.size()) {
      blob_offsets.push_back(static_cast<std::uint32_t>(blob_bytes));
      blob_bytes += blob_entry_size(bytes.size());
    }
    return blob_offsets[id];
  }

  // The column's 8 bytes for a value; a tree's blob or a string's entry is made.
  std::uint64_t value_bits(const Value& value) {
    switch (value.kind) {
      case Value::Kind::absent:
      case Value::Kind::null:
        return 0;
      case Value::Kind::boolean:
        return std::bit_cast<std::uint64_t>(value.number != 0 ? 1.0 : 0.0);
      case Value::Kind::number:
        HASTUR_CHECK(std::isfinite(value.number), "a message's number is finite");
        return std::bit_cast<std::uint64_t>(value.number);
      case Value::Kind::string:
        return strings.intern(value.text);
      case Value::Kind::tree:
        return blob(value.text);
    }
    return 0;
  }

  // Appends what tells `labels` from other sets: lengths before texts, so that no two sets write
  // the same.
  void write_key(std::span<const Label> labels) {
    std::size_t size = 0;
    for (const Label& label : labels) size += 13 + label.key.size() + label.value.text.size();
    key.resize(size);
    char* at = key.data();
    const auto put = [&at](const void* bytes, std::size_t length) {
      std::memcpy(at, bytes, length);
      at += length;
    };
    for (const Label& label : labels) {
      const auto length = static_cast<std::uint32_t>(label.key.size());
      const bool text = label.value.kind == Value::Kind::string;
      const std::uint64_t bits =
          text ? label.value.text.size() : std::bit_cast<std::uint64_t>(label.value.number);
      put(&length, 4);
      put(&label.value.kind, 1);
      put(&bits, 8);
      put(label.key.data(), label.key.size());
      if (text) put(label.value.text.data(), label.value.text.size());
    }
    key.resize(static_cast<std::size_t>(at - key.data()));
  }

  std::uint32_t label_set(std::span<const Label> labels) {
    if (labels.empty()) return 0;
    write_key(labels);
    const std::uint32_t id = label_sets.intern(key);
    if (id < label_set_ends.size()) return id;
    for (const Label& label : labels) {
      HASTUR_CHECK(label.value.kind != Value::Kind::absent && label.value.kind != Value::Kind::tree,
                   "a label's value is a string, number, boolean or null");
      label_keys.push_back(strings.intern(label.key));
      label_kinds.push_back(static_cast<std::uint8_t>(label.value.kind));
      label_values.push_back(value_bits(label.value));
    }
    label_set_ends.push_back(static_cast<std::uint32_t>(label_keys.size()));
    return id;
  }

  std::uint32_t origin(const Origin& origin) {
    OriginRecord record;
    record.trigger = strings.intern(origin.trigger);
    record.ordinal = origin.ordinal;
    record.run = origin.run.value;
    record.sequence = origin.sequence.value;
    record.depth = pack_depth(origin.depth, origin.correction);
    origins.push_back(record);
    return static_cast<std::uint32_t>(origins.size() - 1);
  }
};

BatchBuilder::BatchBuilder() : tables_(std::make_unique<Tables>()) {}
BatchBuilder::~BatchBuilder() = default;
BatchBuilder::BatchBuilder(BatchBuilder&&) noexcept = default;
BatchBuilder& BatchBuilder::operator=(BatchBuilder&&) noexcept = default;

void BatchBuilder::add(const MessageView& message) {
  if (message.type == MessageType::tick) {
    add_tick(message.timestamp, message.received_at, message.deaf);
    return;
  }
  constexpr std::uint32_t none = BatchView::none;
  Tables& tables = *tables_;
  Columns& columns = tables.columns;
  const std::uint32_t row = columns.new_row();
  columns.types[row] = static_cast<std::uint8_t>(message.type);
  columns.value_kinds[row] = static_cast<std::uint8_t>(message.value.kind);
  columns.names[row] = message.name ? tables.strings.intern(*message.name) : none;
  columns.labels[row] = tables.label_set(message.labels);
  columns.uuids[row] =
      message.uuid.empty() ? none : tables.string_like_last(message.uuid, tables.last_uuid);
  columns.hostnames[row] =
      message.hostname ? tables.string_like_last(*message.hostname, tables.last_hostname) : none;
  columns.origins[row] = message.origin ? tables.origin(*message.origin) : none;
  columns.fields[row] = message.fields.empty() ? none : tables.blob(message.fields);
  columns.values[row] = tables.value_bits(message.value);
  columns.timestamps[row] = to_us(message.timestamp);
  columns.received_ats[row] = to_us(message.received_at);
}

void BatchBuilder::add_tick(Time time, Time received_at, Micros deaf) {
  constexpr std::uint32_t none = BatchView::none;
  Columns& columns = tables_->columns;
  const std::uint32_t row = columns.new_row();
  columns.types[row] = static_cast<std::uint8_t>(MessageType::tick);
  columns.value_kinds[row] = static_cast<std::uint8_t>(Value::Kind::absent);
  columns.names[row] = columns.uuids[row] = columns.hostnames[row] = none;
  columns.origins[row] = columns.fields[row] = none;
  columns.labels[row] = 0;
  columns.values[row] = static_cast<std::uint64_t>(deaf.count());
  columns.timestamps[row] = to_us(time);
  columns.received_ats[row] = to_us(received_at);
}

std::uint32_t BatchBuilder::count() const { return tables_->columns.rows; }

std::size_t BatchBuilder::bytes() const { return BatchLayout::of(tables_->counts()).total; }

bool BatchBuilder::has_room() const {
  return count() < batch_rows_max && bytes() + message_growth_max <= batch_bytes_max;
}

Batch BatchBuilder::finish(const StreamId& stream, Sequence first, Time stream_time_before) {
  const Tables& tables = *tables_;
  const BatchCounts counts = tables.counts();
  const BatchLayout layout = BatchLayout::of(counts);
  HASTUR_CHECK(counts.rows <= batch_rows_max && layout.total <= batch_bytes_max,
               "a batch is finished before it has no room");

  Batch batch;
  batch.body.resize(layout.total);
  char* const body = batch.body.data();
  std::memcpy(body, &counts, sizeof counts);
  const auto put = [body](std::uint64_t at, const auto& column, std::size_t count) {
    if (count > 0) std::memcpy(body + at, column.data(), count * sizeof(*column.data()));
  };
  const Columns& columns = tables.columns;
  put(layout.types, columns.types, counts.rows);
  put(layout.value_kinds, columns.value_kinds, counts.rows);
  put(layout.names, columns.names, counts.rows);
  put(layout.labels, columns.labels, counts.rows);
  put(layout.uuids, columns.uuids, counts.rows);
  put(layout.hostnames, columns.hostnames, counts.rows);
  put(layout.origins, columns.origins, counts.rows);
  put(layout.fields, columns.fields, counts.rows);
  put(layout.values, columns.values, counts.rows);
  put(layout.timestamps, columns.timestamps, counts.rows);
  put(layout.received_ats, columns.received_ats, counts.rows);
  put(layout.string_ends, tables.strings.ends(), counts.strings);
  put(layout.label_set_ends, tables.label_set_ends, counts.label_sets);
  put(layout.label_keys, tables.label_keys, counts.labels);
  put(layout.label_values, tables.label_values, counts.labels);
  put(layout.label_kinds, tables.label_kinds, counts.labels);
  put(layout.origin_table, tables.origins, counts.origins);
  put(layout.string_bytes, tables.strings.bytes(), counts.string_bytes);
  for (std::uint32_t id = 0; id < tables.blobs.count(); ++id) {
    const std::string_view blob = tables.blobs[id];
    char* const at = body + layout.blob_bytes + tables.blob_offsets[id];
    const auto length = static_cast<std::uint32_t>(blob.size());
    std::memcpy(at, &length, sizeof length);
    std::memcpy(at + sizeof length, blob.data(), blob.size());
  }

  batch.header.stream = stream;
  batch.header.first = first;
  batch.header.count = counts.rows;
  batch.header.stream_time_before = stream_time_before;
  batch.header.checksum = hash64(batch.body);
  tables_->clear();
  return batch;
}

}  // namespace hastur
