#include "message/message.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(MessageType, NameAndWireIdLeadToTheSameType) {
  EXPECT_EQ(type_from_name("hb_process"), MessageType::hb_process);
  EXPECT_EQ(type_from_wire_id(31), MessageType::hb_process);
  EXPECT_EQ(type_name(MessageType::hb_process), "hb_process");
  EXPECT_FALSE(type_from_name("gauges"));
  EXPECT_FALSE(type_from_wire_id(99));
}

TEST(Timestamp, IsToldApartByRange) {
  EXPECT_EQ(to_us(*normalise_timestamp(1'335'826'232)), 1'335'826'232'000'000);
  EXPECT_EQ(to_us(*normalise_timestamp(1'335'826'232'943)), 1'335'826'232'943'000);
  EXPECT_EQ(to_us(*normalise_timestamp(1'335'826'232'943'810)), 1'335'826'232'943'810);
  EXPECT_EQ(to_us(*normalise_timestamp(1'335'826'232'943'810'123)), 1'335'826'232'943'810);
}

TEST(Timestamp, RangesAreInclusiveAndNothingBetweenThemIsTaken) {
  for (const std::int64_t scale : {1LL, 1'000LL, 1'000'000LL, 1'000'000'000LL}) {
    EXPECT_EQ(to_us(*normalise_timestamp(31'536'000 * scale)), 31'536'000'000'000);
    EXPECT_EQ(to_us(*normalise_timestamp(4'102'444'800 * scale)), 4'102'444'800'000'000);
    EXPECT_FALSE(normalise_timestamp(31'536'000 * scale - 1));
    EXPECT_FALSE(normalise_timestamp(4'102'444'800 * scale + 1));
  }
  EXPECT_FALSE(normalise_timestamp(0));
  EXPECT_FALSE(normalise_timestamp(-1'335'826'232));
}

TEST(TriggerUuid, IsVersion5OfTheNameInTheDnsNamespace) {
  // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_DNS, "billing/load.trigger.hastur"))'
  EXPECT_EQ(trigger_uuid("billing/load"), "389304ab-69e4-5f6a-a445-1f785a6d71e5");
}

TEST(Uuid, IsLowered) {
  std::array<char, 36> out{};
  ASSERT_TRUE(normalise_uuid("8E58AF00-708C-012f-e468-64ce8f3a9dc2", out));
  EXPECT_EQ(std::string_view(out.data(), 36), "8e58af00-708c-012f-e468-64ce8f3a9dc2");
  EXPECT_FALSE(normalise_uuid("8e58af00-708c-012f-e468-64ce8f3a9dc", out));
  EXPECT_FALSE(normalise_uuid("8e58af00x708c-012f-e468-64ce8f3a9dc2", out));
  EXPECT_FALSE(normalise_uuid("8e58af00-708c-012f-e468-64ce8f3a9dcg", out));
}

TEST(TriggerName, MayHoldSlashesButNoPathTricks) {
  EXPECT_TRUE(check_trigger_name("billing/variable_load"));
  EXPECT_TRUE(check_trigger_name("a.b-c_9"));
  for (const char* name : {"", "/a", "a/", "a//b", "../a", "a/..", "a/./b", "a b", "a/state",
                           "snapshots", "\xC3\xA9"}) {
    EXPECT_FALSE(check_trigger_name(name)) << name;
  }
  EXPECT_FALSE(check_trigger_name(std::string(201, 'a')));
}

}  // namespace
}  // namespace hastur
