#include "syndicator/client/connection.h"

#include <gtest/gtest.h>

#include "syndicator/client/stream_follower.h"
#include "tests/syndicator/sockets.h"

namespace hastur {
namespace {

const StreamId stream{{1}};

Batch tick_batch(std::uint64_t first) {
  BatchBuilder builder;
  builder.add_tick(time_from_us(static_cast<std::int64_t>(first) * 1'000'000), time_from_us(1), {});
  return builder.finish(stream, {first}, {});
}

// A syndicator of two sockets that answers reads from a stream of `last` ticks.
struct Syndicator {
  Syndicator(Loop& loop, ZmqContext& context, const std::string& publish,
             const std::string& request)
      : publisher(context, ZmqKind::pub, {}), router(context, ZmqKind::router, {}) {
    bind_again(publisher, publish);
    bind_again(router, request);
    watch = std::make_unique<SocketWatch>(loop, router, [this] { answer(); });
  }
  void answer() {
    while (auto parts = router.receive()) {
      const auto frame = decode_request({parts->begin() + 1, parts->end()});
      ASSERT_TRUE(frame) << frame.error().message;
      if (const auto* read = std::get_if<ReadRequest>(&frame->request)) {
        const std::uint64_t until = read->until ? read->until->value : last;
        for (std::uint64_t s = read->from->value; s <= until; ++s)
          reply({frame->id, BatchReply{tick_batch(s)}}, *parts);
        reply({frame->id, ReadEnd{{until + 1}}}, *parts);
      }
    }
  }
  void reply(const ReplyFrame& frame, const std::vector<std::string>& request) {
    std::vector<std::string> parts = encode_reply(frame);
    parts.insert(parts.begin(), request.front());
    EXPECT_EQ(router.send(parts), ZmqSocket::Sent::sent);
  }
  void publish(std::uint64_t sequence) {
    last = sequence;
    std::vector<std::string> parts{encode_frame(tick_batch(sequence))};
    EXPECT_EQ(publisher.send(parts), ZmqSocket::Sent::sent);
  }
  ZmqSocket publisher;
  ZmqSocket router;
  std::unique_ptr<SocketWatch> watch;
  std::uint64_t last = 0;
};

TEST(SyndicatorConnection, CarriesAStreamAcrossTheSyndicatorsRestart) {
  Loop loop;
  ZmqContext context;
  auto syndicator =
      std::make_unique<Syndicator>(loop, context, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
  const std::string publish = syndicator->publisher.bound_address();
  const std::string request = syndicator->router.bound_address();
  syndicator->last = 20;

  StreamFollower follower(stream, {0}, {});
  std::unique_ptr<SyndicatorConnection> connection;
  std::uint64_t next = 1;
  int connections = 0;
  const auto pump = [&] {
    while (auto delivery = follower.next()) {
      ASSERT_TRUE(delivery->batch);
      ASSERT_EQ(delivery->batch->header.first, Sequence{next});
      ++next;
    }
    while (auto frame = follower.request()) connection->send(*frame);
  };
  SyndicatorConnection::Calls calls;
  calls.published = [&](Batch batch) {
    ASSERT_TRUE(follower.published(std::move(batch)));
    pump();
  };
  calls.replied = [&](ReplyFrame frame) {
    ASSERT_TRUE(follower.replied(frame));
    pump();
  };
  calls.connected = [&] {
    ++connections;
    follower.reconnected();
    pump();
  };
  calls.garbage = [](const Error& error) { FAIL() << error.message; };
  auto opened = SyndicatorConnection::open(loop, context, {publish, request, 100}, calls);
  ASSERT_TRUE(opened) << opened.error().message;
  connection = std::move(*opened);

  run_until(loop, [&] { return next == 21; });
  // Published until the subscription is there: what comes before it is read back.
  std::uint64_t sequence = 20;
  const auto publishing = loop.every(Micros{1000}, [&] {
    if (sequence < 60) syndicator->publish(++sequence);
  });
  run_until(loop, [&] { return next == 61; });

  syndicator.reset();
  run_until(loop, [&] { return !connection->is_connected(); });
  EXPECT_FALSE(connection->send({{99}, PositionRequest{}}));
  syndicator = std::make_unique<Syndicator>(loop, context, publish, request);
  syndicator->last = 80;
  run_until(loop, [&] { return next == 81; });
  EXPECT_EQ(connections, 2);
}

TEST(SyndicatorConnection, DropsWhatIsNoFrameAndGoesOn) {
  Loop loop;
  ZmqContext context;
  Syndicator syndicator(loop, context, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
  int garbage = 0;
  int batches = 0;
  SyndicatorConnection::Calls calls;
  calls.published = [&](Batch) { ++batches; };
  calls.garbage = [&](const Error&) { ++garbage; };
  auto opened = SyndicatorConnection::open(
      loop, context, {syndicator.publisher.bound_address(), syndicator.router.bound_address(), 100},
      calls);
  ASSERT_TRUE(opened);
  std::uint64_t sequence = 0;
  const auto publishing = loop.every(Micros{1000}, [&] {
    std::vector<std::string> parts{"no batch"};
    EXPECT_EQ(syndicator.publisher.send(parts), ZmqSocket::Sent::sent);
    syndicator.publish(++sequence);
  });
  run_until(loop, [&] { return garbage > 2 && batches > 2; });
}

TEST(SyndicatorConnection, RefusesWhatIsNoAddress) {
  Loop loop;
  ZmqContext context;
  const auto opened = SyndicatorConnection::open(loop, context, {"", "localhost", 100}, {});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("localhost"), std::string::npos);
}

}  // namespace
}  // namespace hastur
