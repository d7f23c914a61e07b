#include "trigger-test/printer.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace hastur {

void Printer::flush() {
  const bool all =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!all && error_ == 0) error_ = errno;
  text.clear();
}

ExitCode Printer::end(ExitCode code) {
  flush();
  if (!failed()) return code;
  return stop(ExitCode::internal, fmt::format("cannot write the output: {}", strerror(error_)));
}

}  // namespace hastur
