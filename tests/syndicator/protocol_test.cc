#include "syndicator/client/protocol.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace hastur {
namespace {

const OwnerId owner{{1, 2, 3, 255}};
const StreamId stream{{9, 8, 7}};

template <class Frame>
std::vector<std::string_view> views(const Frame& parts) {
  return {parts.begin(), parts.end()};
}

std::vector<RequestFrame> some_requests() {
  ReadRequest read;
  read.from = Sequence{12};
  read.until = Sequence{UINT64_MAX};
  read.credit = 7;
  read.names = {"my.gauge", "", "söme"};
  ReadRequest by_time;
  by_time.from_time = time_from_us(-5);
  AppendRequest append{
      owner,
      {3},
      {{"billing/load", {1}, {99}, 0, 1, R"({"type":"gauge","name":"a","value":1})"},
       {"x", {UINT64_MAX}, {0}, UINT32_MAX, 255, std::string("a\0b", 3)}}};
  return {{{1}, PositionRequest{}},
          {{2}, read},
          {{UINT64_MAX}, by_time},
          {{4}, CreditRequest{0}},
          {{5}, CreditRequest{UINT32_MAX}},
          {{6}, append},
          {{7}, LeaseRequest{owner, {"a", "b/c"}, StreamId{{9}}, {5'000}}},
          {{8}, LeaseRequest{}}};
}

std::vector<ReplyFrame> some_replies() {
  BatchBuilder builder;
  builder.add_tick(time_from_us(1'000'000), time_from_us(1'000'001), Micros{5});
  return {{{1},
           PositionReply{stream,
                         {1},
                         {UINT64_MAX},
                         time_from_us(17),
                         {{"received", 5}, {"refused.bad_uuid", 0}}}},
          {{2}, PositionReply{}},
          {{3}, BatchReply{builder.finish(stream, {5}, time_from_us(3))}},
          {{4}, LostReply{{1}, {9}, "trimmed"}},
          {{5}, ReadEnd{{10}}},
          {{6}, AppendReply{{{"t", {1}, {2}, 3}}}},
          {{7}, LeaseReply{{4}, {{"t", {1}, {2}, 3}, {"u", {0}, {0}, 0}}}},
          {{8}, RefusedReply{{ErrorCode::stale, "another owner has it"}}}};
}

TEST(Protocol, ARequestReadsBackAsItWasWritten) {
  for (const RequestFrame& frame : some_requests()) {
    const auto parts = encode_request(frame);
    const auto back = decode_request(views(parts));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->id, frame.id);
    EXPECT_EQ(back->request.index(), frame.request.index());
    // Every field is in the bytes.
    EXPECT_EQ(encode_request(*back), parts);
  }
  const auto back = decode_request(views(encode_request(some_requests()[5])));
  EXPECT_EQ(std::get<AppendRequest>(back->request).messages,
            std::get<AppendRequest>(some_requests()[5].request).messages);
  const auto read = decode_request(views(encode_request(some_requests()[1])));
  EXPECT_EQ(std::get<ReadRequest>(read->request).until, Sequence{UINT64_MAX});
  EXPECT_FALSE(std::get<ReadRequest>(read->request).from_time);
}

TEST(Protocol, AReplyReadsBackAsItWasWritten) {
  for (const ReplyFrame& frame : some_replies()) {
    const auto parts = encode_reply(frame);
    const auto back = decode_reply(views(parts));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->id, frame.id);
    EXPECT_EQ(back->reply.index(), frame.reply.index());
    EXPECT_EQ(encode_reply(*back), parts);
  }
  const auto refused = decode_reply(views(encode_reply(some_replies()[7])));
  EXPECT_EQ(std::get<RefusedReply>(refused->reply).error.code, ErrorCode::stale);
}

TEST(Protocol, EveryShortenedFrameIsInvalid) {
  for (const RequestFrame& frame : some_requests()) {
    const std::string whole = encode_request(frame)[0];
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto back = decode_request({std::string_view(whole).substr(0, size)});
      ASSERT_FALSE(back);
      EXPECT_EQ(back.error().code, ErrorCode::invalid);
    }
    EXPECT_FALSE(decode_request({whole + '\x01'}));
    EXPECT_FALSE(decode_request({whole, whole}));
  }
  for (const ReplyFrame& frame : some_replies()) {
    auto parts = encode_reply(frame);
    for (std::string& part : parts) {
      const std::string whole = part;
      for (std::size_t size = 0; size < whole.size(); ++size) {
        part.resize(size);
        const auto back = decode_reply(views(parts));
        ASSERT_FALSE(back);
        EXPECT_EQ(back.error().code, ErrorCode::invalid);
        part = whole;
      }
    }
    parts.emplace_back("more");
    EXPECT_FALSE(decode_reply(views(parts)));
  }
  EXPECT_FALSE(decode_request({}));
  EXPECT_FALSE(decode_reply({}));
}

RC_GTEST_PROP(Protocol, ChangedBytesAreReadOrRefusedButNeverMore, ()) {
  const auto requests = some_requests();
  std::string bytes = encode_request(*rc::gen::elementOf(requests))[0];
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] = *rc::gen::arbitrary<char>();
  }
  if (const auto frame = decode_request({bytes})) encode_request(*frame);

  const auto replies = some_replies();
  auto parts = encode_reply(*rc::gen::elementOf(replies));
  std::string& part = parts[*rc::gen::inRange<std::size_t>(0, parts.size())];
  for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
    part[*rc::gen::inRange<std::size_t>(0, part.size())] = *rc::gen::arbitrary<char>();
  }
  if (const auto frame = decode_reply(views(parts))) encode_reply(*frame);
}

RC_GTEST_PROP(Protocol, GarbageIsRefused, (const std::string& bytes)) {
  if (const auto frame = decode_request({bytes})) encode_request(*frame);
  if (const auto frame = decode_reply({bytes})) encode_reply(*frame);
}

TEST(Protocol, ASizeThatThePromisedBytesCannotHaveTakesNoMemory) {
  // An append of 2^32 - 1 messages, of which none follows.
  const std::string bytes(
      "\x96\x01\x01\x04\xc4\x10"
      "0123456789abcdef"
      "\x01\xdd\xff\xff\xff\xff",
      28);
  EXPECT_FALSE(decode_request({bytes}));
}

}  // namespace
}  // namespace hastur
