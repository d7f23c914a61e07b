#include "core/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "core/number.h"

namespace hastur {
namespace {

std::string number(double value) {
  std::string out;
  append_number(out, value);
  return out;
}

TEST(Number, WritesTheShortestTextThatReadsBack) {
  EXPECT_EQ(number(5), "5");
  EXPECT_EQ(number(-5), "-5");
  EXPECT_EQ(number(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(number(1335826232943810), "1335826232943810");
  EXPECT_EQ(number(1e22), "1e+22");
  EXPECT_EQ(number(-0.0), "-0.0");
}

RC_GTEST_PROP(Number, ReadsBackBitForBit, (std::uint64_t bits)) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  RC_PRE(std::isfinite(value));
  const double back = parse_json(number(value)).value().get<double>();
  RC_ASSERT(std::memcmp(&back, &value, sizeof value) == 0);
}

TEST(ParseJson, OfAPartSaysTheLineAndNoOtherPlace) {
  const auto fault = parse_json_part("{\n\"a\":1,\n\"b\" 2}");
  ASSERT_TRUE(std::holds_alternative<JsonFault>(fault));
  EXPECT_EQ(std::get<JsonFault>(fault).line, 3u);
  EXPECT_TRUE(std::get<JsonFault>(fault).why.starts_with("not JSON: syntax error"))
      << std::get<JsonFault>(fault).why;
  EXPECT_EQ(std::get<JsonFault>(parse_json_part("[1e999]")).line, 1u);
  EXPECT_EQ(std::get<Json>(parse_json_part("[\n5]")), Json::array({5}));
}

TEST(CanonicalJson, SortsKeysAndLeavesNoSpace) {
  const auto value = parse_json(R"( {"b": 1.0, "a": [true, null, "x\u00e9\n"]} )");
  EXPECT_EQ(canonical_json(value.value()), "{\"a\":[true,null,\"x\xC3\xA9\\n\"],\"b\":1}");
}

TEST(CanonicalJson, ReplacesBytesThatAreNotUtf8) {
  std::string out;
  append_json_string(out, "a\xFF\xC3(\xED\xA0\x80");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xEF\xBF\xBD(\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(ParseJson, SaysWhereItStopped) {
  const auto value = parse_json("{\"a\":}");
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().message.find("column 6"), std::string::npos) << value.error().message;
}

TEST(ParseJson, RefusesWhatIsNestedTooDeep) {
  EXPECT_FALSE(parse_json(std::string(200, '[') + std::string(200, ']')));
  EXPECT_TRUE(parse_json(std::string(100, '[') + std::string(100, ']')));
  EXPECT_TRUE(parse_json("\"" + std::string(200, '[') + "\""));
}

}  // namespace
}  // namespace hastur
