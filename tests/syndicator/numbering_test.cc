#include "syndicator/numbering.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "message/envelope.h"
#include "tests/syndicator/syndicator_driver.h"

namespace hastur {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view gauge = R"({"type":"gauge","name":"a","value":1})";
constexpr std::string_view sender = "8e58af00-708c-012f-e468-64ce8f3a9dc2";

std::string gauge_at(Time time, double value = 1) {
  return fmt::format(R"({{"type":"gauge","name":"a","value":{},"timestamp":{}}})", value,
                     to_us(time));
}

TEST(Numbering, NumbersMessagesDenselyWithTheirTicksBefore) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.hears(gauge);
  driver.turn();
  driver.clock.advance(milliseconds{2500});
  driver.hears(gauge);
  driver.turn();

  const auto stream = driver.stream();
  ASSERT_EQ(stream.size(), 6u);
  const std::vector<std::string> types{"tick", "gauge", "gauge", "tick", "tick", "gauge"};
  for (std::size_t i = 0; i < stream.size(); ++i) {
    EXPECT_EQ(stream[i]["type"], types[i]);
    EXPECT_EQ(stream[i]["seq"], i + 1);
  }
  EXPECT_EQ(stream[3]["time"].get<std::int64_t>() - stream[0]["time"].get<std::int64_t>(),
            1'000'000);
  EXPECT_EQ(stream[4]["time"].get<std::int64_t>() - stream[0]["time"].get<std::int64_t>(),
            2'000'000);
  EXPECT_EQ(stream[5]["uuid"], test_uuid);
  EXPECT_EQ(driver.counter("received"), 3u);
  EXPECT_EQ(driver.published.size(), 2u);
}

// A client that was given no receivers writes null for them; a core passes on what it was sent.
TEST(Numbering, ANullThatMeansNothingDoesNotComeIntoTheStream) {
  constexpr std::string_view event =
      R"({"type":"event","name":"a","subject":null,"body":"b","attn":null,"labels":{"l":null}})";
  SyndicatorDriver driver;
  driver.hears(event);
  Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(MessageType::event);
  driver.syndicator->take_core_message({encode_envelope(envelope), std::string(event)},
                                       driver.clock.now());
  driver.turn();
  const auto stream = driver.messages();
  ASSERT_EQ(stream.size(), 2u);
  for (const Json& message : stream) {
    EXPECT_EQ(message["body"], "b");
    EXPECT_FALSE(message.contains("subject")) << message;
    EXPECT_FALSE(message.contains("attn")) << message;
    EXPECT_EQ(message["labels"], Json({{"l", nullptr}}));
  }
}

TEST(Numbering, EachBatchSaysWhereStreamTimeStoodBeforeIt) {
  SyndicatorDriver driver;
  const Time start = driver.clock.now();
  driver.clock.advance(milliseconds{300});
  driver.hears(gauge);
  driver.turn();
  driver.clock.advance(seconds{2});
  driver.hears(gauge);
  driver.turn();
  driver.hears(gauge_at(start));
  driver.turn();
  ASSERT_EQ(driver.published.size(), 3u);
  EXPECT_EQ(driver.published[0].header.stream_time_before, Time{});
  EXPECT_EQ(driver.published[1].header.stream_time_before, start + milliseconds{300});
  EXPECT_EQ(driver.published[2].header.stream_time_before, start + milliseconds{2300});
}

TEST(Numbering, PutsATickIntoEachSecondInWhichStreamTimeDoesNotMove) {
  SyndicatorDriver driver;
  driver.clock.advance(milliseconds{400});
  driver.hears(gauge);
  driver.turn();
  driver.passes(seconds{5});
  const auto ticks = driver.ticks();
  // One before the message, then each: the first idle second is judged when it is over, with the
  // one before it.
  ASSERT_EQ(ticks.size(), 6u);
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    EXPECT_EQ(ticks[i]["time"].get<std::int64_t>() - ticks[i - 1]["time"].get<std::int64_t>(),
              1'000'000);
    EXPECT_EQ(ticks[i]["deaf"], 0);
  }
}

