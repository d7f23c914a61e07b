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
