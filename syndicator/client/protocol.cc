#include "syndicator/client/protocol.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "message/message.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

constexpr std::uint64_t format = 1;

// The kinds as they stand in frames; never given a new meaning.
enum class RequestKind : std::uint8_t { position = 1, read = 2, credit = 3, append = 4, lease = 5 };
enum class ReplyKind : std::uint8_t {
  position = 1,
  batch = 2,
  lost = 3,
  end = 4,
  append = 5,
  lease = 6,
  refused = 7
};

struct CodeName {
  ErrorCode code;
  std::string_view name;
};
constexpr std::array<CodeName, 8> code_names{{{ErrorCode::invalid, "invalid"},
                                              {ErrorCode::not_found, "not_found"},
                                              {ErrorCode::conflict, "conflict"},
                                              {ErrorCode::stale, "stale"},
                                              {ErrorCode::full, "full"},
                                              {ErrorCode::corrupt, "corrupt"},
                                              {ErrorCode::unavailable, "unavailable"},
                                              {ErrorCode::failed, "failed"}}};

std::string_view name_of(ErrorCode code) {
  for (const CodeName& entry : code_names) {
    if (entry.code == code) return entry.name;
  }
  return "failed";
}

// A code of a later release reads as `failed`.
ErrorCode code_of(std::string_view name) {
  for (const CodeName& entry : code_names) {
    if (entry.name == name) return entry.code;
  }
  return ErrorCode::failed;
}

template <class... Calls>
struct Overloaded : Calls... {
  using Calls::operator()...;
};

class FrameWriter {
 public:
  template <class Kind>
  FrameWriter(std::string& out, RequestId id, Kind kind, std::uint32_t fields) : writer_(out) {
    writer_.array(3 + fields);
    number(format);
    number(id.value);
    number(static_cast<std::uint64_t>(kind));
  }

  void number(std::uint64_t value) { writer_.unsigned_integer(value); }
  void text(std::string_view value) { writer_.string(value); }
  void id(const std::array<std::uint8_t, 16>& bytes) {
    writer_.bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void sequence(const std::optional<Sequence>& value) {
    if (value) {
      number(value->value);
    } else {
      writer_.null();
    }
  }
  void time(const std::optional<Time>& value) {
    if (value) {
      writer_.integer(to_us(*value));
    } else {
      writer_.null();
    }
  }
  void texts(const std::vector<std::string>& values) {
    array(values.size());
    for (const std::string& value : values) text(value);
  }
  void array(std::size_t size) { writer_.array(static_cast<std::uint32_t>(size)); }
  void marks(const std::vector<AppendReply::Mark>& marks) {
    array(marks.size());
    for (const AppendReply::Mark& mark : marks) {
      array(4);
      text(mark.trigger);
      number(mark.run.value);
      number(mark.sequence.value);
      number(mark.ordinal);
    }
  }
  void counters(const std::map<std::string, std::uint64_t>& counters) {
    writer_.map(static_cast<std::uint32_t>(counters.size()));
    for (const auto& [name, count] : counters) {
      text(name);
      number(count);
    }
  }

 private:
  MsgpackWriter writer_;
};

// After the first thing that is not as expected everything reads as empty, and ok() is false.
class FrameReader {
 public:
  explicit FrameReader(std::string_view bytes) : reader_(bytes) {
    fields_ = array();
    if (number() != format) ok_ = false;
    id_ = {number()};
    kind_ = number_up_to<std::uint8_t>();
  }

  RequestId id() const { return id_; }
  std::uint8_t kind() const { return kind_; }
  // The whole frame has been read, and it had so many fields after the kind.
  bool ended(std::uint32_t fields) const {
    return ok_ && fields_ == 3 + fields && reader_.at_end();
  }
  bool ok() const { return ok_; }