TEST(Numbering, PutsNoTickWhileSomethingHasArrivedThatIsNotTaken) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  driver.passes(seconds{2});
  const auto before = driver.ticks().size();
  driver.clock.advance(seconds{3});
  driver.turn(false);
  EXPECT_EQ(driver.ticks().size(), before);
  driver.turn(true);
  EXPECT_EQ(driver.ticks().size(), before + 3);
}

TEST(Numbering, ASendersWrongClockMovesNothingAhead) {
  SyndicatorDriver driver;
  driver.hears(gauge_at(driver.clock.now() + hours{5}));
  driver.turn();
  EXPECT_EQ(driver.history.stream_time(), driver.clock.now());
}

TEST(Numbering, ReceivedAtNeverGoesBack) {
  SyndicatorDriver driver;
  driver.clock.advance(seconds{10});
  driver.hears(gauge);
  driver.syndicator->take_datagram(gauge, driver.clock.now() - seconds{4});
  driver.turn();
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0]["received_at"], messages[1]["received_at"]);
  // Without a timestamp of its own, the time at which it was really received stands.
  EXPECT_LT(messages[1]["timestamp"], messages[0]["timestamp"]);
}

TEST(Numbering, ARestartSaysHowLongItWasDeaf) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  driver.clock.advance(minutes{10} + milliseconds{500});
  driver.restart();
  driver.passes(seconds{1});
  const auto ticks = driver.ticks();
  ASSERT_EQ(ticks.size(), 2u) << "no tick falls into the deaf time";
  EXPECT_EQ(ticks[1]["deaf"].get<std::int64_t>(), 600'500'000);
  EXPECT_EQ(driver.published.back().header.last(), driver.history.last());
}

TEST(Numbering, AStepOfTheClockIsDeafness) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  driver.clock.advance(milliseconds{1500});
  driver.syndicator->turn(driver.clock.now(), driver.clock.monotonic(), true);
  // Real time stepped two hours ahead; monotonic time went on for a second.
  const Micros monotonic = driver.clock.monotonic() + seconds{1};
  driver.clock.advance(hours{2});
  driver.syndicator->turn(driver.clock.now(), monotonic, true);
  const auto ticks = driver.ticks();
  EXPECT_EQ(ticks.back()["deaf"].get<std::int64_t>(), 7'199'000'000);
  EXPECT_LE(ticks.size(), 4u);
}

TEST(Numbering, DeafnessIsCarriedByTheNextTick) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  driver.syndicator->add_deaf(seconds{3});
  driver.clock.advance(milliseconds{10});
  driver.hears(gauge);
  driver.turn();
  driver.passes(seconds{2});
  const auto ticks = driver.ticks();
  ASSERT_GE(ticks.size(), 2u);
  EXPECT_EQ(ticks[0]["deaf"], 0);
  EXPECT_EQ(ticks[1]["deaf"], 3'000'000);
}

TEST(Numbering, GivesASendersMessagesTheNameItRegisteredLast) {
  SyndicatorDriver driver;
  const auto registers = [&](std::string_view name) {
    driver.hears(
        fmt::format(R"({{"type":"reg_agent","uuid":"{}","hostname":"{}"}})", sender, name));
  };
  const auto sends = [&] {
    driver.hears(fmt::format(R"({{"type":"gauge","name":"a","value":1,"uuid":"{}"}})", sender));
  };
  sends();
  registers("web1");
  sends();
  driver.turn();
  driver.restart();
  sends();
  registers("web2");
  sends();
  driver.hears(gauge);
  driver.turn();
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 7u);
  EXPECT_FALSE(messages[0].contains("hostname"));
  EXPECT_EQ(messages[2]["hostname"], "web1");
  EXPECT_EQ(messages[3]["hostname"], "web1") << "known after a restart";
  EXPECT_EQ(messages[5]["hostname"], "web2");
  EXPECT_FALSE(messages[6].contains("hostname")) << "another sender";
}

TEST(Numbering, AnEmptyNameIsNoneAndAnyRegistrationGivesOne) {
  SyndicatorDriver driver;
  const auto registers = [&](std::string_view type, std::string_view name) {
    driver.hears(fmt::format(R"({{"type":"{}","uuid":"{}","hostname":"{}"}})", type, sender, name));
  };
  registers("reg_agent", "");
  registers("reg_process", "web1");
  registers("reg_agent", "");
  driver.turn();
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0]["hostname"], "") << "its own field";
  EXPECT_EQ(driver.history.hostname(std::string(sender)), "web1");
}

