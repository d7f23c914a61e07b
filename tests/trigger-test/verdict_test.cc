#include "trigger-test/verdict.h"
#include "core/json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

using std::chrono::seconds;

class VerdictOf : public ::testing::Test {
 protected:
  void page(int second, const std::string& key, const std::string& text = "t") {
    notify(second, "pager_duty", key, text, Json::object());
  }
  void resolve(int second, const std::string& key) {
    notify(second, "pager_duty", key, "t", {{"action", "resolve"}});
  }
  void notify(int second, const std::string& kind, const std::string& key, const std::string& text,
              const Json& options) {
    Seen seen;
    seen.input = {static_cast<std::uint64_t>(second + 1)};
    seen.time = start_ + seconds{second};
    seen.effect = Effect{seen.input,
                         0,
                         seen.time,
                         EffectKind::notification,
                         1,
                         Json({{"kind", kind},
                               {"key", key},
                               {"text", text},
                               {"to", nullptr},
                               {"details", Json::object()},
                               {"options", options}})
                             .dump()};
    outcome_.seen.push_back(seen);
  }
  void error(int second, const std::string& text) {
    Seen seen;
    seen.input = {static_cast<std::uint64_t>(second + 1)};
    seen.time = start_ + seconds{second};
    seen.error = CallError{CallError::Kind::raised, seen.input, seen.time, 0, {text, "a.lua", 3}};
    outcome_.seen.push_back(seen);
  }
  std::vector<std::string> sentences(const std::string& expect, bool nothing_else = true) {
    TestFile file;
    const Json data = {{"expect", *parse_json(expect)}, {"nothing_else", nothing_else}};
    const auto fault = read_test_file(data, {}, file);
    EXPECT_FALSE(fault) << fault->text;
    const std::vector<Came> came = what_came(outcome_, "t", file.cases.at(0), {});
    const Verdict verdict = judge(file.cases.at(0), came, seconds{3600});
    std::vector<std::string> all;
    for (const Miss& miss : verdict.misses) all.push_back(sentence(miss));
    return all;
  }

  const Time start_ = time_from_us(test_start_us);
  Outcome outcome_;
};

using Sentences = std::vector<std::string>;

// Of thousands only the first are compared with all that came; what is true of each is still said.
TEST_F(VerdictOf, ManyThatDidNotComeAreToldInTime) {
  constexpr int count = 3'000;
  for (int i = 0; i < count; ++i) page(i, "k/" + std::to_string(i), "long");
  Json expect = Json::array();
  for (int i = 0; i < count; ++i) {
    const std::string at = std::to_string(i) + "s";
    expect.push_back({{"at", at}, {"page", "k/" + std::to_string(i)}});
    expect.push_back({{"page", "absent/" + std::to_string(i)}});
  }
  const std::vector<std::string> all = sentences(expect.dump());
  ASSERT_EQ(all.size(), static_cast<std::size_t>(count));
  EXPECT_EQ(all.back(), "page absent/2999 never came");
}

TEST_F(VerdictOf, AKeyMayBeWrittenInFullOrWithStars) {
  page(5, "t/a");
  page(6, "t/b");
  EXPECT_EQ(sentences(R"([{"page":"t/a"},{"page":"*"}])"), Sentences{});
}