  std::uint64_t number() {
    if (!take()) return 0;
    return unsigned_of_item();
  }
  template <class Small>
  Small number_up_to() {
    const std::uint64_t value = number();
    if (value > std::numeric_limits<Small>::max()) ok_ = false;
    return ok_ ? static_cast<Small>(value) : Small{0};
  }
  std::string text() {
    if (!take()) return {};
    ok_ = item_.kind == MsgpackItem::Kind::string;
    return ok_ ? std::string(item_.text) : std::string();
  }
  template <class Id>
  Id id16() {
    Id id;
    if (!take()) return id;
    ok_ = item_.kind == MsgpackItem::Kind::bytes && item_.text.size() == id.bytes.size();
    if (ok_) std::copy(item_.text.begin(), item_.text.end(), id.bytes.begin());
    return id;
  }
  std::optional<Sequence> sequence() {
    if (!take() || item_.kind == MsgpackItem::Kind::null) return std::nullopt;
    return Sequence{unsigned_of_item()};
  }
  std::optional<Time> time() {
    if (!take() || item_.kind == MsgpackItem::Kind::null) return std::nullopt;
    ok_ = item_.kind == MsgpackItem::Kind::integer;
    return ok_ ? std::optional(time_from_us(item_.integer)) : std::nullopt;
  }
  // Its size. No more elements can follow than there are bytes, so a false size does no harm.
  std::uint32_t array() { return size_of(MsgpackItem::Kind::array); }
  // Each element must be an array of `fields`.
  void record(std::uint32_t fields) {
    if (array() != fields) ok_ = false;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> values;
    for (std::uint32_t left = array(); left > 0 && ok_; --left) values.push_back(text());
    return values;
  }
  std::vector<AppendReply::Mark> marks() {
    std::vector<AppendReply::Mark> marks;
    for (std::uint32_t left = array(); left > 0 && ok_; --left) {
      record(4);
      AppendReply::Mark& mark = marks.emplace_back();
      mark.trigger = text();
      mark.run = {number()};
      mark.sequence = {number()};
      mark.ordinal = number_up_to<std::uint32_t>();
    }
    return marks;
  }
  std::map<std::string, std::uint64_t> counters() {
    std::map<std::string, std::uint64_t> counters;
    for (std::uint32_t left = size_of(MsgpackItem::Kind::map); left > 0 && ok_; --left) {
      std::string name = text();
      counters[std::move(name)] = number();
    }
    return counters;
  }

 private:
  bool take() {
    if (ok_) ok_ = reader_.next(item_);
    return ok_;
  }
  std::uint64_t unsigned_of_item() {
    if (item_.kind == MsgpackItem::Kind::unsigned_integer) return item_.unsigned_integer;
    ok_ = ok_ && item_.kind == MsgpackItem::Kind::integer && item_.integer >= 0;
    return ok_ ? static_cast<std::uint64_t>(item_.integer) : 0;
  }
  std::uint32_t size_of(MsgpackItem::Kind kind) {
    if (!take()) return 0;
    ok_ = item_.kind == kind && item_.size <= reader_.rest().size();
    return ok_ ? item_.size : 0;
  }

