#include <gtest/gtest.h>

#include <cstdlib>

#include "core/log.h"
#include "tests/simulation/world.h"

namespace hastur::test {
namespace {

// HASTUR_SEED runs one seed, HASTUR_SEEDS so many of each campaign; a sanitizer build runs a
// twentieth. The five campaigns have 2,000 seeds together.
std::pair<std::uint64_t, std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("HASTUR_SEED")) return {std::strtoull(one, nullptr, 10), 1};
  if (const char* many = std::getenv("HASTUR_SEEDS")) return {1, std::strtoull(many, nullptr, 10)};
#ifdef HASTUR_SANITIZED
  count /= 20;
#endif
  return {1, count};
}

void expect_one_pass(World& world) {
  ASSERT_EQ(world.nothing_went_before_its_commit(), "");
  EXPECT_EQ(world.states_equal_one_pass(), "");
  EXPECT_EQ(world.derived_messages_stand_exactly_once(), "");
  EXPECT_EQ(world.notifications_stand_exactly_once(), "");
  EXPECT_EQ(world.no_number_was_used_twice(), "");
  EXPECT_EQ(world.every_datagram_stands_once(), "");
}

// What the logic has to say of each crash is only wanted for one seed.
const bool quiet = [] {
  start_log("simulation", std::getenv("HASTUR_SEED") ? LogLevel::debug : LogLevel::error);
  return true;
}();

TEST(Simulation, KillsOfAnyProcessLeaveTheResultsOfOnePass) {
  const auto [first, count] = seeds(600);
  World::Seen sum;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    World world(seed, {});
    world.run();
    expect_one_pass(world);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    sum.kills += world.seen().kills;
    sum.worker_deaths += world.seen().worker_deaths;
    sum.derived += world.seen().derived;
    sum.notifications += world.seen().notifications;
    sum.dropped += world.seen().dropped;
    sum.pauses += world.seen().pauses;
    sum.aside += world.seen().aside;
    sum.digests += world.seen().digests;
    sum.late += world.seen().late;
  }
  // The campaign must have done what it is for.
  EXPECT_GT(sum.kills, count);
  EXPECT_GT(sum.worker_deaths, count);
  EXPECT_GT(sum.derived, count * 20);
  EXPECT_GT(sum.notifications, count * 10);
  EXPECT_GT(sum.dropped, count * 10);
  EXPECT_GT(sum.pauses, count * 2);
  EXPECT_GT(sum.aside, count);
  EXPECT_GT(sum.digests, count / 10);
  EXPECT_GE(sum.late, sum.digests);
}

TEST(Simulation, PowerCutsUnderSyncedLeaveTheResultsOfOnePass) {
  const auto [first, count] = seeds(500);
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    WorldOptions options;
    options.durability = Durability::synced;
    options.power_cuts = true;
    World world(seed, options);
    world.run();
    expect_one_pass(world);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    cuts += world.seen().power_cuts;
  }
  EXPECT_GT(cuts, count);
}

TEST(Simulation, PowerCutsAtDefaultDurabilityNeverUseANumberTwice) {
  const auto [first, count] = seeds(400);
  std::uint64_t lost = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    WorldOptions options;
    options.power_cuts = true;
    World world(seed, options);
    world.run();
    ASSERT_EQ(world.nothing_went_before_its_commit(), "");
    EXPECT_EQ(world.no_number_was_used_twice(), "");
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    lost += world.seen().lost_ranges;
  }
  if (count > 1) {
    EXPECT_GT(lost, 0u);
  }
}

TEST(Simulation, FullDisksLoseNothingThatWasCounted) {
  const auto [first, count] = seeds(250);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    WorldOptions options;
    options.full_disks = true;
    World world(seed, options);
    world.run();
    expect_one_pass(world);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(Simulation, DeploymentsAreWholeAndAtOneSequenceWhateverDies) {
  const auto [first, count] = seeds(250);
  World::Seen sum;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    WorldOptions options;
    options.deployments = true;
    World world(seed, options);
    world.run();
    expect_one_pass(world);
    EXPECT_EQ(world.what_runs_is_what_was_deployed(), "");
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    sum.deployments += world.seen().deployments;
    sum.refused += world.seen().refused;
    sum.rollbacks += world.seen().rollbacks;
    sum.renames += world.seen().renames;
    sum.gone_on += world.seen().gone_on;
  }
  // The campaign must have done what it is for.
  if (count < 40) return;
  EXPECT_GT(sum.deployments, count * 2);
  EXPECT_GT(sum.refused, count / 4);
  EXPECT_GT(sum.rollbacks, count / 4);
  EXPECT_GT(sum.renames, count / 4);
  EXPECT_GT(sum.gone_on, count / 4);
}

// What the campaign says of a world with a planted bug, at the first seed of `count` that it finds
// it with.
std::string finding(Planted bug, std::uint64_t count) {
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    WorldOptions options;
    options.planted = bug;
    World world(seed, options);
    world.run();
    std::string found = world.nothing_went_before_its_commit();
    if (found.empty()) found = world.states_equal_one_pass();
    if (found.empty()) found = world.derived_messages_stand_exactly_once();
    if (found.empty()) found = world.notifications_stand_exactly_once();
    if (!found.empty()) return found;
  }
  return "";
}

TEST(PlantedBug, ReleaseBeforeCommitIsFound) {
  const std::string found = finding(Planted::release_before_commit, 10);
  EXPECT_NE(found.find("before that was committed"), std::string::npos) << found;
}

TEST(PlantedBug, ACheckpointWithTheWrongSequenceIsFound) {
  EXPECT_NE(finding(Planted::wrong_sequence, 10), "");
}

TEST(PlantedBug, EffectsThatAreNotComparedAreFound) {
  EXPECT_NE(finding(Planted::effects_not_compared, 10), "");
}

TEST(PlantedBug, ADecisionThatIsJournalledAfterItTookEffectIsFound) {
  EXPECT_NE(finding(Planted::decisions_late, 40), "");
}

TEST(PlantedBug, MarksOutsideOfTheAppendsTransactionAreFound) {
  const std::string found = finding(Planted::marks_apart, 40);
  EXPECT_NE(found.find("derived"), std::string::npos) << found;
}

TEST(Simulation, FindsAWorkerThatIsNotDeterministic) {
  bool found = false;
  for (std::uint64_t seed = 1; seed < 20 && !found; ++seed) {
    World world(seed, {});
    world.bugs.workers_forget_determinism = true;
    world.run();
    found = !world.states_equal_one_pass().empty();
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace hastur::test
