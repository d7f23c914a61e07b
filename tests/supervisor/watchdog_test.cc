#include "supervisor/watchdog.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/supervisor/dispatch/rig.h"

namespace hastur::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time start{seconds{1'704'067'200}};

// A batch in which `trigger` has derived what answers the heartbeat.
Batch answer(const TriggerName& trigger, double value, std::string_view name = "hastur.watchdog") {
  BatchBuilder builder;
  MessageView message;
  message.type = MessageType::gauge;
  message.name = name;
  message.value = Value::of(value);
  message.timestamp = message.received_at = start;
  message.uuid = "00000000-0000-4000-8000-000000000001";
  message.origin = Origin{trigger, Run{1}, Sequence{1}, 0, 1, false};
  builder.add(message);
  return builder.finish(StreamId{{7}}, Sequence{1}, Time{});
}

double value_of(const std::string& heartbeat) {
  return parse_json(heartbeat).value()["value"].get<double>();
}

TEST(Watchdog, CallsWhenTheAnswerToItsLastHeartbeatStandsInTheStream) {
  Watchdog watchdog("0123456789abcdef");
  const TriggerName trigger = watchdog.script().name;
  EXPECT_EQ(trigger, "hastur/watchdog-01234567");
  const auto heartbeat = watchdog.turn(start);
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(parse_json(*heartbeat).value()["type"], "hb_process");
  EXPECT_FALSE(watchdog.turn(start + seconds{59})) << "one a minute";
  EXPECT_FALSE(watchdog.seen(answer("other", value_of(*heartbeat))));
  EXPECT_FALSE(watchdog.seen(answer(trigger, value_of(*heartbeat) - 1)));
  EXPECT_FALSE(watchdog.seen(answer(trigger, value_of(*heartbeat), "hastur.other")));
  EXPECT_TRUE(watchdog.seen(answer(trigger, value_of(*heartbeat))));
  EXPECT_FALSE(watchdog.seen(answer(trigger, value_of(*heartbeat)))) << "one call a heartbeat";
  watchdog.called({});
  EXPECT_TRUE(watchdog.turn(start + minutes{1}));
  EXPECT_FALSE(watchdog.trouble());
}

TEST(Watchdog, AnAnswerToAnOldHeartbeatIsNone) {
  Watchdog watchdog("o");
  const auto first = watchdog.turn(start);
  const auto second = watchdog.turn(start + minutes{1});
  ASSERT_TRUE(second);
  ASSERT_TRUE(watchdog.trouble());
  EXPECT_EQ(watchdog.trouble()->since, start);
  EXPECT_NE(watchdog.trouble()->text.find("the heartbeat of 2024-01-01T00:00:00Z has not come"),
            std::string::npos)
      << watchdog.trouble()->text;
  EXPECT_FALSE(watchdog.seen(answer(watchdog.script().name, value_of(*first))));
  EXPECT_TRUE(watchdog.seen(answer(watchdog.script().name, value_of(*second))));
  EXPECT_TRUE(watchdog.trouble()) << "it has not been called yet";
  watchdog.called({});
  EXPECT_FALSE(watchdog.trouble());
}

TEST(Watchdog, TellsWhatTheUrlAnsweredAndWhatCouldNotBeSent) {
  Watchdog watchdog("o");
  const auto heartbeat = watchdog.turn(start);
  EXPECT_TRUE(watchdog.seen(answer(watchdog.script().name, value_of(*heartbeat))));
  watchdog.called("it said 500");
  ASSERT_TRUE(watchdog.trouble());
  EXPECT_NE(watchdog.trouble()->text.find("it said 500"), std::string::npos);
  watchdog.called({});
  EXPECT_FALSE(watchdog.trouble());
  EXPECT_TRUE(watchdog.turn(start + minutes{1}));
  watchdog.not_sent("nobody listens");
  EXPECT_FALSE(watchdog.trouble()) << "the next may get through";
  EXPECT_TRUE(watchdog.turn(start + minutes{2}));
  ASSERT_TRUE(watchdog.trouble());
  EXPECT_NE(watchdog.trouble()->text.find("nobody listens"), std::string::npos);
}

TEST(Watchdog, AClockThatIsSetBackDoesNotStopIt) {
  Watchdog watchdog("o");
  EXPECT_TRUE(watchdog.turn(start));
  EXPECT_TRUE(watchdog.turn(start - std::chrono::hours{1}));
  EXPECT_FALSE(watchdog.turn(start - std::chrono::hours{1} + seconds{1}));
}

TEST(BuiltInTrigger, BelongsToEveryWholeSet) {
  Rig rig;
  rig.built_in = {{"hastur/own", make_version({"hastur/own.lua", "match=own"}, {})}};
  rig.start();
  rig.desire({{"a", "match=a"}});
  EXPECT_TRUE(rig.dispatcher->triggers().contains("hastur/own"));
  rig.deploy({{"b", "match=b"}});
  EXPECT_TRUE(rig.dispatcher->triggers().contains("hastur/own"));
  EXPECT_FALSE(rig.dispatcher->triggers().contains("a"));
  rig.built_in.clear();
  rig.start();
  rig.desire({{"b", "match=b"}});
  EXPECT_FALSE(rig.dispatcher->triggers().contains("hastur/own"));
  EXPECT_TRUE(rig.dispatcher->triggers().contains("b"));
}

}  // namespace
}  // namespace hastur::test