  MsgpackReader reader_;
  MsgpackItem item_;
  bool ok_ = true;
  std::uint32_t fields_ = 0;
  RequestId id_;
  std::uint8_t kind_ = 0;
};

ReadRequest read_request(FrameReader& in) {
  ReadRequest read;
  read.from = in.sequence();
  read.from_time = in.time();
  read.until = in.sequence();
  read.credit = in.number_up_to<std::uint32_t>();
  read.names = in.texts();
  return read;
}

AppendRequest append_request(FrameReader& in) {
  AppendRequest append;
  append.owner = in.id16<OwnerId>();
  append.epoch = {in.number()};
  for (std::uint32_t left = in.array(); left > 0 && in.ok(); --left) {
    in.record(6);
    DerivedMessage& message = append.messages.emplace_back();
    message.trigger = in.text();
    message.run = {in.number()};
    message.sequence = {in.number()};
    message.ordinal = in.number_up_to<std::uint32_t>();
    const auto depth = in.number_up_to<std::uint16_t>();
    message.depth = depth_of(depth);
    message.correction = is_correction(depth);
    message.json = in.text();
  }
  return append;
}

PositionReply position_reply(FrameReader& in) {
  PositionReply position;
  position.stream = in.id16<StreamId>();
  position.oldest = {in.number()};
  position.last = {in.number()};
  position.stream_time = in.time();
  position.counters = in.counters();
  return position;
}

// A value once it has been read to the frame's end; nothing otherwise.
template <class Frame, class Value>
std::optional<Frame> framed(const FrameReader& in, std::uint32_t fields, Value value) {
  if (!in.ended(fields)) return std::nullopt;
  return Frame{in.id(), std::move(value)};
}

std::optional<RequestFrame> read_request_frame(std::string_view part) {
  FrameReader in(part);
  switch (static_cast<RequestKind>(in.kind())) {
    case RequestKind::position:
      return framed<RequestFrame>(in, 0, PositionRequest{});
    case RequestKind::read: {
      ReadRequest read = read_request(in);
      return framed<RequestFrame>(in, 5, std::move(read));
    }
    case RequestKind::credit: {
      const CreditRequest credit{in.number_up_to<std::uint32_t>()};
      return framed<RequestFrame>(in, 1, credit);
    }
    case RequestKind::append: {
      AppendRequest append = append_request(in);
      return framed<RequestFrame>(in, 3, std::move(append));
    }
    case RequestKind::lease: {
      LeaseRequest lease;
      lease.owner = in.id16<OwnerId>();
      lease.names = in.texts();
      lease.stream = in.id16<StreamId>();
      lease.seen = {in.number()};
      return framed<RequestFrame>(in, 4, std::move(lease));
    }
  }
  return std::nullopt;
}

std::optional<ReplyFrame> read_reply_frame(FrameReader& in) {
  switch (static_cast<ReplyKind>(in.kind())) {
    case ReplyKind::batch:
      return framed<ReplyFrame>(in, 0, BatchReply{});
    case ReplyKind::position: {
      PositionReply position = position_reply(in);
      return framed<ReplyFrame>(in, 5, std::move(position));
    }
    case ReplyKind::lost: {
      LostReply lost{{in.number()}, {in.number()}, in.text()};
      return framed<ReplyFrame>(in, 3, std::move(lost));
    }
    case ReplyKind::end: {
      const ReadEnd end{{in.number()}};
      return framed<ReplyFrame>(in, 1, end);
    }
    case ReplyKind::append: {
      AppendReply append{in.marks()};
      return framed<ReplyFrame>(in, 1, std::move(append));
    }
    case ReplyKind::lease: {
      LeaseReply lease{{in.number()}, in.marks()};
      return framed<ReplyFrame>(in, 2, std::move(lease));
    }
    case ReplyKind::refused: {
      const ErrorCode code = code_of(in.text());
      RefusedReply refused{{code, in.text()}};
      return framed<ReplyFrame>(in, 2, std::move(refused));
    }
  }
  return std::nullopt;
}

Failure not_a_frame(std::string_view what, std::string_view why) {
  return fail(ErrorCode::invalid,
              fmt::format("what came is no {} of the syndicator's protocol: {}", what, why));
}

}  // namespace

