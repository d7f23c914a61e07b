#include "supervisor/replay/comparison.h"

#include <gtest/gtest.h>

#include "tests/support/commit_builder.h"

namespace hastur {
namespace {

// Before the replay there were notifications of the inputs 20, 30 and 40; it asks for those of 20
// and 30 again, one in other words, and for one of 50.
TEST(Comparison, TellsNotificationsThatStayChangeComeAndGo) {
  auto store = make_memory_store();
  CommitBuilder before;
  before.start("a", 1, 10);
  for (const std::uint64_t sequence : {20, 30, 40}) before.notification("a", 1, sequence);
  before.checkpoint("a", 1, 60, "{}");
  CommitBatch batch = before.batch();
  ASSERT_TRUE(store->commit(batch));

  ReplayPlan plan;
  plan.triggers.emplace_back().stream.name = "a";
  plan.begin = Sequence{11};
  Comparison comparison(plan, *store);
  const auto asks = [&](std::uint64_t sequence, const std::string& payload) {
    Effect effect;
    effect.sequence = Sequence{sequence};
    effect.kind = EffectKind::notification;
    effect.payload = payload;
    comparison.take_now(0, effect.sequence, effect);
  };
  asks(20, R"({"kind":"page"})");
  asks(30, R"({"kind":"mail"})");
  asks(50, R"({"kind":"page"})");
  ASSERT_TRUE(comparison.take_notifications_before(Sequence{UINT64_MAX}));
  EXPECT_EQ(change_text("notification", comparison.notifications(0)),
            "3 notifications: 1 as before, 1 differs, 1 is new, 1 is gone");
}

}  // namespace
}  // namespace hastur