TEST(Numbering, RemembersABoundedNumberOfHosts) {
  Syndicator::Options options;
  options.numbering.hosts_max = 2;
  SyndicatorDriver driver(options);
  for (int host = 0; host < 4; ++host) {
    driver.hears(fmt::format(
        R"({{"type":"reg_agent","uuid":"00000000-0000-0000-0000-00000000000{}","hostname":"h{}"}})",
        host, host));
  }
  driver.turn();
  EXPECT_EQ(driver.history.hosts().size(), 2u);
  EXPECT_EQ(driver.counter("hosts_full"), 2u);
}

TEST(Numbering, WhatCannotBeDecodedBecomesAnErrorMessageAndItsNeighboursStand) {
  SyndicatorDriver driver;
  const std::string unknown = R"({"type":"gouge","name":"a","value":1})";
  const std::string half = R"({"type":"gauge","name":"a","va)";
  const std::string large = std::string(65'000, '\xff');
  driver.hears(gauge);
  driver.hears(unknown);
  driver.hears(half);
  driver.hears("");
  driver.hears(large);
  driver.hears(std::string_view("\0\0\0", 3));
  driver.hears("[1,2]");
  driver.hears(gauge);
  driver.turn();
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 8u);
  EXPECT_EQ(messages.front()["type"], "gauge");
  EXPECT_EQ(messages.back()["type"], "gauge");
  for (std::size_t i = 1; i < 7; ++i) {
    EXPECT_EQ(messages[i]["type"], "error");
    EXPECT_EQ(messages[i]["class"], "undecodable");
    EXPECT_EQ(messages[i]["uuid"], test_uuid);
  }
  EXPECT_EQ(messages[1]["data"], unknown);
  EXPECT_EQ(messages[2]["data"], half);
  EXPECT_EQ(driver.counter("received"), 8u) << "each is in the stream";
  EXPECT_EQ(driver.counter("refused.unknown_type"), 1u);
  EXPECT_EQ(driver.counter("refused.not_json"), 4u);
  EXPECT_EQ(driver.counter("refused.not_an_object"), 1u);
}

TEST(Numbering, NoopAndAckAreConsumed) {
  SyndicatorDriver driver;
  driver.hears(R"({"type":"noop"})");
  driver.hears(R"({"type":"ack"})");
  driver.hears(gauge);
  driver.turn();
  EXPECT_EQ(driver.messages().size(), 1u);
  EXPECT_EQ(driver.counter("received"), 1u);
  EXPECT_EQ(driver.counter("consumed"), 2u);
}

TEST(Numbering, CountersAreThoseOfHistoryAfterARestart) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.hears("nonsense");
  driver.turn();
  driver.hears(gauge);
  driver.restart();  // before the turn: that datagram is gone, and was not counted
  EXPECT_EQ(driver.counter("received"), 2u);
  EXPECT_EQ(driver.counter("refused.not_json"), 1u);
  EXPECT_EQ(driver.messages().size(), 2u);
}

