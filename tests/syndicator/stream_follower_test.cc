#include "syndicator/client/stream_follower.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace hastur {
namespace {

constexpr StreamId stream{{7}};

// The follower looks at headers and at the weight of bodies only.
Batch batch_of(std::uint64_t first, std::uint64_t last, std::size_t bytes = 100) {
  Batch batch;
  batch.header.stream = stream;
  batch.header.first = {first};
  batch.header.count = static_cast<std::uint32_t>(last - first + 1);
  batch.body = std::string(bytes, 'x');
  return batch;
}

// Puts together what was delivered, and fails on any gap, repetition or piece without news.
class Consumer {
 public:
  explicit Consumer(std::uint64_t position) : position_(position) {}

  void take(StreamFollower& follower) {
    while (auto delivery = follower.next()) take_one(*delivery, follower);
  }
  bool take_some(StreamFollower& follower, int count) {
    for (int i = 0; i < count; ++i) {
      auto delivery = follower.next();
      if (!delivery) return false;
      take_one(*delivery, follower);
    }
    return true;
  }
  std::uint64_t position() const { return position_; }
  std::uint64_t lost() const { return lost_; }
  const std::string& fault() const { return fault_; }

 private:
  void take_one(const StreamFollower::Delivery& delivery, const StreamFollower& follower) {
    const std::uint64_t first =
        delivery.batch ? delivery.batch->header.first.value : delivery.lost->first.value;
    const std::uint64_t last =
        delivery.batch ? delivery.batch->header.last().value : delivery.lost->last.value;
    if (first > position_ + 1) fault_ = "a gap after " + std::to_string(position_);
    if (last <= position_) fault_ = "nothing new at " + std::to_string(position_);
    if (delivery.lost) lost_ += last - position_;
    position_ = last;
    if (follower.position().value != position_) fault_ = "position() is not what was handed out";
  }

  std::uint64_t position_;
  std::uint64_t lost_ = 0;
  std::string fault_;
};

StreamFollower follower_at(std::uint64_t position) {
  return {stream, {position}, StreamFollower::Options{}};
}

const ReadRequest& read_of(const std::optional<RequestFrame>& frame) {
  return std::get<ReadRequest>(frame->request);
}

TEST(StreamFollower, AsksForWhatCameBeforeItWasConnected) {
  StreamFollower follower = follower_at(5);
  const auto request = follower.request();
  ASSERT_TRUE(request);
  EXPECT_EQ(read_of(request).from, Sequence{6});
  EXPECT_FALSE(read_of(request).until);
  EXPECT_FALSE(follower.request()) << "one read at a time";

  ASSERT_TRUE(follower.replied({request->id, BatchReply{batch_of(3, 8)}}));
  ASSERT_TRUE(follower.replied({request->id, ReadEnd{{9}}}));
  Consumer consumer(5);
  consumer.take(follower);
  EXPECT_EQ(consumer.position(), 8u);
  EXPECT_EQ(consumer.fault(), "");
  EXPECT_FALSE(follower.request()) << "nothing is missing";
}

TEST(StreamFollower, AsksForExactlyTheGapBeforeWhatItHolds) {
  StreamFollower follower = follower_at(0);
  ASSERT_TRUE(follower.replied({follower.request()->id, ReadEnd{{1}}}));
  ASSERT_TRUE(follower.published(batch_of(1, 3)));
  EXPECT_FALSE(follower.request());
  ASSERT_TRUE(follower.published(batch_of(7, 9)));
  const auto request = follower.request();
  ASSERT_TRUE(request);
  EXPECT_EQ(read_of(request).from, Sequence{4});
  EXPECT_EQ(read_of(request).until, Sequence{6});
  ASSERT_TRUE(follower.replied({request->id, BatchReply{batch_of(2, 6)}}));
  Consumer consumer(0);
  consumer.take(follower);
  EXPECT_EQ(consumer.position(), 9u);
  EXPECT_EQ(consumer.fault(), "");
  EXPECT_EQ(follower.refilled(), 1u);
}

TEST(StreamFollower, GivesCreditOnlyForWhatHasBeenTaken) {
  StreamFollower::Options options;
  options.credit = 2;
  StreamFollower follower(stream, {0}, options);
  const auto read = follower.request();
  EXPECT_EQ(read_of(read).credit, 2u);
  ASSERT_TRUE(follower.replied({read->id, BatchReply{batch_of(1, 1)}}));
  ASSERT_TRUE(follower.replied({read->id, BatchReply{batch_of(2, 2)}}));
  EXPECT_FALSE(follower.request()) << "nothing has been taken";
  ASSERT_TRUE(follower.next());
  const auto credit = follower.request();
  ASSERT_TRUE(credit);
  EXPECT_EQ(credit->id, read->id);
  EXPECT_EQ(std::get<CreditRequest>(credit->request).credit, 1u);
  EXPECT_FALSE(follower.request());
}

TEST(StreamFollower, StopsAtAnotherStream) {
  StreamFollower follower = follower_at(0);
  Batch other = batch_of(1, 2);
  other.header.stream = StreamId{{8}};
  const auto published = follower.published(other);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, ErrorCode::conflict);
  const auto replied = follower.replied({follower.request()->id, BatchReply{other}});
  ASSERT_FALSE(replied);
  EXPECT_EQ(replied.error().code, ErrorCode::conflict);
  EXPECT_FALSE(follower.next());
}

