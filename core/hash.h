#pragma once

// The one wrapper of xxhash: checksums of frames, dictionary keys, hashes of effects. Not for
// secrets.

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hastur {

// XXH3, 64 bits; the same on every machine and in every release, so it may be stored.
inline std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
inline std::uint64_t hash64(std::span<const std::byte> bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace hastur
