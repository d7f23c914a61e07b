#pragma once

// What a command prints.

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace hastur {

struct Printed {
  int code = 0;
  std::string out, err;
};

template <class Call>
Printed printed(Call call) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Printed result;
  result.code = call();
  std::fflush(stdout);
  result.out = testing::internal::GetCapturedStdout();
  result.err = testing::internal::GetCapturedStderr();
  return result;
}

}  // namespace hastur