std::vector<std::string> encode_request(const RequestFrame& frame) {
  std::string part;
  const RequestId id = frame.id;
  std::visit(
      Overloaded{[&](const PositionRequest&) { FrameWriter(part, id, RequestKind::position, 0); },
                 [&](const ReadRequest& read) {
                   FrameWriter out(part, id, RequestKind::read, 5);
                   out.sequence(read.from);
                   out.time(read.from_time);
                   out.sequence(read.until);
                   out.number(read.credit);
                   out.texts(read.names);
                 },
                 [&](const CreditRequest& credit) {
                   FrameWriter out(part, id, RequestKind::credit, 1);
                   out.number(credit.credit);
                 },
                 [&](const AppendRequest& append) {
                   FrameWriter out(part, id, RequestKind::append, 3);
                   out.id(append.owner.bytes);
                   out.number(append.epoch.value);
                   out.array(append.messages.size());
                   for (const DerivedMessage& message : append.messages) {
                     out.array(6);
                     out.text(message.trigger);
                     out.number(message.run.value);
                     out.number(message.sequence.value);
                     out.number(message.ordinal);
                     out.number(pack_depth(message.depth, message.correction));
                     out.text(message.json);
                   }
                 },
                 [&](const LeaseRequest& lease) {
                   FrameWriter out(part, id, RequestKind::lease, 4);
                   out.id(lease.owner.bytes);
                   out.texts(lease.names);
                   out.id(lease.stream.bytes);
                   out.number(lease.seen.value);
                 }},
      frame.request);
  std::vector<std::string> parts;
  parts.push_back(std::move(part));
  return parts;
}

Result<RequestFrame> decode_request(const std::vector<std::string_view>& parts) {
  if (parts.size() != 1)
    return not_a_frame("request", fmt::format("{} parts instead of 1", parts.size()));
  std::optional<RequestFrame> frame = read_request_frame(parts.front());
  if (!frame) return not_a_frame("request", "its bytes do not read as one of format 1");
  return std::move(*frame);
}

std::vector<std::string> encode_reply(const ReplyFrame& frame) {
  std::vector<std::string> parts(1);
  std::string& part = parts.front();
  const RequestId id = frame.id;
  std::visit(Overloaded{[&](const PositionReply& position) {
                          FrameWriter out(part, id, ReplyKind::position, 5);
                          out.id(position.stream.bytes);
                          out.number(position.oldest.value);
                          out.number(position.last.value);
                          out.time(position.stream_time);
                          out.counters(position.counters);
                        },
                        [&](const BatchReply& batch) {
                          FrameWriter(part, id, ReplyKind::batch, 0);
                          // `part` may move now.
                          parts.push_back(encode_frame(batch.batch));
                        },
                        [&](const LostReply& lost) {
                          FrameWriter out(part, id, ReplyKind::lost, 3);
                          out.number(lost.first.value);
                          out.number(lost.last.value);
                          out.text(lost.why);
                        },
                        [&](const ReadEnd& end) {
                          FrameWriter out(part, id, ReplyKind::end, 1);
                          out.number(end.next.value);
                        },
                        [&](const AppendReply& append) {
                          FrameWriter out(part, id, ReplyKind::append, 1);
                          out.marks(append.marks);
                        },
                        [&](const LeaseReply& lease) {
                          FrameWriter out(part, id, ReplyKind::lease, 2);
                          out.number(lease.epoch.value);
                          out.marks(lease.marks);
                        },
                        [&](const RefusedReply& refused) {
                          FrameWriter out(part, id, ReplyKind::refused, 2);
                          out.text(name_of(refused.error.code));
                          out.text(refused.error.message);
                        }},
             frame.reply);
  return parts;
}

Result<ReplyFrame> decode_reply(const std::vector<std::string_view>& parts) {
  if (parts.empty()) return not_a_frame("reply", "it has no part");
  FrameReader in(parts.front());
  std::optional<ReplyFrame> frame = read_reply_frame(in);
  if (!frame) return not_a_frame("reply", "its bytes do not read as one of format 1");
  auto* batch_reply = std::get_if<BatchReply>(&frame->reply);
  const std::size_t parts_expected = batch_reply != nullptr ? 2 : 1;
  if (parts.size() != parts_expected) {
    return not_a_frame("reply",
                       fmt::format("{} parts instead of {}", parts.size(), parts_expected));
  }
  if (batch_reply != nullptr) {
    Result<Batch> batch = decode_frame(parts[1]);
    if (!batch) return not_a_frame("reply", batch.error().message);
    batch_reply->batch = std::move(*batch);
  }
  return std::move(*frame);
}

}  // namespace hastur
