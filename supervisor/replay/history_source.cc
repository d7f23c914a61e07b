#include "supervisor/replay/history_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "message/stream_time.h"

namespace hastur {
namespace {

constexpr std::uint32_t credit = 16;
constexpr Micros answer_max = std::chrono::seconds{10};

}  // namespace

HistorySource::HistorySource(Clock& clock, std::string request)
    : clock_(clock), request_(std::move(request)) {}

Result<std::unique_ptr<HistorySource>> HistorySource::open(const std::string& request,
                                                           Clock& clock) {
  std::unique_ptr<HistorySource> source(new HistorySource(clock, request));
  SyndicatorConnection::Options options;
  options.request = request;
  SyndicatorConnection::Calls calls;
  calls.published = [](const Batch&) {};
  calls.replied = [at = source.get()](ReplyFrame frame) {
    if (frame.id == at->asked_) at->replies_.push_back(std::move(frame.reply));
  };
  calls.connected = [] {};
  calls.disconnected = [at = source.get()] { at->broke_ = true; };
  auto connection =
      SyndicatorConnection::open(source->loop_, source->zmq_, options, std::move(calls));
  if (!connection) return fail(connection.error());
  source->connection_ = std::move(*connection);
  return source;
}

Result<void> HistorySource::send(Request request) {
  const Micros asked_at = clock_.monotonic();
  while (!connection_->is_connected()) {
    const Micros left = answer_max - (clock_.monotonic() - asked_at);
    if (left <= Micros{0}) {
      return fail(ErrorCode::unavailable,
                  fmt::format("no syndicator answers at {}; start it, or name another address with "
                              "--request",
                              request_));
    }
    loop_.run_some(left);
  }
  broke_ = false;
  connection_->send({asked_, std::move(request)});
  return {};
}

Result<Reply> HistorySource::answer() {
  const Micros asked_at = clock_.monotonic();
  while (replies_.empty()) {
    const Micros left = answer_max - (clock_.monotonic() - asked_at);
    if (broke_ || left <= Micros{0}) {
      return fail(ErrorCode::unavailable,
                  fmt::format("the syndicator at {} does not answer any more; start it and try "
                              "again",
                              request_));
    }
    loop_.run_some(left);
  }
  Reply reply = std::move(replies_.front());
  replies_.pop_front();
  if (auto* refused = std::get_if<RefusedReply>(&reply)) return fail(std::move(refused->error));
  return reply;
}

Result<PositionReply> HistorySource::position() {
  replies_.clear();
  asked_ = {++last_id_};
  HASTUR_TRY(send(PositionRequest{}));
  auto reply = answer();
  if (!reply) return fail(reply.error());
  auto* position = std::get_if<PositionReply>(&*reply);
  if (position == nullptr)
    return fail(ErrorCode::invalid, "the syndicator answers with something else than its position");
  return std::move(*position);
}

Result<Sequence> HistorySource::first_at(Time time) {
  const auto stands = position();
  if (!stands) return fail(stands.error());
  replies_.clear();
  ended_ = false;
  asked_ = {++last_id_};
  ReadRequest request;
  request.from_time = time;
  request.credit = credit;
  HASTUR_TRY(send(std::move(request)));
  Sequence found = stands->last.next();
  std::vector<std::int64_t> times;
  while (true) {
    const auto part = next();
    if (!part) return fail(part.error());
    if (!*part) return found;
    const auto* batch = std::get_if<Batch>(&**part);
    if (batch == nullptr) continue;
    const BatchView view = BatchView::trusted(batch->header, batch->body);
    stream_times(view, times);
    const auto first = std::ranges::lower_bound(times, to_us(time));
    if (first == times.end()) continue;
    found = view.sequence(static_cast<std::uint32_t>(first - times.begin()));
    HASTUR_TRY(send(CreditRequest{0}));
    ended_ = true;
    return found;
  }
}

void HistorySource::read(Sequence from, std::optional<Sequence> until) {
  replies_.clear();
  refused_.reset();
  ended_ = false;
  asked_ = {++last_id_};
  ReadRequest request;
  request.from = from;
  request.until = until;
  request.credit = credit;
  if (const auto sent = send(std::move(request)); !sent) refused_ = sent.error();
}

Result<std::optional<HistorySource::Part>> HistorySource::next() {
  if (refused_) return fail(*refused_);
  if (ended_) return std::optional<Part>();
  auto reply = answer();
  if (!reply) return fail(reply.error());
  if (auto* batch = std::get_if<BatchReply>(&*reply)) {
    HASTUR_TRY(send(CreditRequest{1}));
    return std::optional(Part(std::move(batch->batch)));
  }
  if (auto* lost = std::get_if<LostReply>(&*reply)) return std::optional(Part(std::move(*lost)));
  ended_ = true;
  return std::optional<Part>();
}

}  // namespace hastur
