#include "trigger-runtime/host/worker.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

#include "core/json.h"
#include "tests/trigger-runtime/host/driver.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {
namespace {

using testing::beside_us;
using testing::Driver;
using testing::full_feed;
using testing::load_of;
using testing::numbered_input;

class WorkerTest : public ::testing::Test {
 protected:
  std::unique_ptr<SharedInputs> inputs_ = std::move(*SharedInputs::make(16u << 20));

  Driver spawn(Worker::Options options = {}) {
    if (options.binary.empty()) options.binary = beside_us("fake_worker");
    auto worker = Worker::spawn(*inputs_, options);
    HASTUR_CHECK(worker.has_value(), "the fake worker does not start");
    return Driver(std::move(*worker));
  }

  // What becomes of a worker whose trigger 1 does this when it is fed rows 100…103 beside an honest
  // trigger 2.
  Driver fed(const std::string& does, Worker::Options options = {}) {
    Driver driver = spawn(options);
    driver.worker().send(load_of(1, does));
    driver.worker().send(load_of(2, "honest"));
    driver.worker().send(FeedCommand{numbered_input(100, 4), {full_feed(1, 4), full_feed(2, 4)}});
    driver.worker().send(JudgeCommand{{2}});
    driver.run_until(4);
    return driver;
  }
};

TEST_F(WorkerTest, AnswersEveryCommandOnceInOrder) {
  Driver driver = fed("honest");
  ASSERT_FALSE(driver.death()) << driver.death()->why;
  ASSERT_EQ(driver.replies().size(), 4u);
  EXPECT_EQ(std::get<Loaded>(driver.replies()[0]).handle, TriggerHandle{1});
  EXPECT_EQ(std::get<Loaded>(driver.replies()[1]).handle, TriggerHandle{2});
  const auto& feed = std::get<FeedReply>(driver.replies()[2]);
  ASSERT_EQ(feed.triggers.size(), 2u);
  EXPECT_EQ(feed.triggers[1].effects.size(), 4u);
  EXPECT_EQ(feed.triggers[1].effects[3].sequence, Sequence{103});
  EXPECT_EQ(std::get<Judged>(driver.replies()[3]).memory.sequence, Sequence{103});
  EXPECT_EQ(driver.worker().pending(), 0u);
}

TEST_F(WorkerTest, ReportsAFailedLoadAsAReply) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, "fails_to_load"));
  driver.run_until(1);
  ASSERT_FALSE(driver.death());
  EXPECT_EQ(std::get<LoadFailed>(driver.replies()[0]).error.line, 1u);
}

TEST_F(WorkerTest, CarriesMoreCommandsAndBytesThanFitAtOnce) {
  Driver one = spawn();
  Driver two = spawn();
  constexpr std::size_t feeds = 200;
  for (Driver* driver : {&one, &two}) driver->worker().send(load_of(1, "honest"));
  std::uint64_t first = 1;
  for (std::size_t i = 0; i < feeds; ++i, first += 4) {
    // A third of the input memory each; every other one is shared by both.
    const auto input = numbered_input(first, 4, std::string(5u << 20, 'b'));
    one.worker().send(FeedCommand{input, {full_feed(1, 4)}});
    two.worker().send(
        FeedCommand{i % 2 == 0 ? input : numbered_input(first, 4), {full_feed(1, 4)}});
  }
  // Each may wait for memory that the other holds, so both are pumped in turn.
  while (one.replies().size() <= feeds || two.replies().size() <= feeds) {
    one.pump_within(std::chrono::milliseconds{1});
    two.pump_within(std::chrono::milliseconds{1});
    ASSERT_FALSE(one.death() || two.death());
  }
}

TEST_F(WorkerTest, ReusesItsOutputMemory) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, "replies_at_length"));
  // More than the output memory in all.
  for (std::uint64_t i = 0; i < 400; ++i) {
    driver.worker().send(FeedCommand{numbered_input(1 + 4 * i, 4), {full_feed(1, 4)}});
  }
  driver.run_until(401);
  ASSERT_FALSE(driver.death()) << driver.death()->why;
}

TEST_F(WorkerTest, ReusesItsOutputMemoryForOneCommandAtATimeAndIsWokenOnlyForCommands) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, "replies_at_length"));
  driver.worker().send(load_of(2, "counts_what_wakes_it"));
  driver.run_until(2);
  // What it was sent until now came while it was busy.
  driver.worker().send(ObserveCommand{{2}, ObserveCommand::What::nothing});
  driver.run_until(3);
  for (std::uint64_t i = 0; i < 400; ++i) {
    driver.worker().send(FeedCommand{numbered_input(1 + 4 * i, 4), {full_feed(1, 4)}});
    driver.run_until(4 + i);
  }
  driver.worker().send(ObserveCommand{{2}, ObserveCommand::What::nothing});
  driver.run_until(404);
  ASSERT_FALSE(driver.death()) << driver.death()->why;
  EXPECT_EQ(std::get<Observed>(driver.replies().back()).json,
            std::get<Observed>(driver.replies()[2]).json);
}

