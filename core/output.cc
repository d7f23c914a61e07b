#include "core/output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace hastur {

int end_output(std::string_view program, int code) {
  errno = 0;
  const bool flushed = static_cast<bool>(std::cout.flush()) && std::fflush(stdout) == 0;
  if (flushed && std::ferror(stdout) == 0) return code;
  if (code != 0) return code;
  fmt::print(stderr, "{}: cannot write the output: {}\n", program,
             errno != 0 ? std::strerror(errno) : "it was cut off");
  return output_exit_code;
}

}  // namespace hastur