TEST(StreamFollower, HandsOnWhatIsLost) {
  StreamFollower follower = follower_at(10);
  const auto read = follower.request();
  // The range begins before what was asked for.
  ASSERT_TRUE(follower.replied({read->id, LostReply{{4}, {20}, "trimmed"}}));
  const auto delivery = follower.next();
  ASSERT_TRUE(delivery && delivery->lost);
  EXPECT_EQ(delivery->lost->first, Sequence{11});
  EXPECT_EQ(delivery->lost->last, Sequence{20});
  EXPECT_EQ(delivery->lost->why, "trimmed");
  EXPECT_EQ(follower.position(), Sequence{20});
}

TEST(StreamFollower, RefusesAReadThatLeavesSomethingOutInSilence) {
  StreamFollower follower = follower_at(0);
  const auto read = follower.request();
  const auto replied = follower.replied({read->id, BatchReply{batch_of(5, 6)}});
  ASSERT_FALSE(replied);
  EXPECT_EQ(replied.error().code, ErrorCode::corrupt);
  EXPECT_FALSE(follower.next());
  EXPECT_FALSE(follower.request()) << "not in a circle";
  ASSERT_TRUE(follower.published(batch_of(7, 7)));
  const auto again = follower.request();
  ASSERT_TRUE(again);
  EXPECT_EQ(read_of(again).from, Sequence{1});
}