TEST_F(WorkerTest, IsToldThatThereIsRoomWhenNothingElseIsLeftToSay) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, "replies_at_great_length"));
  // Each reply needs over half of the output memory.
  driver.worker().send(FeedCommand{numbered_input(1, 140), {full_feed(1, 140)}});
  driver.worker().send(FeedCommand{numbered_input(141, 140), {full_feed(1, 140)}});
  driver.run_until(3);
  ASSERT_FALSE(driver.death()) << driver.death()->why;
}

TEST_F(WorkerTest, IsGivenUpForACommandThatNeverFits) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, std::string(17u << 20, 'x')));
  driver.run_until_dead();
  EXPECT_NE(driver.death()->why.find("input memory has only"), std::string::npos);
}

// Each is a way to break the protocol, and a part of the reason that is given.
struct Breach {
  const char* does;
  const char* why;
};
class HostileWorker : public WorkerTest, public ::testing::WithParamInterface<Breach> {};

TEST_F(WorkerTest, WhatItObservesIsCheckedToo) {
  for (const char* does : {"observes_another", "observes_garbage"}) {
    Driver driver = spawn();
    driver.worker().send(load_of(1, does));
    driver.worker().send(ObserveCommand{{1}, ObserveCommand::What::calls});
    driver.run_until_dead();
    EXPECT_NE(driver.death()->why.find("observe"), std::string::npos) << driver.death()->why;
  }
}

TEST_P(HostileWorker, IsKilledAndNothingOfItsReplyIsUsed) {
  Driver driver = fed(GetParam().does);
  ASSERT_TRUE(driver.death());
  EXPECT_NE(driver.death()->why.find(GetParam().why), std::string::npos) << driver.death()->why;
  for (const WorkerReply& reply : driver.replies()) {
    EXPECT_TRUE(std::holds_alternative<Loaded>(reply) ||
                std::string_view(GetParam().does) == "answers_twice");
  }
  EXPECT_EQ(kill(driver.worker().pid(), 0), -1);
  EXPECT_EQ(driver.worker().pending(), 0u);
  // A dead worker takes commands and forgets them.
  driver.worker().send(JudgeCommand{{2}});
  EXPECT_EQ(driver.worker().pending(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Breaches, HostileWorker,
    ::testing::Values(
        Breach{"says_garbage", "not a notice"}, Breach{"says_too_much", "too large"},
        Breach{"says_hello_again", "hello twice"}, Breach{"points_outside", "outside its memory"},
        Breach{"points_at_its_status", "outside its memory"},
        Breach{"answers_the_next", "nobody asked"}, Breach{"answers_twice", "nobody asked"},
        Breach{"replies_garbage", "not well-formed"}, Breach{"counts_too_high", "not well-formed"},
        Breach{"speaks_for_another", "not fed"}, Breach{"leaves_one_out", "each trigger"},
        Breach{"speaks_of_the_past", "effect is of an input"},
        Breach{"speaks_of_the_future", "effect is of an input"},
        Breach{"overreaches", "reached inputs"}, Breach{"lies_about_time", "effect is of an input"},
        Breach{"repeats_an_ordinal", "not in order"}, Breach{"reorders", "not in order"},
        Breach{"pays_in_garbage", "no JSON"}, Breach{"pays_in_no_object", "no JSON"},
        Breach{"pays_too_much", "no JSON"}, Breach{"derives_too_deep", "depth"},
        Breach{"judges_the_future", "judged memory"}, Breach{"judges_no_state", "judged memory"},
        Breach{"errs_elsewhere", "error is of an input"}, Breach{"stops_elsewhere", "it stopped"},
        Breach{"unloads_instead", "not asked to unload"},
        Breach{"loads_another", "not asked to load"},
        Breach{"subscribes_with_garbage", "a filter is none"},
        Breach{"asks_for_too_much_state", "above the ceiling"},
        Breach{"migrates_unasked", "not asked to"}, Breach{"names_nothing", "former name"}),
    [](const auto& breach) { return std::string(breach.param.does); });

// It would be told to skip the call again, and so on for ever.
TEST_F(WorkerTest, IsKilledIfItStopsInACallThatItWasToSkip) {
  for (const std::uint32_t skipped : {2u, 3u}) {
    Driver driver = spawn();
    driver.worker().send(load_of(1, "stops_where_it_skips"));
    TriggerFeed feed = full_feed(1, 4);
    feed.skips = {{Sequence{100}, skipped, {}}};
    driver.worker().send(FeedCommand{numbered_input(100, 4), {feed}});
    if (skipped == 2) {
      driver.run_until(2);
      EXPECT_FALSE(driver.death());
    } else {
      driver.run_until_dead();
      EXPECT_NE(driver.death()->why.find("told to skip"), std::string::npos);
    }
  }
}

TEST_F(WorkerTest, IsKilledForAJudgementOfAnotherPlace) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, "judges_elsewhere"));
  driver.worker().send(JudgeCommand{{1}});
  driver.run_until_dead();
  EXPECT_NE(driver.death()->why.find("another place"), std::string::npos);
}

