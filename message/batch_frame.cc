#include <fmt/format.h>

#include <array>
#include <cstring>

#include "core/hash.h"
#include "message/batch.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

constexpr std::uint64_t frame_format = 1;
constexpr std::uint32_t frame_parts = 7;
// What stands before the body, at most.
constexpr std::size_t frame_head_max = 64;

// Over the header too: the sequences are as precious as the rows.
std::uint64_t frame_checksum(const BatchHeader& header, std::uint64_t body_checksum) {
  std::array<char, 40> bytes{};
  const std::uint64_t count = header.count;
  const std::int64_t time = to_us(header.stream_time_before);
  std::memcpy(bytes.data(), header.stream.bytes.data(), 16);
  std::memcpy(bytes.data() + 16, &header.first.value, 8);
  std::memcpy(bytes.data() + 24, &count, 8);
  std::memcpy(bytes.data() + 32, &time, 8);
  return hash64(std::string_view(bytes.data(), bytes.size()), body_checksum);
}

Failure refused(std::string_view what) {
  return fail(ErrorCode::corrupt, fmt::format("a frame cannot be read: {}", what));
}

bool read_integer(MsgpackReader& reader, std::int64_t& number) {
  MsgpackItem item;
  if (!reader.next(item) || item.kind != MsgpackItem::Kind::integer) return false;
  number = item.integer;
  return true;
}

bool read_unsigned(MsgpackReader& reader, std::uint64_t& number) {
  MsgpackItem item;
  if (!reader.next(item)) return false;
  if (item.kind == MsgpackItem::Kind::unsigned_integer) {
    number = item.unsigned_integer;
    return true;
  }
  number = static_cast<std::uint64_t>(item.integer);
  return item.kind == MsgpackItem::Kind::integer && item.integer >= 0;
}

bool read_bytes(MsgpackReader& reader, std::string_view& bytes) {
  MsgpackItem item;
  if (!reader.next(item) || item.kind != MsgpackItem::Kind::bytes) return false;
  bytes = item.text;
  return true;
}

}  // namespace

std::string encode_frame(const Batch& batch) {
  std::string frame;
  frame.reserve(batch.body.size() + frame_head_max);
  MsgpackWriter writer(frame);
  const auto& stream = batch.header.stream.bytes;
  writer.array(frame_parts);
  writer.unsigned_integer(frame_format);
  writer.bytes({reinterpret_cast<const char*>(stream.data()), stream.size()});
  writer.unsigned_integer(batch.header.first.value);
  writer.unsigned_integer(batch.header.count);
  writer.integer(to_us(batch.header.stream_time_before));
  writer.unsigned_integer(frame_checksum(batch.header, batch.header.checksum));
  writer.bytes(batch.body);
  return frame;
}

Result<Batch> decode_frame(std::string_view frame) {
  MsgpackReader reader(frame);
  MsgpackItem item;
  std::uint64_t format = 0;
  if (!reader.next(item) || item.kind != MsgpackItem::Kind::array || item.size != frame_parts ||
      !read_unsigned(reader, format)) {
    return refused("it is no array of 7 that begins with a format");
  }
  if (format != frame_format) {
    return refused(fmt::format("it has format {}, this program reads {}", format, frame_format));
  }
  Batch batch;
  std::string_view stream;
  std::string_view body;
  std::uint64_t count = 0;
  std::uint64_t checksum = 0;
  std::int64_t time = 0;
  if (!read_bytes(reader, stream) || stream.size() != batch.header.stream.bytes.size() ||
      !read_unsigned(reader, batch.header.first.value) || !read_unsigned(reader, count) ||
      !read_integer(reader, time) || !read_unsigned(reader, checksum) ||
      !read_bytes(reader, body) || !reader.at_end()) {
    return refused("its header is not stream id, first, count, stream time, checksum, body");
  }
  if (count > batch_rows_max)
    return refused(fmt::format("it has {} rows, at most {} are allowed", count, batch_rows_max));
  if (body.size() > batch_bytes_max) {
    return refused(
        fmt::format("its body has {} bytes, at most {} are allowed", body.size(), batch_bytes_max));
  }
  std::memcpy(batch.header.stream.bytes.data(), stream.data(), stream.size());
  batch.header.count = static_cast<std::uint32_t>(count);
  batch.header.stream_time_before = time_from_us(time);
  batch.header.checksum = hash64(body);
  if (frame_checksum(batch.header, batch.header.checksum) != checksum) {
    return refused("its checksum does not match");
  }
  // A string of more than 15 bytes lies on the heap, aligned to 16; a shorter body is refused by
  // open().
  batch.body = body;
  if (auto view = BatchView::open(batch.header, batch.body); !view) return fail(view.error());
  return batch;
}

}  // namespace hastur
