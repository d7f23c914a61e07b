#include "core/output.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace hastur {

void expect_full_files() { std::signal(SIGXFSZ, SIG_IGN); }

bool is_output_lost() { return !std::cout || std::ferror(stdout) != 0; }

int end_output(std::string_view program, int code) {
  errno = 0;
  const bool flushed = static_cast<bool>(std::cout.flush()) && std::fflush(stdout) == 0;
  if (flushed && !is_output_lost()) return code;
  if (code == output_exit_code) return code;
  print_error("{}: cannot write the output: {}\n", program,
              errno != 0 ? std::strerror(errno) : "it was cut off");
  return code != 0 ? code : output_exit_code;
}

}  // namespace hastur