TEST(StreamFollower, DropsWhatItCannotHoldAndReadsItBackLater) {
  StreamFollower::Options options;
  options.held_bytes_max = 1000;
  StreamFollower follower(stream, {0}, options);
  ASSERT_TRUE(follower.replied({follower.request()->id, ReadEnd{{1}}}));
  // In order, but nobody takes them; then after a gap.
  for (std::uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(follower.published(batch_of(i, i)));
  for (std::uint64_t i = 40; i <= 70; ++i) ASSERT_TRUE(follower.published(batch_of(i, i)));
  EXPECT_FALSE(follower.request()) << "the consumer is behind what is here";
  Consumer consumer(0);
  consumer.take(follower);
  EXPECT_EQ(consumer.position(), 10u);
  // 11 found no room in the queue; 12 to 21 are held, the rest was dropped.
  const auto read = follower.request();
  ASSERT_TRUE(read);
  EXPECT_EQ(read_of(read).from, Sequence{11});
  EXPECT_EQ(read_of(read).until, Sequence{11});
  ASSERT_TRUE(follower.replied({read->id, BatchReply{batch_of(11, 11)}}));
  ASSERT_TRUE(follower.replied({read->id, ReadEnd{{12}}}));
  consumer.take(follower);
  EXPECT_EQ(consumer.position(), 21u);
  const auto rest = follower.request();
  ASSERT_TRUE(rest);
  EXPECT_EQ(read_of(rest).from, Sequence{22});
  EXPECT_EQ(read_of(rest).until, Sequence{70});
}

// A stream, a syndicator that publishes it (losing, doubling, mixing up) and answers reads (or does
// not), and what in it is lost. In the end the connection is new, everything is answered, and
// exactly the stream must come out.
RC_GTEST_PROP(StreamFollower, AnyLossRepetitionAndDisorderGivesExactlyTheStream, ()) {
  const auto total = *rc::gen::inRange<std::uint64_t>(1, 200);
  const auto lost_first = *rc::gen::inRange<std::uint64_t>(1, total + 1);
  const auto lost_count = *rc::gen::inRange<std::uint64_t>(0, 30);
  const std::uint64_t lost_last =
      std::min(total, lost_first + lost_count) - (lost_count == 0 ? 1 : 0);
  const bool any_lost = lost_count > 0 && lost_last >= lost_first;
  const auto start = *rc::gen::inRange<std::uint64_t>(0, total + 1);
  StreamFollower::Options options;
  options.held_bytes_max = *rc::gen::element<std::size_t>(50, 500, 5000, 1 << 20);
  options.credit = *rc::gen::inRange<std::uint32_t>(1, 5);
  StreamFollower follower(stream, {start}, options);
  Consumer consumer(start);

  const auto is_lost = [&](std::uint64_t s) {
    return any_lost && s >= lost_first && s <= lost_last;
  };
  struct Reader {
    RequestId id;
    std::uint64_t cursor;
    std::uint64_t until;
    std::uint64_t credit;
  };
  std::optional<Reader> reader;
  std::uint64_t written = 0;
  const auto take_request = [&](bool heard) {
    while (auto frame = follower.request()) {
      if (!heard) continue;
      if (const auto* read = std::get_if<ReadRequest>(&frame->request)) {
        RC_ASSERT(read->from->value >= consumer.position() + 1);
        reader = Reader{frame->id, read->from->value, read->until ? read->until->value : UINT64_MAX,
                        read->credit};
      } else if (reader && reader->id == frame->id) {
        reader->credit += std::get<CreditRequest>(frame->request).credit;
      }
    }
  };
  // One step of a read; false if there is nothing to do.
  const auto answer = [&](std::uint64_t size) {
    if (!reader) return false;
    if (reader->cursor > std::min(reader->until, written)) {
      RC_ASSERT(follower.replied({reader->id, ReadEnd{{reader->cursor}}}).has_value());
      reader.reset();
      return true;
    }
    if (is_lost(reader->cursor)) {
      // As found: it may begin before the cursor and end after what was asked for.
      RC_ASSERT(follower.replied({reader->id, LostReply{{lost_first}, {lost_last}, "trimmed"}})
                    .has_value());
      reader->cursor = lost_last + 1;
      return true;
    }
    if (reader->credit == 0) return false;
    --reader->credit;
    std::uint64_t last = reader->cursor;
    while (last < written && last - reader->cursor + 1 < size && !is_lost(last + 1)) ++last;
    std::uint64_t first = reader->cursor;
    while (first > 1 && first + 2 > reader->cursor && !is_lost(first - 1)) --first;
    RC_ASSERT(
        follower.replied({reader->id, BatchReply{batch_of(first, last, size * 10)}}).has_value());
    reader->cursor = last + 1;
    return true;
  };

  std::deque<Batch> on_the_way;
  bool connected = true;
  while (written < total) {
    switch (*rc::gen::inRange(0, 9)) {
      case 0:
      case 1:
      case 2: {
        const std::uint64_t first = written + 1;
        written = std::min(total, written + *rc::gen::inRange<std::uint64_t>(1, 8));
        // Lost numbers were published when they were not lost yet, or never.
        if (is_lost(first) || is_lost(written)) break;
        on_the_way.push_back(batch_of(first, written, *rc::gen::inRange<std::size_t>(1, 200)));
        break;
      }
      case 3:
      case 4:
        if (!on_the_way.empty()) {
          const auto at =
              *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(on_the_way.size(), 3));
          RC_ASSERT(follower.published(on_the_way[at]).has_value());
          if (*rc::gen::inRange(0, 3) > 0)
            on_the_way.erase(on_the_way.begin() + static_cast<std::ptrdiff_t>(at));
        }
        break;
      case 5:
        if (!on_the_way.empty()) on_the_way.pop_front();
        break;
      case 6:
        consumer.take_some(follower, *rc::gen::inRange(1, 4));
        break;
      case 7:
        if (connected) answer(*rc::gen::inRange<std::uint64_t>(1, 20));
        break;
      case 8:
        if (*rc::gen::inRange(0, 4) == 0) {
          connected = !connected;
          reader.reset();
          if (connected) follower.reconnected();
        }
        break;
    }
    take_request(connected);
    RC_ASSERT(consumer.fault() == "");
  }

  reader.reset();
  follower.reconnected();
  for (int rounds = 0; consumer.position() < total; ++rounds) {
    RC_ASSERT(rounds < 2000);
    take_request(true);
    while (answer(7)) take_request(true);
    consumer.take_some(follower, 3);
  }
  consumer.take(follower);
  RC_ASSERT(consumer.fault() == "");
  RC_ASSERT(consumer.position() == total);
  RC_ASSERT(follower.position().value == total);
  RC_ASSERT(follower.newest().value == total);
}

}  // namespace
}  // namespace hastur
