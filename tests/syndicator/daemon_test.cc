#include "syndicator/daemon.h"
#include "core/json.h"

#include <gtest/gtest.h>

#include "message/envelope.h"
#include "state/history/memory_history.h"
#include "syndicator/client/connection.h"
#include "syndicator/client/stream_follower.h"
#include "tests/support/datagram_sender.h"
#include "tests/syndicator/sockets.h"
#include "tests/syndicator/syndicator_driver.h"

namespace hastur {
namespace {

// A daemon over a History in memory, on ports of its own.
struct RunningDaemon {
  explicit RunningDaemon(std::vector<std::string> cores = {}) {
    options.udp = "127.0.0.1:0";
    options.publish = options.request = "tcp://127.0.0.1:*";
    options.core = std::move(cores);
    auto started = SyndicatorDaemon::start(loop, clock, context, *history, options);
    EXPECT_TRUE(started) << started.error().message;
    if (started) daemon = std::move(*started);
  }
  std::vector<Json> messages() {
    std::vector<Json> all;
    for (Sequence from{1}; from <= history->last();) {
      const auto batches = history->read(from, {});
      for (const Batch& batch : *batches) {
        SyndicatorDriver::append_messages(all, batch);
        from = batch.header.last().next();
      }
    }
    return all;
  }
  std::vector<Json> of_type(std::string_view type) {
    std::vector<Json> all = messages();
    std::erase_if(all, [&](const Json& message) { return message["type"] != type; });
    return all;
  }

  Loop loop;
  SystemClock system_clock;
  SharedClock clock{system_clock};
  ZmqContext context;
  std::unique_ptr<History> history = make_memory_history(StreamId{{5}});
  SyndicatorOptions options;
  std::unique_ptr<SyndicatorDaemon> daemon;
};

TEST(SyndicatorDaemon, NumbersDatagramsAndPublishesThemToAFollower) {
  RunningDaemon running;
  StreamFollower follower(running.history->stream(), {0}, {});
  std::unique_ptr<SyndicatorConnection> connection;
  std::vector<Json> got;
  const auto pump = [&] {
    while (auto delivery = follower.next()) {
      ASSERT_TRUE(delivery->batch);
      SyndicatorDriver::append_messages(got, *delivery->batch);
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
    follower.reconnected();
    pump();
  };
  auto opened = SyndicatorConnection::open(
      running.loop, running.context,
      {running.daemon->publish_address(), running.daemon->request_address(), 100}, calls);
  ASSERT_TRUE(opened);
  connection = std::move(*opened);

  DatagramSender sender(running.daemon->udp_address());
  constexpr int count = 300;
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(sender.send(fmt::format(R"({{"type":"gauge","name":"a","value":{}}})", i)));
  }
  const auto gauges = [&] {
    return std::ranges::count_if(got,
                                 [](const Json& message) { return message["type"] == "gauge"; });
  };
  run_until(running.loop, [&] { return gauges() == count; });
  int next = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i]["seq"], i + 1);
    if (got[i]["type"] == "gauge") {
      EXPECT_EQ(got[i]["value"], next++);
    }
  }
}

