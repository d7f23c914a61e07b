#include "syndicator/syndicator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/syndicator/syndicator_driver.h"

namespace hastur {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view gauge = R"({"type":"gauge","name":"a","value":1})";
const OwnerId mine{{1}};
const OwnerId other{{2}};

DerivedMessage derived(std::uint64_t run, std::uint64_t sequence, std::uint32_t ordinal,
                       std::uint8_t depth = 1, TriggerName trigger = "t") {
  return {std::move(trigger),
          {run},
          {sequence},
          ordinal,
          depth,
          fmt::format(R"({{"type":"gauge","name":"d","value":{},"timestamp":1704067200000000}})",
                      sequence)};
}

Epoch leases(SyndicatorDriver& driver, const OwnerId& owner, std::vector<TriggerName> names) {
  driver.asks("lessee", 1, LeaseRequest{owner, std::move(names)});
  driver.turn();
  const auto reply = driver.reply<LeaseReply>("lessee", 1);
  EXPECT_TRUE(reply);
  return reply ? reply->epoch : Epoch{0};
}

ErrorCode lease_refusal(SyndicatorDriver& driver, const OwnerId& owner,
                        std::vector<TriggerName> names) {
  driver.asks("lessee", 2, LeaseRequest{owner, std::move(names)});
  driver.turn();
  const auto reply = driver.reply<RefusedReply>("lessee", 2);
  EXPECT_TRUE(reply);
  return reply ? reply->error.code : ErrorCode::failed;
}

// An older copy of the newest file was put in its place.
TEST(Syndicator, GoesOnBehindWhatASupervisorHasSeen) {
  SyndicatorDriver driver;
  for (int i = 0; i < 5; ++i) driver.hears(gauge);
  driver.turn();
  const Sequence ends_at = driver.history.last();
  const auto asks = [&](const StreamId& stream, Sequence seen) {
    driver.asks("lessee", 1, LeaseRequest{mine, {"t"}, stream, seen});
    driver.turn();
    EXPECT_TRUE(driver.reply<LeaseReply>("lessee", 1));
  };
  asks(driver.history.stream(), ends_at);
  asks(StreamId{{9}}, Sequence{1'000});
  asks(driver.history.stream(), Sequence{~std::uint64_t{0}});
  EXPECT_EQ(driver.history.last(), ends_at) << "it was not set back";

  asks(driver.history.stream(), Sequence{1'000});
  const Sequence goes_on_after = driver.history.last();
  EXPECT_EQ(goes_on_after, Sequence{1'000}.plus(numbers_skipped));
  EXPECT_EQ(*driver.history.lost({1}, goes_on_after),
            (std::vector<LostRange>{{ends_at.next(), goes_on_after, "set_back"}}));
  driver.published.clear();
  driver.hears(gauge);
  driver.turn();
  ASSERT_EQ(driver.published.size(), 1u);
  EXPECT_EQ(driver.published[0].header.first, goes_on_after.next());
  asks(driver.history.stream(), Sequence{1'000});
  EXPECT_EQ(driver.history.last(), goes_on_after.next()) << "once";
}

TEST(Syndicator, WhatIsHeldGoesBehindWhatASupervisorHasSeenToo) {
  SyndicatorDriver driver;
  driver.history.fails_with(ErrorCode::full);
  driver.hears(gauge);
  driver.turn();
  driver.hears(gauge);
  driver.turn();
  driver.history.works_again();
  driver.asks("lessee", 1, LeaseRequest{mine, {"t"}, driver.history.stream(), Sequence{1'000}});
  driver.passes(seconds{1});
  ASSERT_FALSE(driver.published.empty());
  EXPECT_EQ(driver.published[0].header.first, Sequence{1'001}.plus(numbers_skipped));
  EXPECT_GE(driver.history.last(), Sequence{1'002}.plus(numbers_skipped));
}

TEST(Syndicator, AppendsDerivedMessagesWithTheirOrigin) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  driver.asks("p", 5, AppendRequest{mine, epoch, {derived(1, 7, 0), derived(1, 7, 1, 3)}});
  EXPECT_FALSE(driver.reply<AppendReply>("p", 5)) << "answered once History has them";
  driver.turn();
  const auto reply = driver.reply<AppendReply>("p", 5);
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->marks.size(), 1u);
  EXPECT_EQ(reply->marks[0].trigger, "t");
  EXPECT_EQ(reply->marks[0].sequence, Sequence{7});
  EXPECT_EQ(reply->marks[0].ordinal, 1u);
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0]["origin"]["trigger"], "t");
  EXPECT_EQ(messages[0]["origin"]["depth"], 1);
  EXPECT_EQ(messages[1]["origin"]["depth"], 3);
  EXPECT_EQ(messages[0]["uuid"], trigger_uuid("t"));
  EXPECT_EQ(messages[0]["timestamp"], 1'704'067'200'000'000) << "as given";
  EXPECT_EQ(driver.counter("appended"), 2u);
  EXPECT_EQ(driver.counter("received"), 0u);
}

TEST(Syndicator, ADerivedMessageHasNoHostNameWhoeverRegistersOne) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  driver.hears(
      fmt::format(R"({{"type":"reg_agent","hostname":"liar","uuid":"{}"}})", trigger_uuid("t")));
  driver.hears(
      fmt::format(R"({{"type":"mark","name":"m","value":null,"uuid":"{}"}})", trigger_uuid("t")));
  driver.turn();
  DerivedMessage registers = derived(1, 7, 1);
  registers.json = R"({"type":"reg_agent","hostname":"other","timestamp":1704067200000000})";
  DerivedMessage named = derived(1, 7, 2);
  named.json.insert(1, R"("hostname":"own",)");
  driver.asks("p", 5, AppendRequest{mine, epoch, {derived(1, 7, 0), registers, named}});
  driver.turn();
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[1]["hostname"], "liar");
  EXPECT_FALSE(messages[2].contains("hostname"));
  EXPECT_FALSE(messages[4].contains("hostname"));
  EXPECT_EQ(driver.history.hostname(trigger_uuid("t")), "liar") << "nor does it register one";
}

TEST(Syndicator, AppendsEachDerivedMessageOnceHoweverOftenItComes) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t", "u"});
  const AppendRequest request{
      mine, epoch, {derived(1, 7, 0), derived(1, 7, 1), derived(1, 3, 0, 1, "u")}};
  driver.asks("p", 1, request);
  driver.asks("p", 2, request);
  driver.turn();
  driver.asks("p", 3, request);
  driver.turn();
  driver.restart();
  driver.asks("q", 4, request);
  driver.asks("q", 5,
              AppendRequest{mine, epoch, {derived(1, 6, 9), derived(1, 8, 0), derived(2, 1, 0)}});
  driver.turn();
  ASSERT_TRUE(driver.reply<AppendReply>("q", 4));
  const auto reply = driver.reply<AppendReply>("q", 5);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->marks[0].run, hastur::Run{2});
  EXPECT_EQ(driver.counter("appended"), 5u);
  EXPECT_EQ(driver.messages().size(), 5u);
}

TEST(Syndicator, RefusesWhatIsDerivedTooOftenWithoutHoldingUpTheRest) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  driver.asks(
      "p", 1,
      AppendRequest{mine, epoch, {derived(1, 1, 0, 8), derived(1, 1, 1, 9), derived(1, 1, 2, 1)}});
  driver.turn();
  ASSERT_TRUE(driver.reply<AppendReply>("p", 1));
  EXPECT_EQ(driver.messages().size(), 2u);
  EXPECT_EQ(driver.counter("refused.derived_depth"), 1u);
}

TEST(Syndicator, ADerivedMessageThatCannotBeDecodedIsCountedAndPassed) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  DerivedMessage broken = derived(1, 1, 0);
  broken.json = "{";
  driver.asks("p", 1, AppendRequest{mine, epoch, {broken, derived(1, 1, 1)}});
  driver.turn();
  ASSERT_TRUE(driver.reply<AppendReply>("p", 1));
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0]["type"], "error");
  EXPECT_EQ(messages[1]["name"], "d");
}

TEST(Syndicator, RefusesAnAppendWithoutLeaseOrOfAnOldEpoch) {
  SyndicatorDriver driver;
  driver.asks("p", 1, AppendRequest{mine, {1}, {derived(1, 1, 0)}});
  EXPECT_EQ(leases(driver, mine, {"t"}), Epoch{1});
  ASSERT_TRUE(driver.reply<RefusedReply>("p", 1));
  EXPECT_EQ(driver.reply<RefusedReply>("p", 1)->error.code, ErrorCode::stale);

  // It falls silent; another takes over, and it comes back.
  driver.passes(lease_span + seconds{1});
  EXPECT_EQ(leases(driver, other, {"t"}), Epoch{2});
  driver.asks("p", 2, AppendRequest{mine, {1}, {derived(1, 1, 0)}});
  driver.turn();
  ASSERT_TRUE(driver.reply<RefusedReply>("p", 2));
  EXPECT_EQ(driver.reply<RefusedReply>("p", 2)->error.code, ErrorCode::stale);
  EXPECT_EQ(driver.messages().size(), 0u) << "nothing of it was appended";
  driver.asks("p", 3, AppendRequest{other, {2}, {derived(1, 1, 0)}});
  driver.turn();
  EXPECT_TRUE(driver.reply<AppendReply>("p", 3));
}

TEST(Syndicator, AnExpiredLeaseThatNobodyTookIsStillGood) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  driver.passes(lease_span * 3);
  driver.asks("p", 2, AppendRequest{mine, epoch, {derived(1, 1, 0)}});
  driver.turn();
  EXPECT_TRUE(driver.reply<AppendReply>("p", 2));
  EXPECT_EQ(leases(driver, mine, {"t"}), epoch);
}

TEST(Syndicator, GrantsAllNamesOrNone) {
  SyndicatorDriver driver;
  leases(driver, mine, {"a"});
  EXPECT_EQ(lease_refusal(driver, other, {"b", "a"}), ErrorCode::conflict);
  EXPECT_EQ(lease_refusal(driver, other, {"no//name"}), ErrorCode::invalid);
  driver.asks("p", 1, AppendRequest{other, {9}, {derived(1, 1, 0, 1, "b")}});
  driver.turn();
  EXPECT_TRUE(driver.reply<RefusedReply>("p", 1)) << "b was not granted with the rest refused";
}

TEST(Syndicator, ALeaseIsRenewedByAskingAgain) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"a"});
  for (int i = 0; i < 5; ++i) {
    driver.passes(lease_span - seconds{1});
    EXPECT_EQ(leases(driver, mine, {"a"}), epoch);
    EXPECT_EQ(lease_refusal(driver, other, {"a"}), ErrorCode::conflict);
  }
  // A name more is a new epoch; what comes with the one before stands for the names held before.
  const Epoch more = leases(driver, mine, {"a", "t"});
  EXPECT_GT(more, epoch);
  driver.asks("p", 1, AppendRequest{mine, epoch, {derived(1, 1, 0, 1, "a")}});
  driver.asks("p", 2, AppendRequest{mine, epoch, {derived(1, 1, 0)}});
  driver.asks("p", 3, AppendRequest{mine, more, {derived(1, 1, 0), derived(1, 1, 1, 1, "a")}});
  driver.turn();
  EXPECT_TRUE(driver.reply<AppendReply>("p", 1));
  EXPECT_TRUE(driver.reply<RefusedReply>("p", 2));
  EXPECT_TRUE(driver.reply<AppendReply>("p", 3));
}

TEST(Syndicator, EpochsAndLeasesSurviveARestart) {
  SyndicatorDriver driver;
  leases(driver, mine, {"t"});
  driver.restart();
  EXPECT_EQ(lease_refusal(driver, other, {"t"}), ErrorCode::conflict)
      << "its holder may just not have come back";
  driver.passes(lease_span + seconds{1});
  EXPECT_EQ(leases(driver, other, {"t"}), Epoch{2});
}

TEST(Syndicator, GrantsNothingThatItCannotKeep) {
  SyndicatorDriver driver;
  driver.history.fails_with(ErrorCode::full);
  EXPECT_EQ(lease_refusal(driver, mine, {"t"}), ErrorCode::full);
  driver.history.works_again();
  EXPECT_EQ(leases(driver, other, {"t"}), Epoch{1});
}

TEST(Syndicator, ALeaseTellsTheLastMark) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  driver.asks("p", 1, AppendRequest{mine, epoch, {derived(4, 9, 2)}});
  driver.turn();
  driver.asks("p", 2, LeaseRequest{mine, {"t"}});
  driver.turn();
  const auto reply = driver.reply<LeaseReply>("p", 2);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->marks[0].run, hastur::Run{4});
  EXPECT_EQ(reply->marks[0].ordinal, 2u);
}