TEST(Numbering, ACoresMessageTakesTypeSenderAndTimeFromItsEnvelope) {
  SyndicatorDriver driver;
  Envelope envelope;
  envelope.type = 11;
  envelope.from = {0x8e, 0x58, 0xaf, 0x00, 0x70, 0x8c, 0x01, 0x2f,
                   0xe4, 0x68, 0x64, 0xce, 0x8f, 0x3a, 0x9d, 0xc2};
  envelope.timestamp = 1'335'826'232'943'810;
  const auto take = [&](const std::vector<std::string>& parts) {
    driver.syndicator->take_core_message(parts, driver.clock.now());
  };
  take({encode_envelope(envelope), R"({"name":"a","value":2})"});
  take({encode_envelope(envelope), R"({"name":"a","value":2,"timestamp":1335826232943811})"});
  take({encode_envelope(envelope), "{"});
  take({"short", "{}"});
  take({"alone"});
  take({});
  envelope.type = 99;
  take({encode_envelope(envelope), R"({"name":"a","value":2})"});
  envelope.type = 5;
  take({encode_envelope(envelope), "{}"});
  driver.turn();
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 7u);
  EXPECT_EQ(messages[0]["type"], "gauge");
  EXPECT_EQ(messages[0]["uuid"], sender);
  EXPECT_EQ(messages[0]["timestamp"], 1'335'826'232'943'810);
  EXPECT_EQ(messages[1]["timestamp"], 1'335'826'232'943'811);
  for (std::size_t i = 2; i < 7; ++i) EXPECT_EQ(messages[i]["type"], "error");
  EXPECT_EQ(driver.counter("core_received"), 7u);
  EXPECT_EQ(driver.counter("received"), 0u);
  EXPECT_EQ(driver.counter("refused.bad_envelope"), 3u);
  EXPECT_EQ(driver.counter("refused.unknown_type"), 1u);
}

TEST(Numbering, CutsATurnThatIsTooMuchIntoSeveralBatches) {
  Syndicator::Options options;
  options.numbering.rows_max = 10;
  SyndicatorDriver driver(options);
  for (int i = 0; i < 35; ++i) driver.hears(gauge);
  driver.turn();
  EXPECT_EQ(driver.published.size(), 4u);
  EXPECT_EQ(driver.messages().size(), 35u);
  EXPECT_EQ(driver.counter("received"), 35u);
}

TEST(Numbering, HoldsWhatHistoryDoesNotTakeAndPublishesItOnceItDoes) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  const auto published = driver.published.size();
  driver.history.fails_with(ErrorCode::full);
  driver.hears(gauge);
  driver.turn();
  driver.passes(seconds{3});
  EXPECT_EQ(driver.published.size(), published);
  EXPECT_EQ(driver.counter("received"), 1u) << "counted when it is in History";
  EXPECT_LE(driver.history.attempts(), 20) << "a full disk is not hammered";
  driver.history.works_again();
  driver.passes(seconds{1});
  EXPECT_EQ(driver.messages().size(), 2u);
  EXPECT_EQ(driver.counter("received"), 2u);
  for (const Json& tick : driver.ticks()) EXPECT_EQ(tick["deaf"], 0) << "nothing was lost";
}

TEST(Numbering, CountsWhatItCannotHoldAndSaysSoInTheStream) {
  Syndicator::Options options;
  options.numbering.held_bytes_max = 2000;
  SyndicatorDriver driver(options);
  driver.history.fails_with(ErrorCode::failed);
  for (int i = 0; i < 500; ++i) {
    driver.hears(gauge);
    driver.clock.advance(milliseconds{10});
    driver.turn();
  }
  const std::uint64_t lost = driver.counter("lost.history_full");
  EXPECT_GT(lost, 300u) << "shown while it lasts";
  driver.history.works_again();
  driver.passes(seconds{2});
  EXPECT_EQ(driver.counter("received") + lost, 500u);
  const auto messages = driver.messages();
  EXPECT_EQ(messages.size(), driver.counter("received") + 1);
  const Json& note = messages.back();
  EXPECT_EQ(note["type"], "error");
  EXPECT_EQ(note["class"], "lost");
  EXPECT_EQ(note["count"], lost);
  EXPECT_EQ(note["data"], "lost.history_full");
  std::int64_t deaf = 0;
  for (const Json& tick : driver.ticks()) deaf += tick["deaf"].get<std::int64_t>();
  EXPECT_GT(deaf, 3'000'000) << "for the time in which it lost things";
  driver.restart();
  EXPECT_EQ(driver.counter("lost.history_full"), lost);
}

TEST(Numbering, SaysInTheStreamWhatWasLostBeforeIt) {
  SyndicatorDriver driver;
  driver.hears(gauge);
  driver.turn();
  driver.syndicator->add_lost("kernel_dropped", 7);
  driver.syndicator->add_lost("kernel_dropped", 5);
  driver.syndicator->add_lost("ring_dropped", 0);
  EXPECT_EQ(driver.counter("kernel_dropped"), 12u);
  driver.passes(seconds{3});
  const auto messages = driver.messages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1]["class"], "lost");
  EXPECT_EQ(messages[1]["count"], 12);
}

}  // namespace
}  // namespace hastur
