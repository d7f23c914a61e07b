#pragma once

// Standard output in large portions, with the first error kept.

#include <cstddef>
#include <string>

#include "trigger-test/exit_code.h"

namespace hastur {

class Printer {
 public:
  // Append to it, then call flush_if_large().
  std::string text;

  void flush_if_large() {
    if (text.size() >= portion_bytes) flush();
  }
  void flush();
  // Whether something could not be written.
  bool failed() const { return error_ != 0; }
  // Flushes; `code`, or, having said why, `internal` if something could not be written.
  ExitCode end(ExitCode code);

 private:
  static constexpr std::size_t portion_bytes = 64u << 10;
  int error_ = 0;
};

}  // namespace hastur
