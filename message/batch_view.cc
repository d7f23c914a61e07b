#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "message/batch.h"
#include "message/batch_layout.h"

namespace hastur {

BatchView BatchView::trusted(const BatchHeader& header, std::string_view body) {
  HASTUR_CHECK(reinterpret_cast<std::uintptr_t>(body.data()) % 8 == 0,
               "a body is aligned to 8 bytes");
  BatchCounts counts;
  std::memcpy(&counts, body.data(), sizeof counts);
  const BatchLayout layout = BatchLayout::of(counts);
  const auto take = [body]<class T>(std::span<const T>& column, std::uint64_t at,
                                    std::size_t count) {
    column = {reinterpret_cast<const T*>(body.data() + at), count};
  };
  BatchView view;
  view.header_ = header;
  take(view.types_, layout.types, counts.rows);
  take(view.value_kinds_, layout.value_kinds, counts.rows);
  take(view.names_, layout.names, counts.rows);
  take(view.labels_, layout.labels, counts.rows);
  take(view.uuids_, layout.uuids, counts.rows);
  take(view.hostnames_, layout.hostnames, counts.rows);
  take(view.origins_, layout.origins, counts.rows);
  take(view.fields_, layout.fields, counts.rows);
  take(view.values_, layout.values, counts.rows);
  take(view.timestamps_, layout.timestamps, counts.rows);
  take(view.received_ats_, layout.received_ats, counts.rows);
  take(view.string_ends_, layout.string_ends, counts.strings);
  take(view.label_set_ends_, layout.label_set_ends, counts.label_sets);
  take(view.label_keys_, layout.label_keys, counts.labels);
  take(view.label_values_, layout.label_values, counts.labels);
  take(view.label_kinds_, layout.label_kinds, counts.labels);
  take(view.origin_table_, layout.origin_table, counts.origins * sizeof(OriginRecord));
  view.string_bytes_ = body.substr(layout.string_bytes, counts.string_bytes);
  view.blob_bytes_ = body.substr(layout.blob_bytes, counts.blob_bytes);
  view.string_count_ = counts.strings;
  view.label_set_count_ = counts.label_sets;
  view.origin_count_ = counts.origins;
  return view;
}

std::uint32_t BatchView::label_count(std::uint32_t set) const {
  return label_set_ends_[set] - (set == 0 ? 0 : label_set_ends_[set - 1]);
}

std::uint32_t BatchView::label_key_id(std::uint32_t set, std::uint32_t index) const {
  return label_keys_[(set == 0 ? 0 : label_set_ends_[set - 1]) + index];
}

std::uint32_t BatchView::label_value_id(std::uint32_t set, std::uint32_t index) const {
  const std::uint32_t at = (set == 0 ? 0 : label_set_ends_[set - 1]) + index;
  const auto kind = static_cast<Value::Kind>(label_kinds_[at]);
  return kind == Value::Kind::string ? static_cast<std::uint32_t>(label_values_[at]) : none;
}

Label BatchView::label(std::uint32_t set, std::uint32_t index) const {
  const std::uint32_t at = (set == 0 ? 0 : label_set_ends_[set - 1]) + index;
  return {string(label_keys_[at]),
          value_of(static_cast<Value::Kind>(label_kinds_[at]), label_values_[at])};
}

Value BatchView::value_of(Value::Kind kind, std::uint64_t bits) const {
  Value value;
  value.kind = kind;
  switch (kind) {
    case Value::Kind::absent:
    case Value::Kind::null:
      break;
    case Value::Kind::boolean:
    case Value::Kind::number:
      value.number = std::bit_cast<double>(bits);
      break;
    case Value::Kind::string:
      value.text = string(static_cast<std::uint32_t>(bits));
      break;
    case Value::Kind::tree:
      value.text = blob(static_cast<std::uint32_t>(bits));
      break;
  }
  return value;
}

Origin BatchView::origin(std::uint32_t id) const {
  OriginRecord record;
  std::memcpy(&record, origin_table_.data() + id * sizeof record, sizeof record);
  return {string(record.trigger), Run{record.run},        Sequence{record.sequence},
          record.ordinal,         depth_of(record.depth), is_correction(record.depth)};
}

MessageView BatchView::message(std::uint32_t row, std::vector<Label>& scratch) const {
  MessageView message;
  message.type = static_cast<MessageType>(types_[row]);
  message.timestamp = time_from_us(timestamps_[row]);
  message.received_at = time_from_us(received_ats_[row]);
  scratch.clear();
  if (message.type == MessageType::tick) {
    message.deaf = Micros{static_cast<std::int64_t>(values_[row])};
    return message;
  }
  if (names_[row] != none) message.name = string(names_[row]);
  message.value = value(row);
  if (uuids_[row] != none) message.uuid = string(uuids_[row]);
  if (hostnames_[row] != none) message.hostname = string(hostnames_[row]);
  if (const std::uint32_t set = labels_[row]; set != 0) {
    for (std::uint32_t i = 0, size = label_count(set); i < size; ++i)
      scratch.push_back(label(set, i));
    message.labels = scratch;
  }
  if (fields_[row] != none) message.fields = blob(fields_[row]);
  if (origins_[row] != none) message.origin = origin(origins_[row]);
  return message;
}

Batch slice(const BatchView& batch, std::uint32_t from, std::uint32_t count) {
  HASTUR_CHECK(from <= batch.count() && count <= batch.count() - from,
               "a slice lies within its batch");
  std::int64_t before = to_us(batch.header().stream_time_before);
  for (std::uint32_t row = 0; row < from; ++row) {
    before = std::max(before, std::min(batch.timestamps()[row], batch.received_ats()[row]));
  }
  BatchBuilder builder;
  std::vector<Label> scratch;
  for (std::uint32_t row = from; row < from + count; ++row)
    builder.add(batch.message(row, scratch));
  return builder.finish(batch.header().stream, batch.sequence(from), time_from_us(before));
}

void stream_times(const BatchView& batch, std::vector<std::int64_t>& out) {
  out.resize(batch.count());
  std::int64_t at = to_us(batch.header().stream_time_before);
  for (std::uint32_t row = 0; row < batch.count(); ++row) {
    at = std::max(at, std::min(batch.timestamps()[row], batch.received_ats()[row]));
    out[row] = at;
  }
}

}  // namespace hastur
