#include "trigger-test/source_places.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(SourcePlaces, OfLuaFollowTheTableThatIsReturned) {
  const SourcePlaces places = SourcePlaces::of_lua(R"(-- return { not this }
local function many(n) return { type = "gauge" } end
--[[ return {
]]
return {
  {
    name = "} a brace, [[ and ]] in a text",
    messages = { { type = "gauge" }, many(3),
      many { 4 },
      { ["type"] = "mark" } },
    expect = {
      { page = [[x
y]] },
      { log = ("a"):rep(3), at = "1s" };
      { f = function(a, b) if a then return 1, 2 end end },
      { state = {} } } },
}
)");
  EXPECT_EQ(places.line(""), 5u);
  EXPECT_EQ(places.line("/0"), 6u);
  EXPECT_EQ(places.line("/0/messages/1"), 8u);
  EXPECT_EQ(places.line("/0/messages/2"), 9u);
  EXPECT_EQ(places.line("/0/messages/3"), 10u);
  EXPECT_EQ(places.line("/0/messages/3/type"), 10u);
  EXPECT_EQ(places.line("/0/expect/0"), 12u);
  EXPECT_EQ(places.line("/0/expect/1/at"), 14u);
  EXPECT_EQ(places.line("/0/expect/3"), 16u);
}

TEST(SourcePlaces, WhatHasNoneHasThatOfWhatHoldsIt) {
  const SourcePlaces places =
      SourcePlaces::of_lua("local t = {}\n\nreturn { name = 'x',\n  expect = t }\n");
  EXPECT_EQ(places.line("/expect/5/page"), 4u);
  EXPECT_EQ(places.line("/nothing"), 3u);
  EXPECT_EQ(SourcePlaces::of_lua("").line("/0"), 0u);
  EXPECT_EQ(SourcePlaces::of_lua("return f()\n").line("/0/expect"), 1u);
}

TEST(SourcePlaces, OfJsonFollowItsValues) {
  const SourcePlaces places = SourcePlaces::of_json(R"(
{ "name": "a",
  "expect": [
    { "page": "x\"}" },

    { "log": "y" } ] })");
  EXPECT_EQ(places.line(""), 2u);
  EXPECT_EQ(places.line("/expect"), 3u);
  EXPECT_EQ(places.line("/expect/0"), 4u);
  EXPECT_EQ(places.line("/expect/1/log"), 6u);
}

// Whatever stands there: it ends, and says something.
TEST(SourcePlaces, OfGarbageAreHarmless) {
  for (const char* text : {"return", "return {", "return {{{{", "return }", "return { [",
                           "return { a =", "return { [[", "return { '", "--[==[",
                           "return { function", "return { x = ]"}) {
    EXPECT_LE(SourcePlaces::of_lua(text).line("/0/1/2"), 1u) << text;
    EXPECT_LE(SourcePlaces::of_json(text).line("/0/1/2"), 1u) << text;
  }
}

}  // namespace
}  // namespace hastur
