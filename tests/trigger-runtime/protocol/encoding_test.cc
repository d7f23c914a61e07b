#include "trigger-runtime/protocol/encoding.h"

#include <gtest/gtest.h>

#include "message/msgpack.h"
#include "tests/trigger-runtime/protocol/generators.h"

namespace hastur {
namespace {

using testing::any_command;
using testing::any_placed_input;
using testing::any_reply;

std::string encoded(const WorkerReply& reply) {
  std::string bytes;
  encode_reply(bytes, reply);
  return bytes;
}

// What was received, as it would be sent again.
std::string sent_again(const ReceivedCommand& received) {
  std::string bytes;
  if (const auto* feed = std::get_if<PlacedFeed>(&received)) {
    encode_command(bytes,
                   FeedCommand{nullptr, feed->triggers, feed->slice, feed->instructions_slice},
                   feed->input);
    return bytes;
  }
  std::visit(
      [&](const auto& command) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(command)>, PlacedFeed>) {
          encode_command(bytes, command, {});
        }
      },
      received);
  return bytes;
}

TEST(CommandEncoding, ReadsBackWhatWasWritten) {
  EXPECT_TRUE(rc::check([] {
    const WorkerCommand command = any_command();
    const PlacedInput input = any_placed_input();
    std::string bytes;
    encode_command(bytes, command, input);
    const auto received = decode_command(bytes);
    RC_ASSERT(received.has_value());
    RC_ASSERT(sent_again(*received) == bytes);
    if (const auto* feed = std::get_if<PlacedFeed>(&*received)) RC_ASSERT(feed->input == input);
  }));
}

TEST(CommandEncoding, KeepsEveryFieldOfALoad) {
  LoadCommand load;
  load.handle = {7};
  load.name = "billing/load";
  load.run = {3};
  load.script = {"billing/load.lua", "return 1"};
  load.libraries = {{"lib/x.lua", "return {}"}};
  load.limits = {1, 2, 3, 4, 5, 6, 7};
  load.guards = {8};
  load.memory = Memory{{9}, time_from_us(10), "{\"a\":1}", "{}"};
  load.migrate_from = "v1";
  load.warm = WarmHelpers{time_from_us(11), time_from_us(12), "{\"@keyed.a\":{}}"};
  std::string bytes;
  encode_command(bytes, load, {});
  const auto received = decode_command(bytes);
  ASSERT_TRUE(received);
  const auto& read = std::get<LoadCommand>(*received);
  EXPECT_EQ(read.handle, load.handle);
  EXPECT_EQ(read.name, load.name);
  EXPECT_EQ(read.run, load.run);
  EXPECT_EQ(read.script, load.script);
  EXPECT_EQ(read.libraries, load.libraries);
  EXPECT_EQ(read.limits, load.limits);
  EXPECT_EQ(read.guards.memory_bytes_min, 8u);
  EXPECT_EQ(read.memory, load.memory);
  EXPECT_EQ(read.migrate_from, load.migrate_from);
  EXPECT_EQ(read.warm, load.warm);
}

TEST(ReplyEncoding, KeepsTheHelpersOfALoad) {
  Loaded loaded;
  loaded.handle = {1};
  loaded.warmed = Memory{{2}, time_from_us(3), "{}", "{}"};
  loaded.helpers = {{"@keyed.a", "forget 4", Micros{4}}, {"@window.b", "span 5", Micros{5}}};
  const auto read = decode_reply(encoded(loaded), 10);
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<Loaded>(*read).warmed, loaded.warmed);
  EXPECT_EQ(std::get<Loaded>(*read).helpers, loaded.helpers);
}

TEST(ReplyEncoding, ReadsBackWhatWasWritten) {
  EXPECT_TRUE(rc::check([] {
    const std::string bytes = encoded(any_reply());
    const auto reply = decode_reply(bytes, 10);
    RC_ASSERT(reply.has_value());
    RC_ASSERT(encoded(*reply) == bytes);
  }));
}