TEST_F(VerdictOf, WhatIsExpectedIsGood) {
  page(35, "k/a");
  page(40, "k/b");
  EXPECT_EQ(sentences(R"([{"at":"40s","page":"k/b"},{"at":"35s","page":"k/a","text":"t"}])"),
            Sentences{});
  EXPECT_EQ(sentences(R"([{"page":"k/*"},{"between":["30s","40s"],"page":"k/*"}])"), Sentences{});
}

TEST_F(VerdictOf, ExpectationsThatSayMoreChooseFirst) {
  page(1, "k");
  page(2, "k");
  EXPECT_EQ(sentences(R"([{"page":"k"},{"page":"k","at":"1s"}])"), Sentences{});
}

TEST_F(VerdictOf, WhoTakesWhatDoesNotRestOnTheOrderOfEntries) {
  page(5, "k", "v1");
  page(10, "k", "v2");
  for (
      const char* expect : {
          R"([{"page":"k"},{"page":"k","text":"v1"}])",
          R"([{"page":"k","text":"*"},{"page":"k","text":"v1"}])",
          R"([{"page":"k","between":["1s","11s"]},{"page":"k","between":["4s","6s"]}])",
          R"([{"page":"k","between":["4s","6s"]},{"page":"k","between":["1s","11s"]}])",
          R"([{"page":"k","between":["1s","11s"]},{"page":"k","text":"v1","between":["1s","20s"]}])",
          R"([{"page":"k","text":"v1"},{"page":"k","severity":null}])",
      })
    EXPECT_EQ(sentences(expect), Sentences{}) << expect;
}

// Each but the last is satisfied with two, and the last only with what the first takes first.
TEST_F(VerdictOf, AChainOfOthersMakesRoom) {
  constexpr int count = 2'000;
  Json expect = Json::array();
  for (int i = 0; i < count; ++i) {
    page(i, "k");
    const std::string from = std::to_string(i) + "s";
    const std::string to = std::to_string(std::min(i + 1, count - 1)) + "s";
    expect.push_back({{"page", "k"}, {"between", {from, to}}});
  }
  expect[count - 1]["between"] = {"0s", "0s500ms"};
  EXPECT_EQ(sentences(expect.dump()), Sentences{});
}

TEST_F(VerdictOf, ManyThatAnythingSatisfiesAreMatchedInTime) {
  constexpr int count = 10'000;
  Json expect = Json::array();
  for (int i = 0; i < count; ++i) {
    page(i / 4, "k", i < count / 2 ? "v" + std::to_string(i) : "w");
    if (i < count / 4) expect.push_back({{"page", "k"}});
    if (i < count / 4) expect.push_back({{"page", "k"}, {"text", "v" + std::to_string(i)}});
  }
  EXPECT_EQ(sentences(expect.dump(), false), Sentences{});
  // Twice as many as came.
  for (int i = 0; i < count * 2; ++i) expect.push_back({{"page", "*"}});
  EXPECT_EQ(sentences(expect.dump(), false).size(), static_cast<std::size_t>(count * 3 / 2));
}

TEST_F(VerdictOf, TwoKeysAreTwoThoughOneIsTheOtherWithTheTriggersName) {
  page(5, "t/u1");
  page(6, "u1");
  EXPECT_EQ(sentences(R"([{"page":"t/u1"},{"page":"u1"}])"), Sentences{});
  EXPECT_EQ(sentences(R"([{"page":"u1"},{"page":"u1"}])"),
            (Sentences{R"(page u1 at 00:00:05: key is "t/u1", expected "u1")"}));
}

TEST_F(VerdictOf, AKeyIsToldAsItIsAskedFor) {
  page(40, "t/u1");
  EXPECT_EQ(sentences(R"([{"at":"30s","page":"t/u1"}])"),
            Sentences{"page t/u1: fired at 00:00:40, expected 00:00:30 (10s late)"});
  EXPECT_EQ(sentences(R"([{"at":"30s","page":"u1"}])"),
            Sentences{"page u1: fired at 00:00:40, expected 00:00:30 (10s late)"});
  EXPECT_EQ(sentences(R"([{"page":"t/u1"},{"resolve":"u1"}])"), Sentences{"resolve u1 never came"});
}

TEST_F(VerdictOf, WhatComesOnlyAfterTheEndIsToldSo) {
  page(3601, "k");
  EXPECT_EQ(sentences(R"([{"page":"k"}])"),
            Sentences{"page k: fired at 01:00:01, after the end of the test"});
}

TEST_F(VerdictOf, TheNearestMissSaysHowFarItWas) {
  page(250, "k");
  EXPECT_EQ(sentences(R"([{"at":"4m","page":"k"}])"),
            Sentences{"page k: fired at 00:04:10, expected 00:04:00 (10s late)"});
  EXPECT_EQ(sentences(R"([{"between":["5m","6m"],"page":"k"}])"),
            Sentences{"page k: fired at 00:04:10, expected 00:05:00 to 00:06:00 (50s early)"});
}

// Whoever is asked for first does not take what another was nearer to.
TEST_F(VerdictOf, TheNearestMissIsOfTheSameIncidentAndAction) {
  page(1, "k");
  resolve(5, "k");
  EXPECT_EQ(sentences(R"([{"at":"1s","page":"k"},{"at":"1s","page":"k","severity":"warning"},
                          {"at":"4s","resolve":"k"}])"),
            (Sentences{"page k did not come at 00:00:01",
                       "resolve k: fired at 00:00:05, expected 00:00:04 (1s late)"}));
  EXPECT_EQ(sentences(R"([{"at":"1s","page":"k"},{"at":"5s","page":"k"}])"),
            Sentences{R"(page k at 00:00:05: action is "resolve", expected "trigger")"});
}

TEST_F(VerdictOf, AtTheSameTimeAnotherKindOfAnotherKeyIsNotNear) {
  page(1, "k");
  notify(1, "slack", "s", "t", Json::object());
  EXPECT_EQ(sentences(R"([{"at":"1s","page":"k"},{"at":"1s","page":"k"}])", false),
            Sentences{"page k did not come at 00:00:01"});
}

TEST_F(VerdictOf, ANotificationOfAnotherKindIsNotNearUnlessItIsOfTheSameIncident) {
  page(1, "k");
  EXPECT_EQ(sentences(R"([{"notification":"slack"}])", false),
            Sentences{"notification slack never came"});
  EXPECT_EQ(sentences(R"([{"notification":"slack","key":"k"}])", false),
            Sentences{R"(notification slack at 00:00:01: kind is "pager_duty", expected "slack")"});
}

TEST_F(VerdictOf, OfTwoThatAreLateEachHasTheNearest) {
  page(20, "k");
  page(31, "k");
  EXPECT_EQ(sentences(R"([{"at":"10s","page":"k"},{"at":"30s","page":"k"}])"),
            (Sentences{"page k: fired at 00:00:20, expected 00:00:10 (10s late)",
                       "page k: fired at 00:00:31, expected 00:00:30 (1s late)"}));
  EXPECT_EQ(sentences(R"([{"at":"40s","page":"k"},{"at":"30s","page":"k"}])"),
            (Sentences{"page k: fired at 00:00:20, expected 00:00:40 (20s early)",
                       "page k: fired at 00:00:31, expected 00:00:30 (1s late)"}));
}

TEST_F(VerdictOf, WhatDiffersIsNamed) {
  page(10, "k", "load is 11");
  EXPECT_EQ(sentences(R"([{"at":"10s","page":"k","text":"load is 12"}])"),
            Sentences{R"(page k at 00:00:10: text is "load is 11", expected "load is 12")"});
  EXPECT_EQ(sentences(R"([{"at":"10s","page":"j"}])"),
            Sentences{R"(page j at 00:00:10: key is "k", expected "j")"});
}

TEST_F(VerdictOf, WhatIsMissingAndTooManyIsSaid) {
  page(10, "k");
  EXPECT_EQ(sentences(R"([{"at":"10s","page":"k"},{"at":"20s","page":"j"},{"log":"x"}])"),
            (Sentences{"page j did not come at 00:00:20", "log x never came"}));
  EXPECT_EQ(sentences("[]"), Sentences{"page k came at 00:00:10 and was not expected"});
  EXPECT_EQ(sentences("[]", false), Sentences{});
  EXPECT_EQ(sentences(R"([{"page":"*","never":true}])", false),
            Sentences{"page k came at 00:00:10 and must never come"});
}

TEST_F(VerdictOf, AnErrorIsNeverPassedOver) {
  error(3, "boom");
  EXPECT_EQ(sentences("[]", false), Sentences{"error boom came at 00:00:03 and was not expected"});
  EXPECT_EQ(sentences(R"([{"error":"boo*","line":3}])"), Sentences{});
}

TEST(Differences, OfWhatIsNotWantedMayBeAnything) {
  const auto paths = [](const char* wanted, const char* got, bool whole) {
    std::string all;
    for (const Difference& each : differences(*parse_json(wanted), *parse_json(got), whole))
      all += each.path + " ";
    return all;
  };
  EXPECT_EQ(paths(R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2},"d":3})", false), "");
  EXPECT_EQ(paths(R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2},"d":3})", true), "a.c d ");
  EXPECT_EQ(paths(R"({"a":[1,2]})", R"({"a":[1,3,4]})", false), "a[2] a[3] ");
  EXPECT_EQ(paths(R"({"a":0.3})", R"({"a":0.30000000000000004})", true), "");
  EXPECT_EQ(paths(R"({"a":null,"b":{}})", R"({"b":[]})", true), "");
  EXPECT_EQ(paths(R"({"a":"5"})", R"({"a":5})", false), "a ");
}

}  // namespace
}  // namespace hastur
