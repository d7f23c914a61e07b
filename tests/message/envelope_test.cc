#include "message/envelope.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

namespace hastur {
namespace {

Envelope sample(std::size_t routers) {
  Envelope envelope;
  envelope.type = 11;
  std::iota(envelope.to.begin(), envelope.to.end(), std::uint8_t{0x10});
  std::iota(envelope.from.begin(), envelope.from.end(), std::uint8_t{0xA0});
  envelope.ack = 1;
  envelope.resend = 2;
  envelope.sequence = 0x0102030405060708;
  envelope.timestamp = 1'335'826'232'943'810;
  envelope.uptime = 77;
  std::iota(envelope.hmac.begin(), envelope.hmac.end(), std::uint8_t{0x40});
  for (std::size_t i = 0; i < routers; ++i) {
    envelope.routers.emplace_back().fill(static_cast<std::uint8_t>(i + 1));
  }
  return envelope;
}

const Time received = time_from_us(1'700'000'000'000'000);

TEST(Envelope, LaysOutItsFieldsBigEndianInTheOrderOfTheWire) {
  const std::string bytes = encode_envelope(sample(2));
  ASSERT_EQ(bytes.size(), 93u + 32u);
  const auto at = [&](std::size_t offset, std::size_t count) {
    return bytes.substr(offset, count);
  };
  EXPECT_EQ(at(0, 2), std::string("\x00\x01", 2));                           // version
  EXPECT_EQ(at(2, 1), "\x0B");                                               // type
  EXPECT_EQ(at(3, 2), "\x10\x11");                                           // to
  EXPECT_EQ(at(19, 2), "\xA0\xA1");                                          // from
  EXPECT_EQ(at(35, 2), "\x01\x02");                                          // ack, resend
  EXPECT_EQ(at(37, 8), "\x01\x02\x03\x04\x05\x06\x07\x08");                  // sequence
  EXPECT_EQ(at(45, 8), std::string("\x00\x04\xBE\xED\x48\x18\xA4\xC2", 8));  // timestamp
  EXPECT_EQ(at(53, 8), std::string("\0\0\0\0\0\0\0\x4D", 8));                // uptime
  EXPECT_EQ(at(61, 2), "\x40\x41");                                          // hmac
  EXPECT_EQ(at(93, 16), std::string(16, '\x01'));                            // routers
  EXPECT_EQ(at(109, 16), std::string(16, '\x02'));
}

TEST(Envelope, OfEveryTruncationOnlyWholeRoutersAreTaken) {
  const Envelope whole = sample(3);
  const std::string bytes = encode_envelope(whole);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto decoded = decode_envelope(std::string_view(bytes).substr(0, size));
    const bool whole_routers = size >= 93 && (size - 93) % 16 == 0;
    ASSERT_EQ(decoded.has_value(), whole_routers) << size;
    if (whole_routers) {
      Envelope expected = whole;
      expected.routers.resize((size - 93) / 16);
      EXPECT_EQ(*decoded, expected);
    } else {
      EXPECT_EQ(decoded.error().code, ErrorCode::invalid);
    }
  }
}

TEST(Envelope, OfAnotherVersionIsRefused) {
  for (const int version : {0, 2, 256, 65535}) {
    Envelope envelope = sample(0);
    envelope.version = static_cast<std::uint16_t>(version);
    EXPECT_FALSE(decode_envelope(encode_envelope(envelope))) << version;
  }
}

RC_GTEST_PROP(EnvelopeProperty, ComesBackAsItWasWritten, ()) {
  Envelope envelope = sample(*rc::gen::inRange<std::size_t>(0, 20));
  envelope.type = *rc::gen::arbitrary<std::uint8_t>();
  envelope.to = *rc::gen::arbitrary<UuidBytes>();
  envelope.from = *rc::gen::arbitrary<UuidBytes>();
  envelope.ack = *rc::gen::arbitrary<std::uint8_t>();
  envelope.resend = *rc::gen::arbitrary<std::uint8_t>();
  envelope.sequence = *rc::gen::arbitrary<std::uint64_t>();
  envelope.timestamp = *rc::gen::arbitrary<std::uint64_t>();
  envelope.uptime = *rc::gen::arbitrary<std::uint64_t>();
  const auto decoded = decode_envelope(encode_envelope(envelope));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == envelope);
}

TEST(PayloadDefaults, GiveTypeSenderAndTime) {
  std::array<char, 36> uuid{};
  const auto given = payload_defaults(sample(1), received, uuid);
  const auto* defaults = std::get_if<JsonDecoder::Defaults>(&given);
  ASSERT_NE(defaults, nullptr);
  EXPECT_EQ(defaults->type, MessageType::gauge);
  EXPECT_EQ(defaults->uuid, "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
  EXPECT_EQ(defaults->timestamp, time_from_us(1'335'826'232'943'810));
  EXPECT_EQ(defaults->received_at, received);
  EXPECT_FALSE(defaults->recorded);
}

TEST(PayloadDefaults, TakeATimeOutOfRangeAsAbsent) {
  for (const std::uint64_t timestamp : {std::uint64_t{0}, std::uint64_t{5}, ~std::uint64_t{0}}) {
    Envelope envelope = sample(0);
    envelope.timestamp = timestamp;
    std::array<char, 36> uuid{};
    EXPECT_FALSE(
        std::get<JsonDecoder::Defaults>(payload_defaults(envelope, received, uuid)).timestamp);
  }
}

TEST(PayloadDefaults, RefuseATypeThatNoneIs) {
  for (int type = 0; type < 256; ++type) {
    Envelope envelope = sample(0);
    envelope.type = static_cast<std::uint8_t>(type);
    std::array<char, 36> uuid{};
    const auto given = payload_defaults(envelope, received, uuid);
    const bool known = type_from_wire_id(envelope.type).has_value() && type != 255;
    ASSERT_EQ(given.index(), known ? 0u : 1u) << type;
    if (!known) {
      EXPECT_EQ(std::get<1>(given).why, Refusal::unknown_type);
    }
  }
}

// The payload of an agent's own message bears neither type nor uuid; another's cannot contradict
// the envelope.
TEST(PayloadDefaults, StandBeforeWhatThePayloadSays) {
  std::array<char, 36> uuid{};
  const auto defaults =
      std::get<JsonDecoder::Defaults>(payload_defaults(sample(0), received, uuid));
  JsonDecoder decoder;
  for (const char* payload :
       {R"({"name":"a","value":1})",
        R"({"name":"a","value":1,"type":"mark","uuid":"8e58af00-708c-012f-e468-64ce8f3a9dc2"})"}) {
    const auto decoded = decoder.decode(payload, defaults);
    const auto* message = std::get_if<MessageView>(&decoded);
    ASSERT_NE(message, nullptr) << payload;
    EXPECT_EQ(message->type, MessageType::gauge);
    EXPECT_EQ(message->uuid, "a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf");
    EXPECT_EQ(message->timestamp, time_from_us(1'335'826'232'943'810));
    EXPECT_TRUE(message->fields.empty());
  }
  const auto own_time =
      decoder.decode(R"({"name":"a","value":1,"timestamp":1335826232000000})", defaults);
  EXPECT_EQ(std::get<MessageView>(own_time).timestamp, time_from_us(1'335'826'232'000'000));
}

}  // namespace
}  // namespace hastur
