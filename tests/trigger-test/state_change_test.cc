#include "trigger-test/state_change.h"
#include "core/json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

std::vector<std::string> words(const char* before, const char* after) {
  std::vector<std::string> all;
  for (const StateChange& change : state_changes(*parse_json(before), *parse_json(after)))
    all.push_back(change.words());
  return all;
}
using Words = std::vector<std::string>;

TEST(StateChange, NamesWhatChangedAndOnlyThat) {
  EXPECT_EQ(words(R"({"a":1,"b":{"c":true,"d":"x"}})", R"({"a":1,"b":{"c":false,"d":"x"}})"),
            Words{"b.c  true → false"});
  EXPECT_EQ(words(R"({"l":[1,2]})", R"({"l":[1,3]})"), Words{"l[2]  2 → 3"});
  EXPECT_EQ(words(R"({"l":[1]})", R"({"l":[1,3]})"), Words{"l  [1] → [1,3]"});
  EXPECT_EQ(words(R"({})", R"({"k":1})"), Words{"k  nothing → 1"});
  EXPECT_EQ(words(R"({"a b":1})", "{}"), Words{R"(["a b"]  1 → nothing)"});
  EXPECT_TRUE(words(R"({"a":[{}]})", R"({"a":[{}]})").empty());
}

TEST(StateChange, OfHelpersTellsTheirKeys) {
  EXPECT_EQ(words(R"({"@keyed.hosts":{"u1":{"t":1,"v":{"n":1}}}})",
                  R"({"@keyed.hosts":{"u1":{"t":2,"v":{"n":1}},"u2":{"t":2,"v":3}}})"),
            (Words{R"(keyed hosts["u1"]  touched)", R"(keyed hosts["u2"]  new, 3)"}));
  EXPECT_EQ(words(R"({"@alert.rate":{"api":{"due":1704067500000000,"t":1}}})",
                  R"({"@alert.rate":{"api":{"open":1704067500000000,"t":1}}})"),
            Words{R"(alert rate["api"]  opens)"});
  EXPECT_EQ(words(R"({"@alert.rate":{}})", R"({"@alert.rate":{"api":{"due":1704067500000000}}})"),
            Words{R"(alert rate["api"]  opens at 2024-01-01T00:05:00Z if it stays so)"});
  EXPECT_EQ(words(R"({"@window.w":{"k":{"n":[1]}}})", R"({"@window.w":{"k":{"n":[2]}}})"),
            Words{R"(window w["k"]  has new values)"});
}

}  // namespace
}  // namespace hastur
