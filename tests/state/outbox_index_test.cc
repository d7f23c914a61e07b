#include "state/outbox_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace hastur {
namespace {

TEST(OutboxIndex, AgreesWithAPlainListOnAnyOrderOfAcknowledgements) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    OutboxIndex index;
    std::vector<OutboxIndex::Row> plain;
    std::map<std::uint64_t, std::uint64_t> sequences;
    for (int step = 0; step < 400; ++step) {
      const std::uint64_t trigger = random() % 4;
      if (random() % 3 != 0) {
        const OutboxIndex::Row row{index.next_id(), trigger, {1}, {++sequences[trigger]}, 0};
        index.append(row);
        plain.push_back(row);
      } else {
        const Sequence up_to{random() % (sequences[trigger] + 1)};
        index.acknowledge(trigger, {1}, up_to, 0);
        std::erase_if(plain, [&](const auto& row) {
          return row.trigger == trigger && row.sequence <= up_to;
        });
      }
      ASSERT_EQ(index.size(), plain.size()) << "seed " << seed;
      const std::size_t skip = random() % 5;
      std::vector<std::uint64_t> expected;
      for (std::size_t at = skip; at < plain.size() && expected.size() < 7; ++at)
        expected.push_back(plain[at].id);
      ASSERT_EQ(index.ids(skip, 7), expected) << "seed " << seed;
    }
  }
}

TEST(OutboxIndex, OneThatIsNeverAcknowledgedDoesNotHoldTheOthers) {
  OutboxIndex index;
  index.append({index.next_id(), 1, {1}, {1}, 0});
  for (std::uint64_t at = 1; at <= 100'000; ++at) {
    index.append({index.next_id(), 2, {1}, {at}, 0});
    index.acknowledge(2, {1}, {at}, 0);
  }
  EXPECT_EQ(index.size(), 1u);
  EXPECT_EQ(index.ids(0, 10), std::vector<std::uint64_t>{1});
  EXPECT_EQ(index.removed().size(), 100'000u);
  index.forget_removed();
  EXPECT_TRUE(index.removed().empty());
}

}  // namespace
}  // namespace hastur
