#include "supervisor/dispatch/output_gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"

namespace hastur {
namespace {

// Messages that are read at once: each may be of 256 KiB.
constexpr std::size_t outbox_read = 128;

}  // namespace

void OutputGate::add_effect(const TriggerName& trigger, Run run, const Effect& effect, bool late) {
  waiting_bytes_ += effect.payload.size();
  switch (effect.kind) {
    case EffectKind::message:
    case EffectKind::report:
      waiting_.messages.push_back(
          {trigger, run, effect.sequence, effect.ordinal, effect.depth, effect.payload});
      return;
    case EffectKind::notification: {
      NotificationRecord record;
      record.trigger = trigger;
      record.run = run;
      record.sequence = effect.sequence;
      record.ordinal = effect.ordinal;
      record.time = effect.time;
      record.payload = effect.payload;
      return add_notification(std::move(record), late);
    }
    case EffectKind::log: {
      // The worker's reply was validated: it is JSON; a text that is missing is no reason to lose
      // the line.
      const auto payload = parse_json(effect.payload);
      const std::string text =
          payload && payload->contains("text") && (*payload)["text"].is_string()
              ? (*payload)["text"].get<std::string>()
              : effect.payload;
      waiting_.logs.push_back({trigger, effect.sequence, effect.time, "log", text, "", 0});
      return;
    }
  }
}

void OutputGate::judge(NotificationRecord& record) const {
  read_payload(record);
  options_.rule(record);
}

void OutputGate::add_notification(NotificationRecord record, bool late) {
  judge(record);
  if (late) {
    record.status = NotificationStatus::pending;
    record.reason = late_reason;
  }
  waiting_.notifications.push_back(std::move(record));
}

void OutputGate::add_error(const TriggerName& trigger, const CallError& error) {
  waiting_.logs.push_back({trigger, error.sequence, error.time, "error", error.error.text,
                           error.error.script, error.error.line});
}

bool OutputGate::is_full() const {
  return waiting_.messages.size() + waiting_.notifications.size() + waiting_.logs.size() >=
             options_.waiting_max ||
         waiting_bytes_ >= options_.waiting_bytes_max;
}

Result<CommitBatch> OutputGate::commit() {
  if (waiting_.empty()) return CommitBatch{};
  HASTUR_TRY(store_.commit(waiting_));
  ++commits_;
  waiting_bytes_ = 0;
  return std::exchange(waiting_, CommitBatch{});
}

std::optional<RequestFrame> OutputGate::request(Micros now, std::uint64_t& next_request) {
  if (!epoch_) return std::nullopt;
  if (asked_at_ && now - *asked_at_ < options_.answer_max) return std::nullopt;
  if (retry_at_ && now < *retry_at_) return std::nullopt;
  if (store_.outbox_size() == 0) return std::nullopt;
  AppendRequest append{store_.owner(), *epoch_, {}};
  std::size_t bytes = 0;
  bool full = false;
  for (std::size_t seen = 0; seen < options_.append_max && !full;) {
    const auto kept = store_.outbox(seen, std::min(outbox_read, options_.append_max - seen));
    if (!kept || kept->empty()) break;
    seen += kept->size();
    for (const OutboxMessage& message : *kept) {
      if (!leased_.contains(message.trigger)) continue;
      bytes += message.payload.size();
      full = bytes > options_.append_bytes_max && !append.messages.empty();
      if (full) break;
      append.messages.push_back({message.trigger, message.run, message.sequence, message.ordinal,
                                 message.depth, message.payload, message.correction});
    }
  }
  if (append.messages.empty()) return std::nullopt;
  asked_ = RequestId{next_request++};
  asked_at_ = now;
  retry_at_.reset();
  return RequestFrame{asked_, std::move(append)};
}

Result<bool> OutputGate::replied(const ReplyFrame& frame, Micros now) {
  if (!asked_at_ || frame.id != asked_) return false;
  asked_at_.reset();
  if (const auto* appended = std::get_if<AppendReply>(&frame.reply)) {
    for (const AppendReply::Mark& mark : appended->marks) {
      HASTUR_TRY(store_.acknowledge(mark.trigger, mark.run, mark.sequence, mark.ordinal));
    }
    released_ += appended->marks.size();
    return true;
  }
  if (const auto* refused = std::get_if<RefusedReply>(&frame.reply)) {
    if (refused->error.code == ErrorCode::stale) return fail(refused->error);
    retry_at_ = now + options_.retry_after;
    return true;
  }
  return fail(ErrorCode::invalid, "the syndicator answered an append with something else");
}

}  // namespace hastur