TEST_F(WorkerTest, TellsWhatItWasAtWhenItDied) {
  Driver driver = fed("aborts");
  ASSERT_TRUE(driver.death());
  EXPECT_NE(driver.death()->why.find("killed by signal 6"), std::string::npos);
  EXPECT_NE(driver.death()->why.find("the ground is gone"), std::string::npos);
  EXPECT_EQ(driver.death()->trigger, TriggerHandle{1});
  EXPECT_EQ(driver.death()->sequence, Sequence{100});
  EXPECT_EQ(driver.death()->callback, 5u);
  EXPECT_EQ(driver.replies().size(), 2u);
}

// What a reply says of a trigger is about inputs that it was handed, in order.
void expect_allowed(const TriggerProgress& progress, std::uint32_t handle) {
  EXPECT_EQ(progress.handle, TriggerHandle{handle});
  EXPECT_GE(progress.reached, Sequence{99});
  EXPECT_LE(progress.reached, Sequence{103});
  std::pair<Sequence, std::uint32_t> before{};
  for (const Effect& effect : progress.effects) {
    EXPECT_GE(effect.sequence, Sequence{100});
    EXPECT_LE(effect.sequence, progress.reached);
    EXPECT_EQ(effect.time, time_from_us(static_cast<std::int64_t>(effect.sequence.value) * 1000));
    EXPECT_LT(before, std::pair(effect.sequence, effect.ordinal + 1));
    before = {effect.sequence, effect.ordinal + 1};
    EXPECT_TRUE(parse_json(effect.payload).has_value());
  }
  for (const CallError& error : progress.errors) EXPECT_LE(error.sequence, progress.reached);
  if (progress.judged) {
    EXPECT_LE(progress.judged->sequence, progress.reached);
    EXPECT_TRUE(parse_json(progress.judged->state).has_value());
  }
}

TEST_F(WorkerTest, IsBelievedOnlyWithinItsBoundsWhateverItWrites) {
#ifdef HASTUR_SANITIZED
  constexpr std::uint64_t seeds = 50;
#else
  constexpr std::uint64_t seeds = 1'000;
#endif
  Driver neighbour = spawn();
  neighbour.worker().send(load_of(3, "honest"));
  neighbour.run_until(1);
  std::uint64_t believed = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE(seed);
    Driver driver = fed("mutates " + std::to_string(seed));
    if (!driver.death()) {
      ++believed;
      EXPECT_EQ(driver.worker().pending(), 0u);
    } else if (driver.death()->trigger) {
      EXPECT_TRUE(*driver.death()->trigger == TriggerHandle{1} ||
                  *driver.death()->trigger == TriggerHandle{2});
    }
    for (const WorkerReply& reply : driver.replies()) {
      const auto* feed = std::get_if<FeedReply>(&reply);
      if (feed == nullptr) continue;
      ASSERT_EQ(feed->triggers.size(), 2u);
      expect_allowed(feed->triggers[0], 1);
      expect_allowed(feed->triggers[1], 2);
    }
    // Who was not in its hands goes on.
    neighbour.worker().send(FeedCommand{numbered_input(4 * seed, 4), {full_feed(3, 4)}});
    neighbour.run_until(1 + seed);
    ASSERT_FALSE(neighbour.death());
    const auto& progress = std::get<FeedReply>(neighbour.replies().back()).triggers.at(0);
    EXPECT_EQ(progress.handle, TriggerHandle{3});
    EXPECT_EQ(progress.effects.size(), 4u);
  }
  // Some changes are within bounds, such as another ordinal or payload; most are not.
#ifndef HASTUR_SANITIZED
  EXPECT_GT(believed, 0u);
#endif
  EXPECT_LT(believed, seeds / 2);
}

TEST_F(WorkerTest, CannotChangeItsInputs) {
  const Driver tampering = fed("tampers_with_its_inputs");
  EXPECT_FALSE(tampering.death()) << tampering.death()->why;
  const Driver writing = fed("writes_its_inputs");
  ASSERT_TRUE(writing.death());
  EXPECT_EQ(writing.replies().size(), 2u);
#ifndef HASTUR_SANITIZED
  EXPECT_NE(writing.death()->why.find("killed by signal 11"), std::string::npos);
#endif
}