TEST(Syndicator, WhileHistoryFailsAppendsAreToBeSentAgain) {
  SyndicatorDriver driver;
  const Epoch epoch = leases(driver, mine, {"t"});
  driver.history.fails_with(ErrorCode::full);
  driver.asks("p", 1, AppendRequest{mine, epoch, {derived(1, 1, 0)}});
  driver.turn();
  ASSERT_TRUE(driver.reply<RefusedReply>("p", 1));
  EXPECT_EQ(driver.reply<RefusedReply>("p", 1)->error.code, ErrorCode::unavailable);
  driver.asks("p", 2, AppendRequest{mine, epoch, {derived(1, 1, 0), derived(1, 1, 1)}});
  driver.turn();
  EXPECT_TRUE(driver.reply<RefusedReply>("p", 2));
  driver.history.works_again();
  driver.passes(seconds{1});
  driver.asks("p", 3, AppendRequest{mine, epoch, {derived(1, 1, 0), derived(1, 1, 1)}});
  driver.turn();
  EXPECT_TRUE(driver.reply<AppendReply>("p", 3));
  EXPECT_EQ(driver.messages().size(), 2u) << "once each";
}

TEST(Syndicator, SaysForHowLongHistoryCannotBeWritten) {
  SyndicatorDriver driver;
  const auto failing = [&](std::uint64_t id) {
    driver.asks("p", id, PositionRequest{});
    driver.turn();
    return driver.reply<PositionReply>("p", id)->history_failing();
  };
  EXPECT_FALSE(failing(1));
  driver.history.fails_with(ErrorCode::full);
  driver.hears(gauge);
  driver.turn();
  driver.passes(seconds{7});
  ASSERT_TRUE(failing(2));
  EXPECT_GE(*failing(3), seconds{7});
  driver.history.works_again();
  driver.passes(seconds{2});
  driver.turn();
  EXPECT_FALSE(failing(4));
}

