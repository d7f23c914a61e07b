#include "trigger-test/state_change.h"
#include "core/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hastur {
namespace {

std::vector<std::string> words(const char* before, const char* after, DeafSpan deaf = {}) {
  std::vector<std::string> all;
  for (const StateChange& change : state_changes(*parse_json(before), *parse_json(after), deaf))
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
  EXPECT_EQ(words(R"({"@keyed.hosts":{"u1":{"t":1,"v":2}}})",
                  R"({"@keyed.hosts":{"u1":{"q":true,"t":1,"v":2}}})"),
            Words{R"(keyed hosts["u1"]  is silent)"});
  EXPECT_EQ(
      words(R"({"@keyed.hosts":{"u1":{"q":true,"t":1}}})", R"({"@keyed.hosts":{"u1":{"t":3}}})"),
      Words{R"(keyed hosts["u1"]  heard again)"});
  EXPECT_EQ(words(R"({"@alert.rate":{"api":{"due":1704067500000000,"t":1}}})",
                  R"({"@alert.rate":{"api":{"open":1704067500000000,"t":1}}})"),
            Words{R"(alert rate["api"]  opens)"});
  EXPECT_EQ(words(R"({"@alert.rate":{}})", R"({"@alert.rate":{"api":{"due":1704067500000000}}})"),
            Words{R"(alert rate["api"]  opens at 2024-01-01T00:05:00Z if it stays so)"});
  EXPECT_EQ(words(R"({"@window.w":{"k":{"n":[1]}}})", R"({"@window.w":{"k":{"n":[2]}}})"),
            Words{R"(window w["k"]  has new values)"});
}

TEST(StateChange, OfAnAlertTellsWhatBecameOfIt) {
  const auto told = [](const char* before, const char* after) {
    const auto all = words(fmt::format(R"({{"@alert.a":{{{}}}}})", before).c_str(),
                           fmt::format(R"({{"@alert.a":{{{}}}}})", after).c_str());
    return all.empty() ? std::string() : all.front();
  };
  const char* open = R"("k":{"open":1,"sent":2,"t":1})";
  const char* closing = R"("k":{"due":1704067500000000,"open":1,"sent":2,"t":3})";
  EXPECT_EQ(told(open, closing),
            R"(alert a["k"]  open, closes at 2024-01-01T00:05:00Z if it stays so)");
  EXPECT_EQ(told(closing, R"("k":{"due":1704067500000000,"open":1,"sent":2,"t":4})"),
            R"(alert a["k"]  open, closes at 2024-01-01T00:05:00Z if it stays so)");
  EXPECT_EQ(told(closing, R"("k":{"open":1,"sent":2,"t":4})"), R"(alert a["k"]  stays open)");
  EXPECT_EQ(told(open, R"("k":{"f":[1],"t":1})"), R"(alert a["k"]  closed)");
  EXPECT_EQ(told(open, ""), R"(alert a["k"]  closed)");
  EXPECT_EQ(told("", R"("":{"open":5,"sent":5,"t":5,"text":"x"},"k":-2)"),
            R"(alert a[""]  a burst begins: its keys are paged together)");
  EXPECT_EQ(told(R"("k":{"open":3,"t":3,"text":"x"})",
                 R"("k":{"open":3,"sent":1704067500000000,"t":3,"text":"x"})"),
            R"(alert a["k"]  paged at 2024-01-01T00:05:00Z)");
}

TEST(StateChange, OfHelpersMovesByWhatCouldNotBeHeard) {
  const DeafSpan deaf{std::chrono::seconds{20}, time_from_us(100'000'000)};
  EXPECT_EQ(words(R"({"@alert.a":{"k":{"open":1,"sent":2,"t":90000000,"text":"x"}},
                      "@keyed.h":{"k":{"t":5,"v":1}}})",
                  R"({"@alert.a":{"k":{"open":1,"sent":20000002,"t":100000000,"text":"x"}},
                      "@keyed.h":{"k":{"t":20000005,"v":1}}})",
                  deaf),
            (Words{R"(alert a["k"]  moves by 20s: nothing could be heard)",
                   R"(keyed h["k"]  moves by 20s: nothing could be heard)"}));
  EXPECT_EQ(words(R"({"@alert.a":{"k":{"open":1,"sent":2,"t":3}}})",
                  R"({"@alert.a":{"k":{"open":1,"sent":100000000,"t":20000003}}})", deaf),
            Words{R"(alert a["k"]  paged at 1970-01-01T00:01:40Z)"});
}

}  // namespace
}  // namespace hastur
