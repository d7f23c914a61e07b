#include "supervisor/http/history_reader.h"

namespace hastur {

void HistoryReader::read(ReadRequest request, Each each, Done done, Micros now_monotonic) {
  if (!connected_) {
    return done(
        fail(ErrorCode::unavailable,
             "there is no connection to the syndicator, which holds History; is it running?"));
  }
  if (readings_.size() >= reads_max) {
    return done(fail(ErrorCode::unavailable,
                     "too many reads of History are under way; try again in a moment"));
  }
  const std::uint64_t id = next_id_++;
  readings_.emplace(id, Reading{std::move(each), std::move(done), now_monotonic});
  send_({RequestId{id}, std::move(request)});
}

void HistoryReader::finish(std::uint64_t id, Result<void> how) {
  const auto found = readings_.find(id);
  if (found == readings_.end()) return;
  const Done done = std::move(found->second.done);
  readings_.erase(found);
  done(std::move(how));
}

bool HistoryReader::replied(const ReplyFrame& frame, Micros now_monotonic) {
  if (frame.id.value < first_id) return false;
  const auto found = readings_.find(frame.id.value);
  if (found == readings_.end()) return true;
  found->second.last_heard = now_monotonic;
  if (const auto* batch = std::get_if<BatchReply>(&frame.reply)) {
    const bool more =
        found->second.each(BatchView::trusted(batch->batch.header, batch->batch.body));
    send_({frame.id, CreditRequest{more ? 1u : 0u}});
    if (!more) finish(frame.id.value, {});
  } else if (std::holds_alternative<ReadEnd>(frame.reply)) {
    finish(frame.id.value, {});
  } else if (const auto* refused = std::get_if<RefusedReply>(&frame.reply)) {
    finish(frame.id.value, fail(refused->error));
  }
  return true;
}

void HistoryReader::turn(Micros now_monotonic) {
  std::vector<std::uint64_t> late;
  for (const auto& [id, reading] : readings_) {
    if (now_monotonic - reading.last_heard >= answer_max) late.push_back(id);
  }
  for (const std::uint64_t id : late) {
    finish(id, fail(ErrorCode::unavailable, "the syndicator does not answer; is it running?"));
  }
}

void HistoryReader::connected() {
  finish_all();
  connected_ = true;
}

void HistoryReader::disconnected() {
  connected_ = false;
  finish_all();
}

void HistoryReader::finish_all() {
  while (!readings_.empty()) {
    finish(readings_.begin()->first,
           fail(ErrorCode::unavailable,
                "the connection to the syndicator was lost while History was read; try again"));
  }
}

}  // namespace hastur
