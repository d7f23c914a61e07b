#include "core/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hastur {
namespace {

using namespace std::chrono_literals;

TEST(Span, ReadsOneOrSeveralUnits) {
  EXPECT_EQ(parse_span("5m").value(), 5min);
  EXPECT_EQ(parse_span("1h30m").value(), 90min);
  EXPECT_EQ(parse_span("1w").value(), 168h);
  EXPECT_EQ(parse_span("250ms").value(), 250ms);
  EXPECT_EQ(parse_span("7us").value(), 7us);
  EXPECT_EQ(parse_span("0s").value(), 0s);
}

TEST(Span, RefusesWhatIsNoSpanAndNamesIt) {
  for (const char* text : {"", "5", "m", "-5m", "5 m", "5m1h", "5m5m", "1.5h", "5x",
                           "99999999999999999999s", "101000w", "+5m"}) {
    const auto span = parse_span(text);
    ASSERT_FALSE(span) << text;
    EXPECT_NE(span.error().message.find(text), std::string::npos);
  }
}

RC_GTEST_PROP(Span, ReadsBackWhatItWrites, ()) {
  const auto us = *rc::gen::inRange<std::int64_t>(0, 3'000'000'000'000'000);
  RC_ASSERT(parse_span(format_span(Micros{us})).value() == Micros{us});
}

TEST(TimeText, WritesOnlyTheDigitsNeeded) {
  EXPECT_EQ(format_time(time_from_us(1'704'067'200'000'000)), "2024-01-01T00:00:00Z");
  EXPECT_EQ(format_time(time_from_us(1'704'067'200'250'000)), "2024-01-01T00:00:00.25Z");
  EXPECT_EQ(format_time(time_from_us(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(TimeText, ReadsOffsetsAndMicroseconds) {
  EXPECT_EQ(parse_time("2024-01-01T02:30:00+02:30").value(), time_from_us(1'704'067'200'000'000));
  EXPECT_EQ(parse_time("2023-12-31T23:00:00-01:00").value(), time_from_us(1'704'067'200'000'000));
  EXPECT_EQ(parse_time("1704067200000000").value(), time_from_us(1'704'067'200'000'000));
}

TEST(TimeText, RefusesDaysThatDoNotExist) {
  for (const char* text :
       {"2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01", "2024-01-01T24:00:00Z",
        "2024-01-01T00:00:00", "yesterday", "", "2024-01-01T00:00:00.Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

RC_GTEST_PROP(TimeText, ReadsBackWhatItWrites, ()) {
  const auto us = *rc::gen::inRange<std::int64_t>(-62'000'000'000'000'000, 250'000'000'000'000'000);
  RC_ASSERT(parse_time(format_time(time_from_us(us))).value() == time_from_us(us));
}

}  // namespace
}  // namespace hastur
