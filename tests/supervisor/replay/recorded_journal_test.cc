#include "supervisor/replay/recorded_journal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hastur {
namespace {

ReplayPlan plan_of(const std::vector<std::pair<TriggerName, VersionId>>& triggers) {
  ReplayPlan plan;
  for (const auto& [name, version] : triggers) {
    ReplayTrigger trigger;
    trigger.stream.name = name;
    trigger.run.version = version;
    plan.triggers.push_back(std::move(trigger));
  }
  return plan;
}

class RecordedJournals : public testing::Test {
 protected:
  void take(const std::string& text, bool is_at_head = true) {
    journal_.take({text, ++line_, is_at_head});
  }
  void decide(std::string_view decision, int run, int sequence, std::string_view version = "v1",
              std::string_view detail = R"({"callback":1})", std::string_view trigger = "t") {
    take(fmt::format(
        R"({{"detail":{},"journal":"{}","run":{},"sequence":{},"trigger":"{}","version":"{}"}})",
        detail, decision, run, sequence, trigger, version));
  }
  // Skips as "SEQUENCE/CALLBACK", pauses as "FROM-UNTIL".
  std::string obeyed() {
    EXPECT_TRUE(journal_.status());
    journal_.obey(plan_);
    std::string text;
    for (const Skip& skip : plan_.triggers[0].stream.skips)
      text += fmt::format("{}/{} ", skip.sequence.value, skip.callback);
    for (const StreamPause& pause : plan_.triggers[0].stream.pauses) {
      text += fmt::format("{}-{} ", pause.from.value,
                          pause.until ? fmt::to_string(pause.until->value) : "");
    }
    return text;
  }

  ReplayPlan plan_ = plan_of({{"t", "v1"}, {"other", "v1"}});
  RecordedJournal journal_{plan_, "r.jsonl"};
  std::uint64_t line_ = 0;
};

TEST_F(RecordedJournals, SkipAndPauseWhereTheVersionIsTheOneThatRuns) {
  decide("pause", 1, 30);
  decide("skip", 1, 20, "v1", R"({"callback":2,"text":"no","script":"t.lua","line":3})");
  decide("resume", 1, 40);
  decide("skip", 2, 50, "v2");
  decide("pause", 2, 60, "v2");
  decide("skip", 1, 25, "v1", R"({"callback":1})", "other");
  decide("skip", 1, 26, "v1", R"({"callback":1})", "third");
  decide("lost", 1, 27);
  take(R"({"journal":"skip","run":1,"sequence":21,"trigger":"t","detail":{"callback":1}})");
  EXPECT_EQ(obeyed(), "20/2 30-40 ");
  EXPECT_EQ(plan_.triggers[0].stream.skips[0].error, (ScriptError{"no", "t.lua", 3}));
  EXPECT_EQ(plan_.triggers[1].stream.skips.size(), 1u);
  EXPECT_EQ(journal_.obeyed(), 4u);
  EXPECT_EQ(journal_.of_other_versions(), 3u) << "one says none";
  EXPECT_EQ(journal_.too_late(), 0u);
}

// Restored: the same version in a new run, without the old one's pause.
TEST_F(RecordedJournals, APauseEndsWithItsRun) {
  decide("pause", 1, 10);
  decide("restore", 2, 20);
  decide("pause", 2, 30);
  decide("resume", 2, 35);
  decide("pause", 2, 50);
  decide("switch", 3, 60, "v2");
  EXPECT_EQ(obeyed(), "10-20 30-35 50-60 ");
}

// Its run begins long before it takes over, and bears what it has obeyed itself.
TEST_F(RecordedJournals, OfAReplayThatTookOverHoldFromItsFirstInputOn) {
  decide("pause", 1, 10);
  decide("skip", 1, 8);
  decide("replay", 2, 90, "v1", R"({"after":19,"run":1})");
  decide("skip", 2, 8);
  decide("pause", 2, 10);
  decide("resume", 2, 25);
  decide("pause", 2, 90);
  decide("resume", 2, 90);
  EXPECT_EQ(obeyed(), "8/1 10-20 10-25 90-90 ");
}

TEST_F(RecordedJournals, AForgottenTriggersPauseIsOver) {
  decide("pause", 1, 10);
  decide("forget", 1, 15, "v1", "{}");
  EXPECT_EQ(obeyed(), "10-15 ");
}

// What stands before the stretch was no input of the live run.
TEST_F(RecordedJournals, SayWhereTheStretchBegins) {
  take(R"({"first":20,"journal":"stretch","last":90})");
  decide("pause", 1, 30);
  EXPECT_EQ(obeyed(), "30- ");
  EXPECT_EQ(plan_.begin, Sequence{20});
  EXPECT_EQ(plan_.after, Sequence{19});
  for (const ReplayTrigger& trigger : plan_.triggers)
    EXPECT_EQ(trigger.stream.after, Sequence{19}) << trigger.stream.name;
  EXPECT_EQ(journal_.obeyed(), 1u);
}

TEST_F(RecordedJournals, ComeTooLateBehindTheFirstInput) {
  decide("skip", 1, 20);
  take(R"({"journal":"skip","run":1,"sequence":5,"trigger":"t","version":"v1"})", false);
  EXPECT_EQ(obeyed(), "20/1 ");
  EXPECT_EQ(journal_.too_late(), 1u);
}

TEST_F(RecordedJournals, NameALineThatCannotBeObeyed) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"journal":"skip","run":1,"sequence":5})", "\"trigger\""},
      {R"({"journal":"stretch","last":5})", "\"first\""},
      {R"({"journal":"pause","run":1,"sequence":"5","trigger":"t"})", "\"sequence\""},
      {R"({"journal":"pause","run":-1,"sequence":5,"trigger":"t"})", "\"run\""},
      {R"({"journal":"skip","run":1,"sequence":5,"trigger":"t","version":"v1"})", "\"callback\""},
      {R"({"journal":"skip","run":1,"sequence":5,"trigger":"t","version":"v1","detail":7})",
       "\"callback\""},
      {R"({"journal":"replay","run":1,"sequence":5,"trigger":"t","detail":{"after":"x"}})",
       "\"after\""}};
  for (const auto& [text, word] : bad) {
    RecordedJournal journal(plan_, "r.jsonl");
    journal.take({text, 7, true});
    ASSERT_FALSE(journal.status()) << text;
    EXPECT_TRUE(journal.status().error().message.starts_with("r.jsonl:7: "))
        << journal.status().error().message;
    EXPECT_NE(journal.status().error().message.find(word), std::string::npos) << text;
  }
  // Of other forms in its detail nothing is thrown.
  decide("skip", 1, 20, "v1", R"({"callback":1,"text":5,"script":[],"line":"x"})");
  decide("pause", 1, 30, "v1", R"({"by":5,"why":{}})");
  decide("resume", 1, 31, "v1", "5");
  EXPECT_EQ(obeyed(), "20/1 30-31 ");
}

}  // namespace
}  // namespace hastur
