#include "syndicator/datagram_ring.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <string>
#include <thread>

namespace hastur {
namespace {

RC_GTEST_PROP(DatagramRing, GivesBackWhatWasPushedInOrder, ()) {
  DatagramRing ring(1024);
  struct Kept {
    std::optional<std::string> datagram;
    std::int64_t time;
  };
  std::deque<Kept> pushed;
  std::deque<Kept> published;
  std::int64_t time = 0;
  for (int step = *rc::gen::inRange(1, 200); step > 0; --step) {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
      case 1: {
        const std::string text(*rc::gen::inRange<std::size_t>(0, 300),
                               static_cast<char>('a' + step % 26));
        Kept kept{text, ++time};
        if (*rc::gen::inRange(0, 10) == 0) kept.datagram.reset();
        DatagramRing::Entry entry{std::nullopt, time_from_us(time), Micros{time * 2}};
        if (kept.datagram) entry.datagram = *kept.datagram;
        const bool fits = ring.push(entry);
        // An empty ring takes anything of up to half its size.
        RC_ASSERT(fits || !pushed.empty() || !published.empty() || text.size() > 400);
        if (fits) pushed.push_back(kept);
        break;
      }
      case 2:
        ring.publish();
        published.insert(published.end(), pushed.begin(), pushed.end());
        pushed.clear();
        break;
      case 3: {
        for (int i = *rc::gen::inRange(1, 10); i > 0; --i) {
          const auto entry = ring.next();
          RC_ASSERT(entry.has_value() == !published.empty());
          if (!entry) break;
          RC_ASSERT(to_us(entry->received_at) == published.front().time);
          RC_ASSERT(entry->deaf.count() == published.front().time * 2);
          RC_ASSERT(entry->datagram.has_value() == published.front().datagram.has_value());
          if (entry->datagram) RC_ASSERT(*entry->datagram == *published.front().datagram);
          published.pop_front();
        }
        ring.release();
        break;
      }
    }
  }
}

TEST(DatagramRing, RefusesWhatDoesNotFitUntilThereIsRoom) {
  DatagramRing ring(256);
  const std::string text(60, 'x');
  int count = 0;
  while (ring.push({text, {}, {}})) ++count;
  EXPECT_GE(count, 2);
  ring.publish();
  ASSERT_TRUE(ring.next());
  EXPECT_FALSE(ring.push({text, {}, {}})) << "read, but not released";
  ring.release();
  EXPECT_TRUE(ring.push({text, {}, {}}));
}

TEST(DatagramRing, SaysOnceThatTheConsumerWaits) {
  DatagramRing ring(256);
  EXPECT_FALSE(ring.publish());
  EXPECT_TRUE(ring.wait());
  ring.push({"a", {}, {}});
  EXPECT_TRUE(ring.publish());
  ring.push({"b", {}, {}});
  EXPECT_FALSE(ring.publish());
  EXPECT_FALSE(ring.wait()) << "something is there";
  ring.next();
  ring.next();
  EXPECT_TRUE(ring.wait());
}

TEST(DatagramRing, CarriesEverythingFromThreadToThread) {
  DatagramRing ring(4096);
  constexpr int count = 50'000;
  std::atomic<int> wakes{0};
  std::thread producer([&] {
    for (int i = 0; i < count; ++i) {
      const std::string text(static_cast<std::size_t>(i % 97), static_cast<char>(i % 128));
      while (!ring.push({text, time_from_us(i), {}})) std::this_thread::yield();
      if (ring.publish()) ++wakes;
    }
  });
  int waits = 0;
  for (int i = 0; i < count;) {
    if (ring.wait()) {
      // As on an eventfd.
      ++waits;
      while (wakes.load() < waits) std::this_thread::yield();
    }
    while (const auto entry = ring.next()) {
      ASSERT_EQ(to_us(entry->received_at), i);
      ASSERT_EQ(entry->datagram->size(), static_cast<std::size_t>(i % 97));
      if (!entry->datagram->empty()) {
        ASSERT_EQ(entry->datagram->back(), static_cast<char>(i % 128));
      }
      ++i;
    }
    ring.release();
  }
  producer.join();
}

}  // namespace
}  // namespace hastur
