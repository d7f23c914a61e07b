#pragma once

// The form in which a batch lies in a file of History (docs/formats/history.md): compressed, and
// before that, where it pays, with its wide columns turned into small numbers.

#include <string>
#include <string_view>

#include "message/batch.h"
#include "state/history/column_turns.h"
#include "state/history/compressor.h"

namespace hastur {

// What a row says of its batch without its bytes.
struct RowHead {
  BatchHeader header;
  Time stream_time_after;
  // Of its last message.
  Time received_at;

  // No more than that: whether a row with these numbers may ever have been written. What damage
  // left may count back to before the first number, or on without end.
  bool is_possible() const;
};

class BatchPacker {
 public:
  // fast: for the append. dense: for what stays.
  enum class Density : std::uint8_t { fast, dense };

  // The stored form of a batch; valid until the next call. The batch is well-formed, and
  // head.header its header.
  std::string_view pack(const RowHead& head, std::string_view body, Density density);

  // The batch again. `corrupt` when the bytes are not what was stored, or were stored under another
  // head.
  Result<Batch> unpack(const RowHead& head, std::string_view stored);
  // Whether they bear the seal of this head: then its numbers are those that were written, even if
  // the batch itself is damaged.
  static bool is_sealed(const RowHead& head, std::string_view stored);

 private:
  Compressor compressor_;
  ColumnTurner turner_;
  std::string stored_, turned_;
};

}  // namespace hastur
