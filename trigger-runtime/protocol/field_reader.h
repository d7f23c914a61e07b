#pragma once

// Reads the fields of an encoded value one after another. After the first that is not what was
// expected every further one reads as nothing, and ok() is false: a decoder reads all of a value,
// then asks once.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/time.h"
#include "message/ids.h"
#include "message/msgpack.h"

namespace hastur {

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : reader_(bytes) {}

  bool ok() const { return ok_; }
  // Everything was as expected, and nothing is left.
  bool done() const { return ok_ && reader_.at_end(); }
  void refuse() { ok_ = false; }

  std::uint64_t u64() {
    MsgpackItem item;
    if (!take(item)) return 0;
    if (item.kind == MsgpackItem::Kind::unsigned_integer) return item.unsigned_integer;
    if (item.kind == MsgpackItem::Kind::integer && item.integer >= 0) {
      return static_cast<std::uint64_t>(item.integer);
    }
    ok_ = false;
    return 0;
  }
  std::uint32_t u32(std::uint32_t max = std::numeric_limits<std::uint32_t>::max()) {
    const std::uint64_t number = u64();
    if (number > max) ok_ = false;
    return ok_ ? static_cast<std::uint32_t>(number) : 0;
  }
  std::int64_t i64() { return expect(MsgpackItem::Kind::integer).integer; }
  bool truth() { return expect(MsgpackItem::Kind::boolean).truth; }
  // Borrowed from the bytes that are read.
  std::string_view bytes() { return expect(MsgpackItem::Kind::bytes).text; }
  std::string text() { return std::string(bytes()); }

  // The number of elements that follow. One takes at least a byte, so more than what is left is
  // refused at once and the number may be used to reserve.
  std::uint32_t array(std::uint64_t max = std::numeric_limits<std::uint32_t>::max()) {
    const std::uint32_t size = expect(MsgpackItem::Kind::array).size;
    if (size > std::min<std::uint64_t>(max, reader_.rest().size())) ok_ = false;
    return ok_ ? size : 0;
  }
  // The head of a value of exactly `size` fields.
  void fields(std::uint32_t size) {
    if (expect(MsgpackItem::Kind::array).size != size) ok_ = false;
  }
  // Whether an optional value follows.
  bool present() { return array(1) == 1; }

  Sequence sequence() { return {u64()}; }
  Time time() { return time_from_us(i64()); }

 private:
  bool take(MsgpackItem& item) {
    if (ok_) ok_ = reader_.next(item);
    return ok_;
  }
  MsgpackItem expect(MsgpackItem::Kind kind) {
    MsgpackItem item;
    if (take(item) && item.kind == kind) return item;
    ok_ = false;
    return {};
  }

  MsgpackReader reader_;
  bool ok_ = true;
};

}  // namespace hastur