TEST(SyndicatorDaemon, GarbageAtTheRequestSocketIsAnsweredAndNothingMore) {
  RunningDaemon running;
  ZmqSocket dealer(running.context, ZmqKind::dealer, {});
  ASSERT_TRUE(dealer.connect(running.daemon->request_address()));
  int refused = 0;
  bool answered = false;
  SocketWatch watch(running.loop, dealer, [&] {
    while (auto parts = dealer.receive()) {
      const auto frame = decode_reply({parts->begin(), parts->end()});
      ASSERT_TRUE(frame);
      if (std::holds_alternative<RefusedReply>(frame->reply)) ++refused;
      if (std::holds_alternative<PositionReply>(frame->reply)) answered = true;
    }
  });
  const auto send = [&](std::vector<std::string> parts) {
    while (dealer.send(parts) != ZmqSocket::Sent::sent) running.loop.run_some(Micros{1000});
  };
  send({""});
  send({"garbage", "in", "parts"});
  send({std::string(100'000, '\xff')});
  send({encode_request({{3}, AppendRequest{{}, {1}, {{"t", {1}, {1}, 0, 1, "{}"}}}})[0]});
  send(encode_request({{4}, PositionRequest{}}));
  run_until(running.loop, [&] { return answered; });
  EXPECT_EQ(refused, 4);
}

// A core as Hastur's is, on the wire.
struct GeneratedCore {
  explicit GeneratedCore(ZmqContext& context) : socket(context, ZmqKind::pub, {}) {}
  void send(std::uint8_t type, const std::string& payload) {
    Envelope envelope;
    envelope.type = type;
    envelope.from = {0x8e, 0x58, 0xaf};
    envelope.timestamp = 1'335'826'232'943'810;
    envelope.routers = {{1}, {2}};
    std::vector<std::string> parts{encode_envelope(envelope), payload};
    EXPECT_EQ(socket.send(parts), ZmqSocket::Sent::sent);
  }
  ZmqSocket socket;
};

TEST(SyndicatorDaemon, SubscribesToHasturCores) {
  ZmqContext context;
  GeneratedCore first(context);
  GeneratedCore second(context);
  bind_again(first.socket, "tcp://127.0.0.1:*");
  bind_again(second.socket, "tcp://127.0.0.1:*");
  RunningDaemon running({first.socket.bound_address(), second.socket.bound_address()});
  const auto sending = running.loop.every(Micros{2000}, [&] {
    first.send(11, R"({"name":"from.first","value":1})");
    first.send(77, R"({"name":"from.first","value":1})");
    second.send(30, R"({"name":"from.second","value":0,"timeout":10})");
    std::vector<std::string> half{"no envelope"};
    EXPECT_EQ(second.socket.send(half), ZmqSocket::Sent::sent);
  });
  run_until(running.loop, [&] {
    // Decoding all of it is not done for each event.
    return running.history->last() > Sequence{60} && running.of_type("gauge").size() > 3 &&
           running.of_type("hb_agent").size() > 3 && running.of_type("error").size() > 3;
  });
  const Json gauge = running.of_type("gauge").front();
  EXPECT_EQ(gauge["name"], "from.first");
  EXPECT_EQ(gauge["uuid"], "8e58af00-0000-0000-0000-000000000000");
  EXPECT_EQ(gauge["timestamp"], 1'335'826'232'943'810);
}

TEST(SyndicatorDaemon, TicksSayThatACoreIsLost) {
  ZmqContext context;
  auto core = std::make_unique<GeneratedCore>(context);
  bind_again(core->socket, "tcp://127.0.0.1:*");
  const std::string address = core->socket.bound_address();
  RunningDaemon running({address});
  const auto deaf_of = [](const Json& tick) { return tick["deaf"].get<std::int64_t>(); };
  const auto last_deaf = [&] {
    const auto ticks = running.of_type("tick");
    return ticks.empty() ? -1 : deaf_of(ticks.back());
  };
  run_until(running.loop, [&] { return running.of_type("tick").size() >= 3 && last_deaf() == 0; });
  core.reset();
  run_until(running.loop, [&] { return last_deaf() > 500'000; });
  core = std::make_unique<GeneratedCore>(context);
  bind_again(core->socket, address);
  run_until(running.loop, [&] { return last_deaf() == 0; });
}

TEST(SyndicatorDaemon, APortThatIsTakenIsNamedWithTheWayOut) {
  RunningDaemon running;
  const auto why = [&](const std::function<void(SyndicatorOptions&)>& take) {
    SyndicatorOptions options = running.options;
    take(options);
    const auto history = make_memory_history(StreamId{{6}});
    const auto started =
        SyndicatorDaemon::start(running.loop, running.clock, running.context, *history, options);
    EXPECT_FALSE(started);
    return started ? std::string() : started.error().message;
  };
  const std::string udp = why([&](auto& options) { options.udp = running.daemon->udp_address(); });
  EXPECT_NE(udp.find(running.daemon->udp_address()), std::string::npos) << udp;
  EXPECT_NE(udp.find("--udp"), std::string::npos) << udp;
  const std::string publish =
      why([&](auto& options) { options.publish = running.daemon->publish_address(); });
  EXPECT_NE(publish.find(running.daemon->publish_address()), std::string::npos) << publish;
  EXPECT_NE(publish.find("`publish`"), std::string::npos) << publish;
  const std::string nonsense = why([&](auto& options) { options.udp = "8125"; });
  EXPECT_NE(nonsense.find("127.0.0.1:8125"), std::string::npos) << nonsense;
}

TEST(SyndicatorOptions, RefusesToLetOtherMachinesInWithoutKeys) {
  SyndicatorOptions options;
  EXPECT_TRUE(options.check());
  options.udp = "0.0.0.0:8125";
  EXPECT_TRUE(options.check()) << "UDP may be heard by all";
  options.request = "tcp://*:4944";
  const auto refused = options.check();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("tcp://*:4944"), std::string::npos);
  EXPECT_NE(refused.error().message.find("CURVE"), std::string::npos);
}

TEST(SyndicatorOptions, LowersItsUuidAndRefusesWhatIsNone) {
  SyndicatorOptions options;
  options.uuid = "8E58AF00-708c-012f-e468-64ce8f3a9dc2";
  ASSERT_TRUE(options.check());
  EXPECT_EQ(options.uuid, "8e58af00-708c-012f-e468-64ce8f3a9dc2");
  options.uuid = "me";
  EXPECT_FALSE(options.check());
}

}  // namespace
}  // namespace hastur
