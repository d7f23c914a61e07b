#include "trigger-runtime/protocol/commands.h"

#include "core/hash.h"

namespace hastur {

std::uint64_t fold_effect(std::uint64_t before, const Effect& effect) {
  const std::uint64_t place[3] = {effect.sequence.value,
                                  std::uint64_t{effect.ordinal} << 32 |
                                      std::uint64_t{effect.depth} << 8 |
                                      static_cast<std::uint64_t>(effect.kind),
                                  static_cast<std::uint64_t>(to_us(effect.time))};
  return hash64(effect.payload, hash64(std::as_bytes(std::span(place)), before));
}

}  // namespace hastur
