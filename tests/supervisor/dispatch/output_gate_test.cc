#include "supervisor/dispatch/output_gate.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

using namespace std::chrono_literals;

struct OutputGateTest : testing::Test {
  // A trigger with a run, so that effects can be committed.
  void SetUp() override {
    RunStart start;
    start.version = VersionRecord{"v", "t", {{"t.lua", ""}}};
    start.run = {"t", hastur::Run{1}, "v", "{}", "fake", "deploy", Sequence{0}, {}};
    start.checkpoint.trigger = "t";
    start.checkpoint.run = hastur::Run{1};
    CommitBatch batch;
    batch.starts.push_back(start);
    ASSERT_TRUE(store->commit(batch));
  }
  void emit(std::uint64_t sequence) {
    gate.add_effect("t", hastur::Run{1}, {Sequence{sequence}, 0, {}, EffectKind::message, 1, "{}"});
  }
  AppendRequest asked(const std::optional<RequestFrame>& frame) {
    return std::get<AppendRequest>(frame->request);
  }

  std::unique_ptr<CheckpointStore> store = make_memory_store();
  OutputGate gate{*store, {}};
  std::uint64_t next_request = 1;
};

TEST_F(OutputGateTest, NothingLeavesBeforeItsCommit) {
  gate.granted(Epoch{1}, {"t"});
  emit(1);
  EXPECT_FALSE(gate.request(0s, next_request));
  ASSERT_TRUE(gate.commit());
  const auto request = gate.request(0s, next_request);
  ASSERT_TRUE(request);
  EXPECT_EQ(asked(request).messages.size(), 1u);
  EXPECT_EQ(asked(request).epoch, Epoch{1});
}

TEST_F(OutputGateTest, NothingLeavesWithoutALeaseForItsTrigger) {
  emit(1);
  ASSERT_TRUE(gate.commit());
  EXPECT_FALSE(gate.request(0s, next_request));
  gate.granted(Epoch{1}, {"other"});
  EXPECT_FALSE(gate.request(0s, next_request));
  gate.granted(Epoch{1}, {"other", "t"});
  EXPECT_TRUE(gate.request(0s, next_request));
}

TEST_F(OutputGateTest, AsksAgainUntilItIsAcknowledged) {
  gate.granted(Epoch{1}, {"t"});
  emit(1);
  ASSERT_TRUE(gate.commit());
  const auto first = gate.request(0s, next_request);
  ASSERT_TRUE(first);
  EXPECT_FALSE(gate.request(1s, next_request));
  const auto second = gate.request(6s, next_request);
  ASSERT_TRUE(second);
  EXPECT_NE(first->id, second->id);
  gate.disconnected();
  const auto third = gate.request(6s, next_request);
  ASSERT_TRUE(third);
  // An answer to an older request is nobody's.
  EXPECT_FALSE(gate.replied({first->id, AppendReply{}}, 6s).value());
  EXPECT_TRUE(
      gate.replied({third->id, AppendReply{{{"t", hastur::Run{1}, Sequence{1}, 0}}}}, 6s).value());
  EXPECT_EQ(store->outbox_size(), 0u);
  EXPECT_FALSE(gate.request(20s, next_request));
}

TEST_F(OutputGateTest, AnAppendIsOfFewBytesHoweverManyMessagesWait) {
  gate.granted(Epoch{1}, {"t"});
  const std::string large = "\"" + std::string(300'000, 'x') + "\"";
  constexpr std::uint32_t count = 400;
  for (std::uint32_t i = 0; i < count; ++i)
    gate.add_effect("t", hastur::Run{1},
                    {Sequence{1}, i, {}, EffectKind::message, 1, i % 2 == 0 ? large : "{}"});
  ASSERT_TRUE(gate.commit());
  std::uint32_t came = 0;
  for (int asked_times = 0; came < count && asked_times < 100; ++asked_times) {
    const auto request = gate.request(0s, next_request);
    ASSERT_TRUE(request);
    const auto messages = asked(request).messages;
    std::size_t bytes = 0;
    for (const DerivedMessage& message : messages) {
      EXPECT_EQ(message.ordinal, came++);
      bytes += message.json.size();
    }
    EXPECT_LE(bytes, 1u << 20);
    EXPECT_TRUE(
        gate.replied({request->id, AppendReply{{{"t", hastur::Run{1}, Sequence{1}, came - 1}}}}, 0s)
            .value());
  }
  EXPECT_EQ(came, count);
  EXPECT_EQ(store->outbox_size(), 0u);
}

TEST_F(OutputGateTest, IsFullBeforeWhatWaitsFillsTheMemory) {
  const std::string large(1u << 20, 'x');
  std::uint32_t taken = 0;
  for (; !gate.is_full() && taken < 1'000; ++taken)
    gate.add_effect("t", hastur::Run{1}, {Sequence{1}, taken, {}, EffectKind::message, 1, large});
  EXPECT_EQ(taken, 256u);
  ASSERT_TRUE(gate.commit());
  EXPECT_FALSE(gate.is_full());
}

TEST_F(OutputGateTest, WaitsAfterARefusalForTheTimeBeing) {
  gate.granted(Epoch{1}, {"t"});
  emit(1);
  ASSERT_TRUE(gate.commit());
  const auto request = gate.request(0s, next_request);
  EXPECT_TRUE(
      gate.replied({request->id, RefusedReply{{ErrorCode::full, "the disk is full"}}}, 0s).value());
  EXPECT_FALSE(gate.request(500ms, next_request));
  EXPECT_TRUE(gate.request(1s, next_request));
}

TEST_F(OutputGateTest, SaysThatAnotherOwnerHasTheTriggers) {
  gate.granted(Epoch{1}, {"t"});
  emit(1);
  ASSERT_TRUE(gate.commit());
  const auto request = gate.request(0s, next_request);
  const auto taken = gate.replied({request->id, RefusedReply{{ErrorCode::stale, "passed on"}}}, 0s);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::stale);
}

}  // namespace
}  // namespace hastur
