#pragma once

// The form in which a batch lies in a file of History (docs/formats/history.md): compressed, and
// before that, where it pays, with its wide columns turned into small numbers.

#include <string>
#include <string_view>

#include "message/batch.h"
#include "state/history/column_turns.h"
#include "state/history/compressor.h"

namespace hastur {

class BatchStore {
 public:
  // fast: for the append, at about the speed of copying. dense: for what stays.
  enum class Density : std::uint8_t { fast, dense };

  // The stored form of a batch; valid until the next call. The batch is well-formed.
  std::string_view encode(const Batch& batch, Density density);

  // The batch with this header again. `corrupt` when the bytes are not what was stored: the
  // header's checksum is of the body.
  Result<Batch> decode(const BatchHeader& header, std::string_view stored);

 private:
  Compressor compressor_;
  ColumnTurner turner_;
  std::string stored_, turned_;
};

}  // namespace hastur
