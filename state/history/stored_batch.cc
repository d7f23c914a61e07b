#include "state/history/stored_batch.h"

#include <fmt/format.h>

#include <cstring>

#include "core/hash.h"

namespace hastur {
namespace {

// First byte of a stored batch. Numbers after it are little-endian.
enum class Form : std::uint8_t {
  plain = 1,   // body bytes u32, zstd frame of the body
  turned = 2,  // body bytes u32, six offsets u32 (TurnedColumns), zstd frame of the turned body
};

// The first level that is no slower than what it saves in writing, and the last whose cost is
// bounded by a few milliseconds for a joined batch (bench/history_bench.cc).
constexpr int fast_level = -1;
constexpr int dense_level = 3;

void put_u32(std::string& out, std::uint32_t value) {
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out.append(bytes, 4);
}

bool take_u32(std::string_view& in, std::uint32_t& value) {
  if (in.size() < 4) return false;
  std::memcpy(&value, in.data(), 4);
  in.remove_prefix(4);
  return true;
}

Failure damaged(const BatchHeader& header, std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("the stored batch {}..{} is damaged: {}",
                                              header.first.value, header.last().value, what));
}

}  // namespace

std::string_view BatchStore::encode(const Batch& batch, Density density) {
  stored_.clear();
  if (density == Density::fast) {
    stored_.push_back(static_cast<char>(Form::plain));
    put_u32(stored_, static_cast<std::uint32_t>(batch.body.size()));
    compressor_.compress(batch.body, fast_level, stored_);
    return stored_;
  }
  const auto columns = TurnedColumns::of(BatchView::trusted(batch.header, batch.body), batch.body);
  turned_ = batch.body;
  turner_.turn(columns, turned_);
  stored_.push_back(static_cast<char>(Form::turned));
  put_u32(stored_, static_cast<std::uint32_t>(batch.body.size()));
  for (const std::uint32_t offset : {columns.names, columns.uuids, columns.labels, columns.values,
                                     columns.timestamps, columns.received_ats}) {
    put_u32(stored_, offset);
  }
  compressor_.compress(turned_, dense_level, stored_);
  return stored_;
}

Result<Batch> BatchStore::decode(const BatchHeader& header, std::string_view stored) {
  if (stored.empty()) return damaged(header, "it is empty");
  const auto form = static_cast<Form>(stored.front());
  stored.remove_prefix(1);
  std::uint32_t body_bytes = 0;
  if (!take_u32(stored, body_bytes) || body_bytes > batch_bytes_max) {
    return damaged(header, "its size is out of range");
  }
  if (form != Form::plain && form != Form::turned) return damaged(header, "its form is unknown");
  TurnedColumns columns{.rows = header.count};
  if (form == Form::turned) {
    for (std::uint32_t* offset : {&columns.names, &columns.uuids, &columns.labels, &columns.values,
                                  &columns.timestamps, &columns.received_ats}) {
      if (!take_u32(stored, *offset)) return damaged(header, "it is cut short");
    }
    if (!columns.fit(body_bytes)) return damaged(header, "its columns do not fit its size");
  }
  Batch batch{header, std::string(body_bytes, '\0')};
  if (!compressor_.decompress(stored, batch.body)) {
    return damaged(header, "its compressed bytes do not unpack");
  }
  if (form == Form::turned) turner_.turn_back(columns, batch.body);
  if (hash64(batch.body) != header.checksum) return damaged(header, "its checksum differs");
  return batch;
}

}  // namespace hastur
