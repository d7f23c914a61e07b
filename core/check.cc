#include "core/check.h"

#include <cstdio>
#include <cstdlib>

namespace hastur {

void check_failed(const char* condition, const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: internal error: %s (%s does not hold)\n", file, line, what,
               condition);
  std::abort();
}

}  // namespace hastur
