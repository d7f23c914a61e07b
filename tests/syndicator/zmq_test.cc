#include "syndicator/client/zmq.h"

#include <gtest/gtest.h>

#include "tests/syndicator/sockets.h"

namespace hastur {
namespace {

using Parts = std::vector<std::string>;

struct Pair {
  Pair() {
    EXPECT_TRUE(router.bind("tcp://127.0.0.1:*"));
    watch = std::make_unique<ConnectionWatch>(
        loop, context, dealer,
        ConnectionWatch::Calls{[this](const std::string&) { ++connected; },
                               [this](const std::string&) { ++broken; }});
    EXPECT_TRUE(dealer.connect(router.bound_address()));
    run_until(loop, [this] { return connected == 1; });
  }
  Loop loop;
  ZmqContext context;
  ZmqSocket router{context, ZmqKind::router, {}};
  ZmqSocket dealer{context, ZmqKind::dealer, {}};
  std::unique_ptr<ConnectionWatch> watch;
  int connected = 0;
  int broken = 0;
};

TEST(Zmq, BringsMessagesWithTheirParts) {
  Pair pair;
  std::vector<Parts> got;
  SocketWatch watch(pair.loop, pair.router, [&] {
    while (auto parts = pair.router.receive()) got.push_back(std::move(*parts));
  });
  const std::string large(100'000, 'z');
  Parts parts{"small", large, ""};
  ASSERT_EQ(pair.dealer.send(parts), ZmqSocket::Sent::sent);
  EXPECT_TRUE(parts.empty());
  run_until(pair.loop, [&] { return got.size() == 1; });
  ASSERT_EQ(got[0].size(), 4u);
  EXPECT_EQ(Parts(got[0].begin() + 1, got[0].end()), (Parts{"small", large, ""}));
}

// Each side answers from within its call: the sends use up the descriptors' words.
TEST(Zmq, NoMessageIsForgottenWhenBothSidesSendAndReceiveAtOnce) {
  Pair pair;
  constexpr int count = 5'000;
  int echoed = 0;
  int sent = 0;
  SocketWatch router_watch(pair.loop, pair.router, [&] {
    // One at a time, so that most are left for a later call.
    if (auto parts = pair.router.receive()) {
      EXPECT_EQ(pair.router.send(*parts), ZmqSocket::Sent::sent);
    }
  });
  SocketWatch dealer_watch(pair.loop, pair.dealer, [&] {
    while (pair.dealer.receive()) {
      ++echoed;
      if (sent < count) {
        Parts parts{std::to_string(sent++)};
        EXPECT_EQ(pair.dealer.send(parts), ZmqSocket::Sent::sent);
      }
    }
  });
  for (; sent < 10; ++sent) {
    Parts parts{std::to_string(sent)};
    ASSERT_EQ(pair.dealer.send(parts), ZmqSocket::Sent::sent);
  }
  run_until(pair.loop, [&] { return echoed == count; });
}

// After a receive that found something ZeroMQ says nothing of what has come with it: the descriptor
// stays silent.
TEST(Zmq, AReceiveOutsideOfTheWatchDoesNotHideWhatCameWithIt) {
  Pair pair;
  std::string identity;
  {
    Parts hello{"hello"};
    ASSERT_EQ(pair.dealer.send(hello), ZmqSocket::Sent::sent);
    SocketWatch watch(pair.loop, pair.router, [&] { identity = pair.router.receive()->front(); });
    run_until(pair.loop, [&] { return !identity.empty(); });
  }
  int got = 0;
  SocketWatch watch(pair.loop, pair.dealer, [&] {
    while (pair.dealer.receive()) ++got;
  });
  while (pair.loop.run_some(Micros{1000})) {
  }
  for (int i = 0; i < 100; ++i) {
    Parts parts{identity, "x"};
    ASSERT_EQ(pair.router.send(parts), ZmqSocket::Sent::sent);
  }
  while (!pair.dealer.receive()) {
  }
  run_until(pair.loop, [&] { return got == 99; });
}

TEST(Zmq, APausedWatchWaitsAndForgetsNothing) {
  Pair pair;
  int got = 0;
  SocketWatch watch(pair.loop, pair.router, [&] {
    while (pair.router.receive()) ++got;
  });
  watch.pause();
  for (int i = 0; i < 3; ++i) {
    Parts parts{"x"};
    ASSERT_EQ(pair.dealer.send(parts), ZmqSocket::Sent::sent);
  }
  for (int i = 0; i < 20; ++i) pair.loop.run_some(Micros{1000});
  EXPECT_EQ(got, 0);
  watch.resume();
  run_until(pair.loop, [&] { return got == 3; });
}

TEST(Zmq, TellsThatAPeerIsGone) {
  Pair pair;
  std::string identity;
  SocketWatch watch(pair.loop, pair.router, [&] {
    while (auto parts = pair.router.receive()) identity = parts->front();
  });
  Parts parts{"hello"};
  ASSERT_EQ(pair.dealer.send(parts), ZmqSocket::Sent::sent);
  run_until(pair.loop, [&] { return !identity.empty(); });
  Parts to_nobody{"nobody", "x"};
  EXPECT_EQ(pair.router.send(to_nobody), ZmqSocket::Sent::no_such_peer);
  EXPECT_EQ(to_nobody, (Parts{"nobody", "x"})) << "untouched";
}

TEST(Zmq, ASendToNobodyWouldBlockAndLeavesTheMessage) {
  ZmqContext context;
  ZmqSocket dealer(context, ZmqKind::dealer, {});
  ASSERT_TRUE(dealer.connect("tcp://127.0.0.1:1"));
  const std::string large(10'000, 'x');
  Parts parts{large, "y"};
  EXPECT_EQ(dealer.send(parts), ZmqSocket::Sent::would_block);
  EXPECT_EQ(parts, (Parts{large, "y"}));
}

TEST(Zmq, TellsWhenAConnectionBreaksAndStandsAgain) {
  Loop loop;
  ZmqContext context;
  auto router = std::make_unique<ZmqSocket>(context, ZmqKind::router, ZmqSocket::Options{});
  ASSERT_TRUE(router->bind("tcp://127.0.0.1:*"));
  const std::string address = router->bound_address();
  ZmqSocket dealer(context, ZmqKind::dealer, {});
  int connected = 0;
  int broken = 0;
  ConnectionWatch watch(loop, context, dealer,
                        {[&](const std::string& at) {
                           ++connected;
                           EXPECT_EQ(at, address);
                         },
                         [&](const std::string&) { ++broken; }});
  ASSERT_TRUE(dealer.connect(address));
  run_until(loop, [&] { return connected == 1; });
  router.reset();
  run_until(loop, [&] { return broken == 1; });
  router = std::make_unique<ZmqSocket>(context, ZmqKind::router, ZmqSocket::Options{});
  bind_again(*router, address);
  run_until(loop, [&] { return connected == 2; });
  Parts parts{"at once"};
  EXPECT_EQ(dealer.send(parts), ZmqSocket::Sent::sent);
}

TEST(Zmq, AnAddressThatCannotBeHadIsNamedWithTheWayOut) {
  ZmqContext context;
  ZmqSocket first(context, ZmqKind::router, {});
  ASSERT_TRUE(first.bind("tcp://127.0.0.1:*"));
  ZmqSocket second(context, ZmqKind::pub, {});
  const auto taken = second.bind(first.bound_address());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::conflict);
  EXPECT_NE(taken.error().message.find(first.bound_address()), std::string::npos);
  EXPECT_NE(taken.error().message.find("choose another address"), std::string::npos);
  const auto nonsense = second.bind("127.0.0.1:4944");
  ASSERT_FALSE(nonsense);
  EXPECT_NE(nonsense.error().message.find("tcp://"), std::string::npos);
}

TEST(Zmq, KnowsLoopbackAddresses) {
  EXPECT_TRUE(is_loopback_address("tcp://127.0.0.1:4944"));
  EXPECT_TRUE(is_loopback_address("tcp://127.3.2.1:4944"));
  EXPECT_TRUE(is_loopback_address("tcp://localhost:1"));
  EXPECT_TRUE(is_loopback_address("tcp://[::1]:1"));
  EXPECT_TRUE(is_loopback_address("ipc:///tmp/x"));
  EXPECT_FALSE(is_loopback_address("tcp://*:4944"));
  EXPECT_FALSE(is_loopback_address("tcp://0.0.0.0:4944"));
  EXPECT_FALSE(is_loopback_address("tcp://127.example.com:4944"));
  EXPECT_FALSE(is_loopback_address("tcp://10.0.0.1:4944"));
  EXPECT_FALSE(is_loopback_address("udp://127.0.0.1:4944"));
  for (const char* right : {"tcp://127.0.0.1:4944", "tcp://[::1]:*", "ipc:///tmp/x"}) {
    EXPECT_TRUE(check_address(right)) << right;
  }
  for (const char* wrong : {"bogus", "", "127.0.0.1:4944", "tcp://127.0.0.1", "tcp://127.0.0.1:",
                            "tcp://127.0.0.1:x", "tcp://127.0.0.1:70000", "udp://127.0.0.1:1"}) {
    const auto checked = check_address(wrong);
    ASSERT_FALSE(checked) << wrong;
    EXPECT_NE(checked.error().message.find("is no ZeroMQ address"), std::string::npos) << wrong;
  }
  EXPECT_NE(check_address("tcp://10.0.0.1:4944").error().message.find("CURVE"), std::string::npos);
}

}  // namespace
}  // namespace hastur
