#include "message/msgpack.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <msgpack.hpp>

namespace hastur {
namespace {

struct Sink {
  std::string& out;
  void write(const char* bytes, std::size_t size) { out.append(bytes, size); }
};

// Takes `size` bytes off the front as a big-endian number.
template <class T>
bool take(std::string_view& rest, T& number) {
  if (rest.size() < sizeof(T)) return false;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bits = bits << 8 | static_cast<unsigned char>(rest[i]);
  }
  number = static_cast<T>(bits);
  rest.remove_prefix(sizeof(T));
  return true;
}

template <class Size>
bool take_size(std::string_view& rest, std::uint32_t& size) {
  Size number = 0;
  if (!take(rest, number)) return false;
  size = number;
  return true;
}

bool take_text(std::string_view& rest, std::uint32_t size, std::string_view& text) {
  if (rest.size() < size) return false;
  text = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

void set_integer(MsgpackItem& item, std::int64_t number) {
  item.kind = MsgpackItem::Kind::integer;
  item.integer = number;
  item.number = static_cast<double>(number);
}

template <class T>
bool take_integer(std::string_view& rest, MsgpackItem& item) {
  T number = 0;
  if (!take(rest, number)) return false;
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (number > static_cast<std::uint64_t>(INT64_MAX)) {
      item.kind = MsgpackItem::Kind::unsigned_integer;
      item.unsigned_integer = number;
      item.number = static_cast<double>(number);
      return true;
    }
  }
  set_integer(item, static_cast<std::int64_t>(number));
  return true;
}

bool take_float(std::string_view& rest, MsgpackItem& item, bool wide) {
  item.kind = MsgpackItem::Kind::number;
  if (wide) {
    std::uint64_t bits = 0;
    if (!take(rest, bits)) return false;
    item.number = std::bit_cast<double>(bits);
  } else {
    std::uint32_t bits = 0;
    if (!take(rest, bits)) return false;
    item.number = static_cast<double>(std::bit_cast<float>(bits));
  }
  return true;
}

bool take_string(std::string_view& rest, MsgpackItem& item, std::uint32_t size,
                 MsgpackItem::Kind kind = MsgpackItem::Kind::string) {
  item.kind = kind;
  return take_text(rest, size, item.text);
}

bool set_container(MsgpackItem& item, MsgpackItem::Kind kind, std::uint32_t size) {
  item.kind = kind;
  item.size = size;
  return true;
}

}  // namespace

void MsgpackWriter::null() {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_nil();
}
void MsgpackWriter::boolean(bool truth) {
  Sink sink{out_};
  msgpack::packer<Sink> packer(sink);
  truth ? packer.pack_true() : packer.pack_false();
}
void MsgpackWriter::integer(std::int64_t number) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_int64(number);
}
void MsgpackWriter::unsigned_integer(std::uint64_t number) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_uint64(number);
}
void MsgpackWriter::number(double number) {
  // Not pack_double: it writes whole numbers as integers, and then -0 loses its sign.
  std::array<char, 9> bytes{static_cast<char>(0xCB)};
  const auto bits = std::bit_cast<std::uint64_t>(number);
  for (std::size_t i = 0; i < 8; ++i) bytes[1 + i] = static_cast<char>(bits >> (56 - 8 * i));
  out_.append(bytes.data(), bytes.size());
}
void MsgpackWriter::string(std::string_view text) {
  Sink sink{out_};
  msgpack::packer<Sink> packer(sink);
  packer.pack_str(static_cast<std::uint32_t>(text.size()));
  packer.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}
void MsgpackWriter::bytes(std::string_view bytes) {
  Sink sink{out_};
  msgpack::packer<Sink> packer(sink);
  packer.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  packer.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}
void MsgpackWriter::array(std::uint32_t size) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_array(size);
}
void MsgpackWriter::map(std::uint32_t size) {
  Sink sink{out_};
  msgpack::packer<Sink>(sink).pack_map(size);
}