TEST(ReplyEncoding, KeepsEveryFieldOfAProgress) {
  TriggerProgress progress;
  progress.handle = {1};
  progress.reached = {2};
  progress.effects = {{{3}, 4, time_from_us(5), EffectKind::notification, 6, "{}"}};
  progress.errors = {{CallError::Kind::memory, {7}, time_from_us(8), 9, {"text", "a.lua", 10}}};
  progress.judged = Memory{{11}, time_from_us(12), "state", "runtime"};
  progress.stopped = Stopped{progress.errors.front()};
  progress.effects_hash = 13;
  progress.touched = true;
  progress.callbacks = 14;
  progress.instructions = 15;
  progress.effects_cut = 17;
  progress.callbacks_undone = 19;
  progress.helpers_dropped = 18;
  progress.cpu = Micros{16};
  const auto reply = decode_reply(encoded(FeedReply{{progress}}), 1);
  ASSERT_TRUE(reply);
  const TriggerProgress& read = std::get<FeedReply>(*reply).triggers.at(0);
  EXPECT_EQ(read.handle, progress.handle);
  EXPECT_EQ(read.reached, progress.reached);
  EXPECT_EQ(read.effects, progress.effects);
  EXPECT_EQ(read.errors, progress.errors);
  EXPECT_EQ(read.judged, progress.judged);
  EXPECT_EQ(read.stopped, progress.stopped);
  EXPECT_EQ(read.effects_hash, progress.effects_hash);
  EXPECT_EQ(read.touched, progress.touched);
  EXPECT_EQ(read.callbacks, progress.callbacks);
  EXPECT_EQ(read.instructions, progress.instructions);
  EXPECT_EQ(read.effects_cut, progress.effects_cut);
  EXPECT_EQ(read.callbacks_undone, progress.callbacks_undone);
  EXPECT_EQ(read.helpers_dropped, progress.helpers_dropped);
  EXPECT_EQ(read.cpu, progress.cpu);
}

TEST(ReplyEncoding, AnswersEveryCutWithAnError) {
  EXPECT_TRUE(rc::check([] {
    const std::string bytes = encoded(any_reply());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      RC_ASSERT(!decode_reply(std::string_view(bytes).substr(0, size), 10).has_value());
    }
    RC_ASSERT(!decode_reply(bytes + '\0', 10).has_value());
  }));
}

TEST(ReplyEncoding, SurvivesEveryChangedByte) {
  EXPECT_TRUE(rc::check([] {
    std::string bytes = encoded(any_reply());
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    bytes[at] = *rc::gen::arbitrary<char>();
    // Whatever it is taken for, it is taken for something that can be written again.
    if (const auto reply = decode_reply(bytes, 10)) RC_ASSERT(!encoded(*reply).empty());
  }));
}

TEST(ReplyEncoding, RefusesMoreTriggersThanWereFed) {
  const std::string bytes = encoded(FeedReply{{TriggerProgress{}, TriggerProgress{}}});
  EXPECT_TRUE(decode_reply(bytes, 2));
  EXPECT_FALSE(decode_reply(bytes, 1));
}

TEST(ReplyEncoding, ReservesNothingForACountThatTheBytesCannotHold) {
  std::string bytes;
  MsgpackWriter out(bytes);
  out.unsigned_integer(4);  // a feed's reply
  out.array(0xFFFFFFFF);
  EXPECT_FALSE(decode_reply(bytes, 0xFFFFFFFF));
}

TEST(NoticeEncoding, ReadsBackWhatWasWritten) {
  EXPECT_TRUE(rc::check([] {
    const CommandNotice command{*rc::gen::arbitrary<std::uint64_t>(), testing::any_region(),
                                *rc::gen::arbitrary<std::uint64_t>()};
    const auto read = decode_parent_notice(encode_notice(ParentNotice{command}));
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == ParentNotice{command});
    const Hello hello{1, testing::some(testing::any_text)};
    const auto greeting = decode_worker_notice(encode_notice(WorkerNotice{hello}));
    RC_ASSERT(greeting.has_value());
    RC_ASSERT(*greeting == WorkerNotice{hello});
  }));
}

TEST(NoticeEncoding, AnswersGarbageWithAnError) {
  EXPECT_TRUE(rc::check([](const std::string& garbage) {
    if (const auto notice = decode_worker_notice(garbage)) {
      RC_ASSERT(encode_notice(*notice).size() <= garbage.size());
    }
  }));
  EXPECT_FALSE(decode_worker_notice(""));
  EXPECT_FALSE(decode_worker_notice(encode_notice(ParentNotice{TakenNotice{1}})));
}

}  // namespace
}  // namespace hastur
