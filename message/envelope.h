#pragma once

// The frame that a Hastur core sends before each payload (DESIGN §4): who sent it, as what, and
// when.
//
// Big-endian, 93 bytes and 16 for each router on its way. Type and sender of a message stand here:
// payloads that an agent made itself bear neither.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "message/json_codec.h"

namespace hastur {

inline constexpr std::uint16_t envelope_version = 1;
inline constexpr std::size_t envelope_bytes_min = 93;

using UuidBytes = std::array<std::uint8_t, 16>;

// In the order of the wire.
struct Envelope {
  std::uint16_t version = envelope_version;
  // A Hastur wire id; not always one that a MessageType has.
  std::uint8_t type = 0;
  UuidBytes to{};
  // The sender.
  UuidBytes from{};
  std::uint8_t ack = 0;
  std::uint8_t resend = 0;
  std::uint64_t sequence = 0;
  // Both in µs, the first since 1970.
  std::uint64_t timestamp = 0;
  std::uint64_t uptime = 0;
  std::array<std::uint8_t, 32> hmac{};
  std::vector<UuidBytes> routers;

  friend bool operator==(const Envelope&, const Envelope&) = default;
};

// `invalid` if the frame has another version or a size that no number of routers gives.
Result<Envelope> decode_envelope(std::string_view frame);
std::string encode_envelope(const Envelope& envelope);

// 36 lowercase characters.
std::array<char, 36> uuid_text(const UuidBytes& uuid);

// What the envelope says about its payload, for JsonDecoder. The sender's uuid is written to
// `uuid`, which the result borrows. A type that is none of ours is refused. A timestamp out of
// range counts as absent.
std::variant<JsonDecoder::Defaults, JsonDecoder::Refused> payload_defaults(
    const Envelope& envelope, Time received_at, std::span<char, 36> uuid);

}  // namespace hastur
