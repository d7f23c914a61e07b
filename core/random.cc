#include "core/random.h"

#include <sys/random.h>

#include "core/check.h"

namespace hastur {

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  HASTUR_CHECK(getrandom(&value, sizeof value, 0) == sizeof value,
               "the kernel gave no random bytes");
  return value;
}

std::array<std::uint8_t, 16> random_bytes16() {
  std::array<std::uint8_t, 16> bytes{};
  HASTUR_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
               "the kernel gave no random bytes");
  return bytes;
}

}  // namespace hastur