TEST(Syndicator, TellsWhereTheStreamStands) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  driver.asks("p", 1, PositionRequest{});
  driver.turn();
  const auto position = driver.reply<PositionReply>("p", 1);
  ASSERT_TRUE(position);
  EXPECT_EQ(position->stream, driver.history.stream());
  EXPECT_EQ(position->last, Sequence{2});
  EXPECT_EQ(position->oldest, Sequence{1});
  EXPECT_EQ(position->stream_time, driver.clock.now());
  EXPECT_EQ(position->counters.at("received"), 1u);
}

// Sequences that reads of this request were sent, and lost.
struct Sent {
  std::vector<std::uint64_t> got;
  std::vector<LostReply> lost;
  std::optional<ReadEnd> end;
  int batches = 0;
};
Sent sent_to(const SyndicatorDriver& driver, const Peer& peer, std::uint64_t id) {
  Sent sent;
  for (const auto& reply : driver.replies) {
    if (reply.peer != peer || reply.frame.id != RequestId{id}) continue;
    if (const auto* batch = std::get_if<BatchReply>(&reply.frame.reply)) {
      ++sent.batches;
      for (std::uint32_t i = 0; i < batch->batch.header.count; ++i) {
        sent.got.push_back(batch->batch.header.first.plus(i).value);
      }
    } else if (const auto* lost = std::get_if<LostReply>(&reply.frame.reply)) {
      sent.lost.push_back(*lost);
    } else if (const auto* end = std::get_if<ReadEnd>(&reply.frame.reply)) {
      sent.end = *end;
    }
  }
  return sent;
}