TEST_F(WorkerTest, DiesAtEachPointWithoutHarm) {
  EXPECT_NE(fed("exits").death()->why.find("ended with status 3"), std::string::npos);
  EXPECT_NE(fed("exits_at_load").death()->why.find("ended with status 3"), std::string::npos);
  EXPECT_NE(fed("closes_its_channel").death()->why.find("killed by signal 9"), std::string::npos);
  EXPECT_NE(fed("says_nothing_at_all").death()->why.find("killed by signal 9"), std::string::npos);
}

TEST_F(WorkerTest, IsKilledForACallbackThatTakesTooLong) {
  Worker::Options options;
  options.callback_cpu_max = std::chrono::milliseconds{50};
  const Driver driver = fed("spins", options);
  ASSERT_TRUE(driver.death());
  EXPECT_EQ(driver.death()->why, "it used more than 50ms of CPU in one callback");
  EXPECT_EQ(driver.death()->trigger, TriggerHandle{1});
  EXPECT_EQ(driver.death()->callback, 5u);
}

TEST_F(WorkerTest, IsKilledWhenItStandsStill) {
  Worker::Options options;
  options.callback_cpu_max = std::chrono::milliseconds{200};
  options.silent_max = std::chrono::milliseconds{300};
  Driver driver = spawn(options);
  driver.worker().send(load_of(1, "honest"));
  driver.run_until(1);
  ASSERT_EQ(kill(driver.worker().pid(), SIGSTOP), 0);
  driver.worker().send(JudgeCommand{{1}});
  driver.run_until(2);
  ASSERT_TRUE(driver.death());
  EXPECT_EQ(driver.death()->why, "it has not answered for 300ms and did nothing meanwhile");
  EXPECT_EQ(driver.death()->cause, WorkerDied::Cause::ended);
}

TEST_F(WorkerTest, GuardsOnlyWhileItIsBusy) {
  Driver driver = spawn();
  driver.worker().send(load_of(1, "honest"));
  driver.run_until(1);
  EXPECT_EQ(driver.worker().next_check(Micros{0}), std::nullopt);
  driver.worker().send(JudgeCommand{{1}});
  EXPECT_NE(driver.worker().next_check(Micros{0}), std::nullopt);
}

TEST_F(WorkerTest, GivesItsInputsBackWhenItDies) {
  // Two thirds of the input memory, in one worker's hands at a time.
  for (int i = 0; i < 3; ++i) {
    Driver driver = spawn();
    driver.worker().send(load_of(1, "exits"));
    driver.worker().send(
        FeedCommand{numbered_input(1, 4, std::string(10u << 20, 'b')), {full_feed(1, 4)}});
    driver.run_until_dead();
    EXPECT_EQ(driver.replies().size(), 1u);
  }
  // And when its owner drops it.
  for (int i = 0; i < 3; ++i) {
    Driver driver = spawn();
    driver.worker().send(load_of(1, "sleeps"));
    driver.worker().send(
        FeedCommand{numbered_input(1, 4, std::string(10u << 20, 'b')), {full_feed(1, 4)}});
    driver.run_until(1);
  }
}

TEST_F(WorkerTest, OfAnotherBuildIsRefused) {
  Worker::Options options;
  options.binary = beside_us("fake_worker_old");
  EXPECT_NE(fed("honest", options).death()->why.find("of another build"), std::string::npos);
}

TEST_F(WorkerTest, WithoutItsCageIsRefusedWhereTheCageIsRequired) {
  Worker::Options options;
  options.binary = beside_us("fake_worker_uncaged");
  EXPECT_FALSE(fed("honest", options).death());
  options.cage_required = true;
  EXPECT_EQ(fed("honest", options).death()->why,
            "its cage is incomplete, and sandbox is \"required\": no Landlock");
}

TEST_F(WorkerTest, ThatDoesNotExistIsAnError) {
  Worker::Options options;
  options.binary = "/nowhere/trigger-worker";
  const auto worker = Worker::spawn(*inputs_, options);
  ASSERT_FALSE(worker);
  EXPECT_NE(worker.error().message.find("/nowhere/trigger-worker"), std::string::npos);
}

TEST_F(WorkerTest, DiesWithItsParent) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    Driver driver = spawn();
    driver.worker().send(load_of(1, "honest"));
    driver.run_until(1);
    const pid_t worker = driver.worker().pid();
    if (write(ends[1], &worker, sizeof(worker)) < 0) _exit(1);
    kill(getpid(), SIGKILL);
  }
  pid_t worker = 0;
  ASSERT_EQ(read(ends[0], &worker, sizeof(worker)), static_cast<ssize_t>(sizeof(worker)));
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  // Orphaned to this process by now.
  int status = 0;
  ASSERT_EQ(waitpid(worker, &status, 0), worker);
  // By the signal, or by itself when it finds its channel closed first.
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace hastur
