#include "syndicator/udp_receiver.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/datagram_sender.h"

namespace hastur {
namespace {

using std::chrono::seconds;

// Stands until it is moved; for two threads.
class StandingClock final : public Clock {
 public:
  Time now() override { return time_from_us(us_.load()); }
  Micros monotonic() override { return Micros{us_.load()}; }
  void advance(Micros by) { us_ += by.count(); }

 private:
  std::atomic<std::int64_t> us_{1'704'067'200'000'000};
};

struct Receiving {
  explicit Receiving(std::size_t ring_bytes = 1 << 20) {
    UdpReceiver::Options options;
    options.address = "127.0.0.1:0";
    options.ring_bytes = ring_bytes;
    auto opened = UdpReceiver::open(options, clock);
    EXPECT_TRUE(opened) << opened.error().message;
    receiver = std::move(*opened);
  }
  // Waits until there is one, as the loop does.
  std::optional<DatagramRing::Entry> next() {
    while (true) {
      if (auto entry = receiver->ring().next()) return entry;
      if (!receiver->ring().wait()) continue;
      pollfd wait{receiver->wake_fd(), POLLIN, 0};
      if (::poll(&wait, 1, 10'000) <= 0) return std::nullopt;
      receiver->clear_wake();
    }
  }
  StandingClock clock;
  std::unique_ptr<UdpReceiver> receiver;
};

TEST(UdpReceiver, BringsDatagramsOfEverySizeWithTheTimeOfTheirReception) {
  Receiving receiving;
  DatagramSender sender(receiving.receiver->address());
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{150}, std::size_t{65'507}}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(sender.send(text));
    const auto entry = receiving.next();
    ASSERT_TRUE(entry && entry->datagram);
    EXPECT_EQ(*entry->datagram, text);
    EXPECT_EQ(entry->received_at, receiving.clock.now());
    EXPECT_EQ(entry->deaf, Micros{0});
    receiving.receiver->ring().release();
  }
}

TEST(UdpReceiver, NotToHaveRunIsToHaveBeenDeaf) {
  Receiving receiving;
  DatagramSender sender(receiving.receiver->address());
  ASSERT_TRUE(sender.send("before"));
  ASSERT_TRUE(receiving.next());
  // As if stopped or asleep: the thread comes back to a clock that has gone on.
  receiving.clock.advance(seconds{30});
  const auto entry = receiving.next();
  ASSERT_TRUE(entry);
  EXPECT_FALSE(entry->datagram);
  EXPECT_GT(entry->deaf, seconds{29});
  EXPECT_LE(entry->deaf, seconds{30});
  ASSERT_TRUE(sender.send("after"));
  const auto after = receiving.next();
  ASSERT_TRUE(after);
  EXPECT_EQ(*after->datagram, "after");
}

TEST(UdpReceiver, CountsWhatItsRingHasNoRoomFor) {
  Receiving receiving(1 << 13);
  DatagramSender sender(receiving.receiver->address());
  // Few enough for the kernel's smallest buffer, so that it drops none at the end, which it would
  // not tell.
  constexpr int count = 150;
  for (int i = 0; i < count; ++i) ASSERT_TRUE(sender.send(std::string(100, 'x')));
  receiving.receiver->stop();
  int got = 0;
  while (receiving.receiver->ring().next()) ++got;
  EXPECT_EQ(got, 64);
  EXPECT_EQ(static_cast<std::uint64_t>(got) + receiving.receiver->ring_dropped() +
                receiving.receiver->kernel_dropped(),
            static_cast<std::uint64_t>(count));
}

TEST(UdpReceiver, TakesWhatTheKernelHoldsWhenItStops) {
  Receiving receiving;
  DatagramSender sender(receiving.receiver->address());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(sender.send(fmt::format("{}", i)));
  receiving.receiver->stop();
  for (int i = 0; i < 50; ++i) {
    const auto entry = receiving.receiver->ring().next();
    ASSERT_TRUE(entry);
    EXPECT_EQ(*entry->datagram, fmt::format("{}", i));
  }
}

}  // namespace
}  // namespace hastur
