#include "message/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace hastur {
namespace {

// Takes big-endian integers and runs of bytes off the front of a frame that is known to be long
// enough.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : rest_(bytes) {}

  template <class Integer>
  void read(Integer& out) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i)
      value = value << 8 | static_cast<std::uint8_t>(rest_[i]);
    out = static_cast<Integer>(value);
    rest_.remove_prefix(sizeof(Integer));
  }
  template <std::size_t Size>
  void read(std::array<std::uint8_t, Size>& out) {
    std::copy_n(rest_.begin(), Size, out.begin());
    rest_.remove_prefix(Size);
  }

 private:
  std::string_view rest_;
};

template <class Integer>
void append(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof(Integer)) - 1); shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xFF);
  }
}
template <std::size_t Size>
void append(std::string& out, const std::array<std::uint8_t, Size>& bytes) {
  out.append(bytes.begin(), bytes.end());
}

}  // namespace

Result<Envelope> decode_envelope(std::string_view frame) {
  constexpr std::size_t router_bytes = sizeof(UuidBytes);
  if (frame.size() < envelope_bytes_min ||
      (frame.size() - envelope_bytes_min) % router_bytes != 0) {
    return fail(ErrorCode::invalid,
                fmt::format("an envelope of {} bytes is none: it has {} and {} for each router",
                            frame.size(), envelope_bytes_min, router_bytes));
  }
  Cursor cursor(frame);
  Envelope envelope;
  cursor.read(envelope.version);
  if (envelope.version != envelope_version) {
    return fail(ErrorCode::invalid,
                fmt::format("an envelope of version {} cannot be read, only of version {}",
                            envelope.version, envelope_version));
  }
  cursor.read(envelope.type);
  cursor.read(envelope.to);
  cursor.read(envelope.from);
  cursor.read(envelope.ack);
  cursor.read(envelope.resend);
  cursor.read(envelope.sequence);
  cursor.read(envelope.timestamp);
  cursor.read(envelope.uptime);
  cursor.read(envelope.hmac);
  envelope.routers.resize((frame.size() - envelope_bytes_min) / router_bytes);
  for (UuidBytes& router : envelope.routers) cursor.read(router);
  return envelope;
}

std::string encode_envelope(const Envelope& envelope) {
  std::string out;
  out.reserve(envelope_bytes_min + envelope.routers.size() * sizeof(UuidBytes));
  append(out, envelope.version);
  append(out, envelope.type);
  append(out, envelope.to);
  append(out, envelope.from);
  append(out, envelope.ack);
  append(out, envelope.resend);
  append(out, envelope.sequence);
  append(out, envelope.timestamp);
  append(out, envelope.uptime);
  append(out, envelope.hmac);
  for (const UuidBytes& router : envelope.routers) append(out, router);
  return out;
}

std::array<char, 36> uuid_text(const UuidBytes& uuid) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 36> text{};
  std::size_t at = 0;
  for (const std::uint8_t byte : uuid) {
    if (at == 8 || at == 13 || at == 18 || at == 23) text[at++] = '-';
    text[at++] = digits[byte >> 4];
    text[at++] = digits[byte & 15];
  }
  return text;
}

std::variant<JsonDecoder::Defaults, JsonDecoder::Refused> payload_defaults(
    const Envelope& envelope, Time received_at, std::span<char, 36> uuid) {
  const auto type = type_from_wire_id(envelope.type);
  if (!type || *type == MessageType::tick) {
    return JsonDecoder::Refused{
        Refusal::unknown_type,
        fmt::format("the envelope's type {} is none that is known", envelope.type)};
  }
  std::ranges::copy(uuid_text(envelope.from), uuid.begin());
  JsonDecoder::Defaults defaults;
  defaults.received_at = received_at;
  defaults.uuid = {uuid.data(), uuid.size()};
  defaults.type = type;
  if (envelope.timestamp <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    defaults.timestamp = normalise_timestamp(static_cast<std::int64_t>(envelope.timestamp));
  }
  return defaults;
}

}  // namespace hastur