void fill(SyndicatorDriver& driver, int batches) {
  for (int i = 0; i < batches; ++i) {
    driver.hears(gauge);
    driver.turn();
  }
}

ReadRequest read_from(std::uint64_t from, std::uint32_t credit,
                      std::optional<std::uint64_t> until = {}) {
  ReadRequest read;
  read.from = Sequence{from};
  read.credit = credit;
  if (until) read.until = Sequence{*until};
  return read;
}

TEST(Syndicator, SendsWhatTheReaderHasCreditForAndEndsAtTheStreamsEnd) {
  SyndicatorDriver driver;
  fill(driver, 30);
  driver.asks("p", 1, read_from(1, 10));
  driver.turn();
  Sent sent = sent_to(driver, "p", 1);
  EXPECT_EQ(sent.batches, 10);
  EXPECT_FALSE(sent.end);
  driver.turn();
  EXPECT_EQ(sent_to(driver, "p", 1).batches, 10) << "no more without credit";
  driver.asks("p", 1, CreditRequest{100});
  driver.turn();
  sent = sent_to(driver, "p", 1);
  ASSERT_TRUE(sent.end);
  EXPECT_EQ(sent.end->next, driver.history.last().next());
  ASSERT_EQ(sent.got.size(), driver.history.last().value);
  for (std::size_t i = 0; i < sent.got.size(); ++i) EXPECT_EQ(sent.got[i], i + 1);
  EXPECT_TRUE(sent.lost.empty());
}

