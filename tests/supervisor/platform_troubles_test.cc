#include "supervisor/platform_troubles.h"

#include <gtest/gtest.h>

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
                   [this](const std::string&) { return state_; }, "own"}) {}

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

  Rig rig_;
  std::map<std::string, Channel> channels_;
  ChannelState state_;
  PlatformTroubles troubles_;
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

}  // namespace
}  // namespace hastur::test
