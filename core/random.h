#pragma once

// The only source of unpredictable bits: ids of streams and owners, seeds of tests, jitter.
// Nothing that a trigger can see comes from here.

#include <array>
#include <cstdint>

namespace hastur {

std::uint64_t random_u64();
std::array<std::uint8_t, 16> random_bytes16();

}  // namespace hastur