TEST(Syndicator, AReadOfWhatIsNotThereYetEndsAtOnce) {
  SyndicatorDriver driver;
  fill(driver, 3);
  driver.asks("p", 1, read_from(1000, 1));
  driver.turn();
  EXPECT_EQ(sent_to(driver, "p", 1).end->next, Sequence{1000});
}

TEST(Syndicator, AReadEndsWhereItWasToldTo) {
  SyndicatorDriver driver;
  fill(driver, 30);
  driver.asks("p", 1, read_from(5, 100, 12));
  driver.turn();
  const Sent sent = sent_to(driver, "p", 1);
  ASSERT_TRUE(sent.end);
  EXPECT_EQ(sent.got.front(), 5u);
  EXPECT_EQ(sent.got.back(), 12u);
}

TEST(Syndicator, AReadFromATimeBeginsThere) {
  SyndicatorDriver driver;
  fill(driver, 3);
  driver.passes(seconds{10});
  const Time from = driver.clock.now();
  const Sequence before = driver.history.last();
  driver.clock.advance(std::chrono::milliseconds{100});
  fill(driver, 3);
  ReadRequest read;
  read.from_time = from + Micros{1};
  driver.asks("p", 1, read);
  driver.turn();
  const Sent sent = sent_to(driver, "p", 1);
  ASSERT_TRUE(sent.end);
  EXPECT_EQ(sent.got.front(), before.value + 1);
}

