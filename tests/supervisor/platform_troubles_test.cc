#include "supervisor/platform_troubles.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/json.h"
#include "tests/supervisor/dispatch/rig.h"
#include "tests/supervisor/notify/channels.h"

namespace hastur::test {
namespace {

using namespace std::chrono_literals;

class PlatformTroublesTest : public ::testing::Test {
 protected:
  PlatformTroublesTest()
      : channels_(channels_of("[notify.oncall]\nkind = \"file\"\npath = \"/a\"\ndefault = true\n"
                              "[notify.own]\nkind = \"file\"\npath = \"/b\"\n")),
        troubles_({rig_.clock, *rig_.dispatcher, "tcp://127.0.0.1:4944", channels_,
                   [this](const std::string&) { return state_; }, "own", source_}) {}

  std::string keys() {
    std::string all;
    for (const PlatformTrouble& each : troubles_.look()) all += each.key + " ";
    return all;
  }
  // As the syndicator says it.
  void syndicator_says(std::map<std::string, std::uint64_t> counters) {
    PositionReply position;
    position.stream = rig_.history->stream();
    position.counters = std::move(counters);
    rig_.clock.advance(1s);
    rig_.dispatcher->turn();
    for (Action& action : rig_.dispatcher->take_actions()) {
      const auto* send = std::get_if<SendRequest>(&action);
      if (send != nullptr && std::holds_alternative<PositionRequest>(send->frame.request))
        rig_.dispatcher->replied({send->frame.id, position});
    }
  }

  // What is told now: "+key: text " of what is wrong, "-key: text " of what is over.
  std::string told() {
    std::string all;
    for (const NotificationRecord& record : watch_.look(troubles_.look(), rig_.clock.now())) {
      const Json payload = parse_json(record.payload).value();
      all += fmt::format("{}{}: {} ", payload["options"].contains("action") ? "-" : "+",
                         payload["key"].get<std::string>(), payload["text"].get<std::string>());
    }
    return all;
  }
  // The same, from now on for so many seconds, with a look at each.
  std::string told_within(int seconds) {
    std::string all;
    for (int i = 0; i < seconds; ++i) {
      rig_.clock.advance(1s);
      rig_.pump();
      all += told();
    }
    return all;
  }

  Rig rig_;
  std::map<std::string, Channel> channels_;
  ChannelState state_;
  std::optional<SourceTrouble> source_;
  PlatformTroubles troubles_;
  PlatformWatch watch_;
};

TEST_F(PlatformTroublesTest, NothingIsWrongWhenAllIsWell) { EXPECT_EQ(keys(), ""); }

TEST_F(PlatformTroublesTest, AChannelInTroubleIsOneButNotTheOneThatWouldTellOfIt) {
  state_.trouble_since = rig_.clock.now();
  state_.last_trouble = "no route";
  const auto all = troubles_.look();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].key, "channel/oncall");
  EXPECT_NE(all[0].text.find("no route"), std::string::npos);
}

TEST_F(PlatformTroublesTest, AFolderOrABranchThatCannotBeReadIsOne) {
  source_ = {"the triggers' directory triggers cannot be read", rig_.clock.now()};
  EXPECT_EQ(keys(), "source ");
  source_.reset();
  EXPECT_EQ(keys(), "");
}

TEST_F(PlatformTroublesTest, ASyndicatorThatIsSilentIsOneSinceItWasNoticed) {
  rig_.clock.advance(7s);
  const Time noticed = rig_.clock.now();
  EXPECT_EQ(keys(), "syndicator ");
  rig_.clock.advance(7s);
  EXPECT_EQ(troubles_.look()[0].since, noticed);
  rig_.pump();
  EXPECT_EQ(keys(), "");
}

TEST_F(PlatformTroublesTest, AHistoryThatCannotBeWrittenIsOne) {
  syndicator_says({{PositionReply::history_failing_name, 90'000'000}});
  const auto all = troubles_.look();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].key, "history");
  EXPECT_EQ(rig_.clock.now() - all[0].since, 90s);
}

TEST_F(PlatformTroublesTest, MessagesThatWereDroppedAreToldForAWhile) {
  syndicator_says({{"kernel_dropped", 5}});
  EXPECT_EQ(keys(), "") << "that was before the start";
  syndicator_says({{"kernel_dropped", 7}, {"ring_dropped", 1}});
  const auto all = troubles_.look();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].key, "dropped");
  EXPECT_EQ(all[0].text,
            "3 messages were lost before they could be numbered (in all kernel_dropped 7, "
            "ring_dropped 1)");
  EXPECT_LE(all[0].since, rig_.clock.now() - PlatformWatch::steady_after) << "it is told at once";
  for (int minute = 0; minute < 9; ++minute) {
    rig_.clock.advance(59s);
    syndicator_says({{"kernel_dropped", 7}, {"ring_dropped", 1}});
    EXPECT_EQ(keys(), "dropped ") << minute;
  }
  rig_.clock.advance(2min);
  syndicator_says({{"kernel_dropped", 7}, {"ring_dropped", 1}});
  EXPECT_EQ(keys(), "");
  syndicator_says({{"kernel_dropped", 8}, {"ring_dropped", 1}});
  EXPECT_TRUE(troubles_.look()[0].text.starts_with("1 messages")) << "counted anew";
}

