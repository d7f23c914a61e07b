#include "syndicator/client/stream_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace hastur {

StreamFollower::StreamFollower(const StreamId& stream, Sequence position, const Options& options)
    : stream_(stream), options_(options), position_(position), end_(position), newest_(position) {}

Result<void> StreamFollower::check_stream(const Batch& batch) const {
  if (batch.header.stream == stream_) return {};
  return fail(ErrorCode::conflict,
              fmt::format("the syndicator numbers stream {}, but this state is of stream {}; give "
                          "the syndicator back "
                          "its History, or start with a new state file",
                          batch.header.stream.to_string(), stream_.to_string()));
}

Result<void> StreamFollower::published(Batch batch) {
  HASTUR_TRY(check_stream(batch));
  refused_ = false;
  if (batch.header.count == 0) return {};
  newest_ = std::max(newest_, batch.header.last());
  if (batch.header.last() <= end_) return {};
  // What finds no room is dropped, and read back when there is some.
  if (batch.header.first > end_.next()) {
    hold(std::move(batch));
  } else if (ready_bytes_ + batch.body.size() <= options_.held_bytes_max || ready_.empty()) {
    const Sequence last = batch.header.last();
    const std::size_t bytes = batch.body.size();
    append({{std::move(batch), {}}, last, bytes, {}});
  }
  return {};
}

void StreamFollower::hold(Batch batch) {
  const auto after = [](const Batch& a, const Batch& b) { return a.header.first < b.header.first; };
  const auto place = std::upper_bound(held_.begin(), held_.end(), batch, after);
  const bool covered =
      place != held_.begin() && std::prev(place)->header.last() >= batch.header.last();
  if (covered) return;
  held_bytes_ += batch.body.size();
  held_.insert(place, std::move(batch));
  // Those nearest to the gap are wanted first.
  while (held_bytes_ > options_.held_bytes_max) {
    held_bytes_ -= held_.back().body.size();
    held_.pop_back();
  }
}

void StreamFollower::append(Ready ready) {
  end_ = ready.last;
  newest_ = std::max(newest_, end_);
  ready_bytes_ += ready.bytes;
  ready_.push_back(std::move(ready));
  join_held();
}

void StreamFollower::join_held() {
  while (!held_.empty() && held_.front().header.first <= end_.next()) {
    Batch batch = std::move(held_.front());
    held_.pop_front();
    const std::size_t bytes = batch.body.size();
    held_bytes_ -= bytes;
    const Sequence last = batch.header.last();
    if (last <= end_) continue;
    end_ = last;
    ready_bytes_ += bytes;
    ready_.push_back({{std::move(batch), {}}, last, bytes, {}});
  }
}

Result<void> StreamFollower::replied(const ReplyFrame& frame) { return replied(ReplyFrame(frame)); }

Result<void> StreamFollower::replied(ReplyFrame&& frame) {
  // Of a read that was given up.
  if (frame.id != reading_) return {};
  if (auto* batch = std::get_if<BatchReply>(&frame.reply))
    return take_read(std::move(batch->batch));
  if (const auto* lost = std::get_if<LostReply>(&frame.reply)) return take_lost(*lost);
  if (const auto* refused = std::get_if<RefusedReply>(&frame.reply)) return take_refusal(*refused);
  if (const auto* end = std::get_if<ReadEnd>(&frame.reply)) {
    reading_.reset();
    if (reading_to_end_) catch_up_ = false;
    if (end->next.value > 0) newest_ = std::max(newest_, Sequence{end->next.value - 1});
  }
  return {};
}

Result<void> StreamFollower::take_read(Batch batch) {
  HASTUR_TRY(check_stream(batch));
  const Sequence first = batch.header.first;
  const Sequence last = batch.header.last();
  if (batch.header.count == 0 || last <= end_) {
    // Published meanwhile.
    ++credit_owed_;
    return {};
  }
  if (first > end_.next()) {
    reading_.reset();
    refused_ = true;
    return fail(
        ErrorCode::corrupt,
        fmt::format(
            "the syndicator left out the sequences {} to {} of what was read and did not say that "
            "they are lost; they are asked for again",
            end_.next().value, first.value - 1));
  }
  ++refilled_;
  const std::size_t bytes = batch.body.size();
  append({{std::move(batch), {}}, last, bytes, reading_});
  return {};
}

Result<void> StreamFollower::take_lost(const LostReply& lost) {
  if (lost.last <= end_) return {};
  if (lost.first > end_.next()) {
    reading_.reset();
    refused_ = true;
    return fail(ErrorCode::corrupt,
                fmt::format("the syndicator says that {} to {} are lost, but has not sent what is "
                            "before, from {} on",
                            lost.first.value, lost.last.value, end_.next().value));
  }
  append({{{}, LostReply{end_.next(), lost.last, lost.why}}, lost.last, 0, {}});
  return {};
}

Result<void> StreamFollower::take_refusal(const RefusedReply& refused) {
  reading_.reset();
  refused_ = true;
  return fail(refused.error);
}

void StreamFollower::reconnected() {
  reading_.reset();
  refused_ = false;
  catch_up_ = true;
}

std::optional<StreamFollower::Delivery> StreamFollower::next() {
  if (ready_.empty()) return std::nullopt;
  Ready ready = std::move(ready_.front());
  ready_.pop_front();
  ready_bytes_ -= ready.bytes;
  position_ = ready.last;
  if (ready.read && ready.read == reading_) ++credit_owed_;
  return std::move(ready.delivery);
}

bool StreamFollower::is_missing() const { return end_ < newest_; }

std::optional<RequestFrame> StreamFollower::request() {
  if (reading_) {
    // In few and large pieces, but before the read has to wait.
    if (credit_owed_ == 0 || (credit_owed_ < options_.credit / 2 && !ready_.empty()))
      return std::nullopt;
    return RequestFrame{*reading_, CreditRequest{std::exchange(credit_owed_, 0)}};
  }
  if (refused_ || !(is_missing() || catch_up_)) return std::nullopt;
  // A consumer that is behind what is here has no use for more.
  if (ready_bytes_ > options_.held_bytes_max / 2) return std::nullopt;
  reading_ = RequestId{next_request_++};
  credit_owed_ = 0;
  ReadRequest read;
  read.from = end_.next();
  if (!held_.empty()) {
    read.until = Sequence{held_.front().header.first.value - 1};
  } else if (!catch_up_) {
    read.until = newest_;
  }
  reading_to_end_ = !read.until;
  read.credit = options_.credit;
  return RequestFrame{*reading_, std::move(read)};
}

}  // namespace hastur