TEST(Syndicator, AReaderIsToldWhatIsLost) {
  SyndicatorDriver driver;
  fill(driver, 30);
  driver.history.has_lost({{1}, {4}, "trimmed"});
  driver.history.has_lost({{10}, {12}, "corrupt"});
  driver.history.has_lost({{29}, {99}, "power"});
  driver.asks("p", 1, read_from(2, 100));
  driver.turn();
  const Sent sent = sent_to(driver, "p", 1);
  ASSERT_EQ(sent.lost.size(), 3u);
  EXPECT_EQ(sent.lost[0].first, Sequence{2});
  EXPECT_EQ(sent.lost[0].last, Sequence{4});
  EXPECT_EQ(sent.lost[0].why, "trimmed");
  EXPECT_EQ(sent.lost[1].first, Sequence{10});
  EXPECT_EQ(sent.lost[1].last, Sequence{12});
  EXPECT_EQ(sent.lost[2].last, driver.history.last());
  ASSERT_TRUE(sent.end);
  EXPECT_EQ(sent.got.size(), 30u + 1 - 4 - 3 - 3);
}

TEST(Syndicator, ReadersTakeTurnsAndACancelledOneGetsNoMore) {
  SyndicatorDriver driver;
  fill(driver, 40);
  driver.asks("p", 1, read_from(1, 100));
  driver.asks("q", 1, read_from(1, 100));
  driver.asks("q", 2, read_from(1, 100));
  driver.asks("q", 2, CreditRequest{0});
  std::vector<Peer> order;
  for (bool more = true; more;) {
    const auto service = driver.syndicator->serve(driver.clock.now());
    ASSERT_FALSE(service.replies.empty());
    EXPECT_LE(service.replies.size(), 17u) << "a little at a time";
    order.push_back(service.replies.front().peer);
    EXPECT_EQ(service.replies.front().frame.id, RequestId{1});
    more = service.more;
  }
  ASSERT_GE(order.size(), 6u);
  for (std::size_t i = 1; i < order.size(); ++i) EXPECT_NE(order[i], order[i - 1]);
}

TEST(Syndicator, AReadBegunAgainReplacesTheOneBefore) {
  SyndicatorDriver driver;
  fill(driver, 40);
  for (int i = 0; i < 5000; ++i) driver.asks("p", 1, read_from(1, 1));
  driver.turn();
  EXPECT_EQ(sent_to(driver, "p", 1).batches, 1);
}

TEST(Syndicator, APeerThatIsGoneIsSentNothing) {
  SyndicatorDriver driver;
  fill(driver, 5);
  driver.asks("p", 1, read_from(1, 100));
  driver.asks("pp", 1, read_from(1, 100));
  driver.syndicator->take_disconnect("p");
  driver.turn();
  EXPECT_FALSE(sent_to(driver, "p", 1).end);
  EXPECT_TRUE(sent_to(driver, "pp", 1).end);
}

TEST(Syndicator, TheNumberOfReadsIsBounded) {
  Syndicator::Options options;
  options.readers.readers_max = 5;
  options.readers.peer_readers_max = 3;
  SyndicatorDriver driver(options);
  fill(driver, 5);
  for (std::uint64_t id = 1; id <= 4; ++id) driver.asks("p", id, read_from(1, 0));
  for (std::uint64_t id = 1; id <= 3; ++id) driver.asks("q", id, read_from(1, 0));
  driver.turn();
  EXPECT_FALSE(driver.reply<RefusedReply>("p", 3));
  EXPECT_EQ(driver.reply<RefusedReply>("p", 4)->error.code, ErrorCode::full);
  EXPECT_EQ(driver.reply<RefusedReply>("q", 3)->error.code, ErrorCode::full);
  // One that never gives credit costs its place for ten minutes.
  driver.clock.advance(minutes{11});
  driver.turn();
  EXPECT_EQ(driver.reply<RefusedReply>("p", 1)->error.code, ErrorCode::unavailable);
  driver.asks("q", 9, read_from(1, 1));
  driver.turn();
  EXPECT_EQ(sent_to(driver, "q", 9).batches, 1);
}

}  // namespace
}  // namespace hastur