TEST_F(PlatformTroublesTest, TriggersThatAreBehindAreToldOnceAndThatTheyHaveCaughtUp) {
  rig_.desire({{"slow", "match=a"}, {"other", "match=a"}});
  rig_.send("a", 10);
  EXPECT_EQ(told_within(5), "");
  rig_.holds_commands = true;
  rig_.send("a", 10);
  EXPECT_EQ(told_within(55), "") << "not behind yet";
  const std::string first = told_within(90);
  EXPECT_TRUE(first.starts_with("+behind: 2 triggers are over a minute behind, ")) << first;
  EXPECT_EQ(std::ranges::count(first, '+'), 1) << first;
  EXPECT_EQ(told_within(600), "") << "it is told once";
  rig_.holds_commands = false;
  const std::string over = told_within(90);
  EXPECT_TRUE(over.starts_with("-behind: Over: ")) << over;
  EXPECT_EQ(std::ranges::count(over, '-'), 1) << over;
}

TEST_F(PlatformTroublesTest, InputsThatAreGoneFromHistoryAreToldOnceAndOverAfterAWhile) {
  rig_.desire({{"t", "match=a"}});
  rig_.send("a", 10);
  EXPECT_EQ(told(), "");
  // What is published is missed, and when it is asked for it is gone.
  rig_.publishes = false;
  rig_.send("a", 5);
  const Sequence last = rig_.history->last();
  rig_.clock.advance(1s);
  rig_.syndicator->take_datagram(R"({"type":"gauge","name":"a","value":1})", rig_.clock.now());
  Syndicator::Turn turn = rig_.syndicator->turn(rig_.clock.now(), rig_.clock.monotonic(), true);
  for (Batch& batch : turn.published) rig_.dispatcher->published(std::move(batch));
  rig_.dispatcher->turn();
  bool asked = false;
  for (Action& action : rig_.dispatcher->take_actions()) {
    const auto* send = std::get_if<SendRequest>(&action);
    const auto* read = send == nullptr ? nullptr : std::get_if<ReadRequest>(&send->frame.request);
    if (read == nullptr || !read->from) continue;
    asked = true;
    rig_.dispatcher->replied({send->frame.id, LostReply{*read->from, last, "trimmed"}});
  }
  ASSERT_TRUE(asked);
  rig_.publishes = true;
  rig_.pump();
  const std::string first = told();
  EXPECT_TRUE(first.starts_with("+lost: The inputs ")) << first;
  EXPECT_NE(first.find(fmt::format(" to {} are gone from History (trimmed)", last.value)),
            std::string::npos)
      << first;
  EXPECT_EQ(told_within(590), "");
  const std::string over = told_within(80);
  EXPECT_TRUE(over.starts_with("-lost: Over: ")) << over;
  EXPECT_EQ(told_within(600), "");
}

TEST_F(PlatformTroublesTest, AHistoryThatCannotBeWrittenIsToldOnceAndThatItCanAgain) {
  syndicator_says({{PositionReply::history_failing_name, 30'000'000}});
  EXPECT_EQ(told(), "") << "it may be over soon";
  syndicator_says({{PositionReply::history_failing_name, 61'000'000}});
  const std::string first = told();
  EXPECT_TRUE(
      first.starts_with("+history: The syndicator at tcp://127.0.0.1:4944 cannot write its "
                        "History for 1m1s"))
      << first;
  syndicator_says({{PositionReply::history_failing_name, 62'000'000}});
  EXPECT_EQ(told(), "");
  std::string over;
  for (int i = 0; i < 65; ++i) {
    syndicator_says({});
    over += told();
  }
  EXPECT_TRUE(over.starts_with("-history: Over: ")) << over;
  EXPECT_EQ(std::ranges::count(over, '-'), 1) << over;
}

TEST_F(PlatformTroublesTest, AChannelsTroubleNamesTheReceiverOfMany) {
  state_.trouble_since = rig_.clock.now();
  state_.trouble_at = "https://hooks.example.com:443";
  state_.last_trouble = "status 503";
  EXPECT_NE(troubles_.look()[0].text.find("the channel oncall to https://hooks.example.com:443 "),
            std::string::npos)
      << troubles_.look()[0].text;
}

}  // namespace
}  // namespace hastur::test