// The first byte says the form: https://github.com/msgpack/msgpack/blob/master/spec.md
bool MsgpackReader::next(MsgpackItem& item) {
  using Kind = MsgpackItem::Kind;
  if (rest_.empty()) return false;
  const auto lead = static_cast<unsigned char>(rest_.front());
  rest_.remove_prefix(1);
  if (lead <= 0x7F) return set_integer(item, lead), true;
  if (lead <= 0x8F) return set_container(item, Kind::map, lead & 0x0Fu);
  if (lead <= 0x9F) return set_container(item, Kind::array, lead & 0x0Fu);
  if (lead <= 0xBF) return take_string(rest_, item, lead & 0x1Fu);
  if (lead >= 0xE0) return set_integer(item, static_cast<std::int8_t>(lead)), true;
  std::uint32_t size = 0;
  switch (lead) {
    case 0xC0:
      item.kind = Kind::null;
      return true;
    case 0xC2:
    case 0xC3:
      item.kind = Kind::boolean;
      item.truth = lead == 0xC3;
      return true;
    case 0xC4:
      return take_size<std::uint8_t>(rest_, size) && take_string(rest_, item, size, Kind::bytes);
    case 0xC5:
      return take_size<std::uint16_t>(rest_, size) && take_string(rest_, item, size, Kind::bytes);
    case 0xC6:
      return take_size<std::uint32_t>(rest_, size) && take_string(rest_, item, size, Kind::bytes);
    case 0xCA:
      return take_float(rest_, item, false);
    case 0xCB:
      return take_float(rest_, item, true);
    case 0xCC:
      return take_integer<std::uint8_t>(rest_, item);
    case 0xCD:
      return take_integer<std::uint16_t>(rest_, item);
    case 0xCE:
      return take_integer<std::uint32_t>(rest_, item);
    case 0xCF:
      return take_integer<std::uint64_t>(rest_, item);
    case 0xD0:
      return take_integer<std::int8_t>(rest_, item);
    case 0xD1:
      return take_integer<std::int16_t>(rest_, item);
    case 0xD2:
      return take_integer<std::int32_t>(rest_, item);
    case 0xD3:
      return take_integer<std::int64_t>(rest_, item);
    case 0xD9:
      return take_size<std::uint8_t>(rest_, size) && take_string(rest_, item, size);
    case 0xDA:
      return take_size<std::uint16_t>(rest_, size) && take_string(rest_, item, size);
    case 0xDB:
      return take_size<std::uint32_t>(rest_, size) && take_string(rest_, item, size);
    case 0xDC:
      return take_size<std::uint16_t>(rest_, size) && set_container(item, Kind::array, size);
    case 0xDD:
      return take_size<std::uint32_t>(rest_, size) && set_container(item, Kind::array, size);
    case 0xDE:
      return take_size<std::uint16_t>(rest_, size) && set_container(item, Kind::map, size);
    case 0xDF:
      return take_size<std::uint32_t>(rest_, size) && set_container(item, Kind::map, size);
    default:
      return false;
  }
}

bool MsgpackReader::skip(std::string_view& value) {
  const std::string_view begin = rest_;
  std::uint64_t left = 1;
  MsgpackItem item;
  while (left > 0) {
    if (!next(item)) return false;
    --left;
    if (item.kind == MsgpackItem::Kind::array) left += item.size;
    if (item.kind == MsgpackItem::Kind::map) left += 2ull * item.size;
    // Each value still due takes a byte at least; this also bounds `left`.
    if (left > rest_.size()) return false;
  }
  value = begin.substr(0, begin.size() - rest_.size());
  return true;
}

bool is_json_msgpack(std::string_view bytes) {
  struct Level {
    std::uint64_t left;  // values still due in it, keys included
    bool map;
  };
  std::array<Level, msgpack_depth_max + 1> levels;
  int depth = 0;
  levels[0] = {1, false};
  MsgpackReader reader(bytes);
  MsgpackItem item;
  while (true) {
    while (levels[static_cast<std::size_t>(depth)].left == 0) {
      if (depth == 0) return reader.at_end();
      --depth;
    }
    Level& level = levels[static_cast<std::size_t>(depth)];
    if (!reader.next(item)) return false;
    const bool is_key = level.map && level.left % 2 == 0;
    --level.left;
    if (is_key && item.kind != MsgpackItem::Kind::string) return false;
    switch (item.kind) {
      case MsgpackItem::Kind::bytes:
        return false;
      case MsgpackItem::Kind::number:
        if (!std::isfinite(item.number)) return false;
        break;
      case MsgpackItem::Kind::array:
      case MsgpackItem::Kind::map: {
        if (depth == msgpack_depth_max) return false;
        const bool map = item.kind == MsgpackItem::Kind::map;
        levels[static_cast<std::size_t>(++depth)] = {map ? 2ull * item.size : item.size, map};
        break;
      }
      default:
        break;
    }
  }
}

bool is_sorted_msgpack_map(std::string_view bytes) {
  MsgpackReader reader(bytes);
  MsgpackItem item;
  if (!reader.next(item) || item.kind != MsgpackItem::Kind::map) return false;
  std::string_view before;
  std::string_view value;
  for (std::uint32_t i = 0, size = item.size; i < size; ++i) {
    if (!reader.next(item) || item.kind != MsgpackItem::Kind::string) return false;
    if (i > 0 && item.text <= before) return false;
    before = item.text;
    if (!reader.skip(value)) return false;
  }
  return reader.at_end();
}

std::optional<std::string_view> find_in_msgpack(std::string_view map, std::string_view key) {
  MsgpackReader reader(map);
  MsgpackItem item;
  if (!reader.next(item) || item.kind != MsgpackItem::Kind::map) return std::nullopt;
  std::string_view value;
  for (std::uint32_t i = 0, size = item.size; i < size; ++i) {
    if (!reader.next(item) || item.text > key) return std::nullopt;
    const bool found = item.text == key;
    if (!reader.skip(value)) return std::nullopt;
    if (found) return value;
  }
  return std::nullopt;
}

Value value_of_msgpack(std::string_view value) {
  MsgpackReader reader(value);
  MsgpackItem item;
  if (!reader.next(item)) return {};
  switch (item.kind) {
    case MsgpackItem::Kind::null:
      return Value::of_null();
    case MsgpackItem::Kind::boolean:
      return Value::of_boolean(item.truth);
    case MsgpackItem::Kind::integer:
    case MsgpackItem::Kind::unsigned_integer:
    case MsgpackItem::Kind::number:
      return Value::of(item.number);
    case MsgpackItem::Kind::string:
    case MsgpackItem::Kind::bytes:
      return Value::of(item.text);
    case MsgpackItem::Kind::array:
    case MsgpackItem::Kind::map:
      return Value::of_tree(value);
  }
  return {};
}

}  // namespace hastur
