#include "syndicator/numbering.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/log.h"
#include "core/settings.h"
#include "message/envelope.h"
#include "message/msgpack.h"

namespace hastur {
namespace {

// A difference between the clock and monotonic time that no slewing makes.
constexpr Micros clock_step_min = std::chrono::seconds{2};

std::string uuid_of(const StreamId& stream) {
  std::string text = stream.to_string();
  for (const std::size_t at : {8U, 13U, 18U, 23U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace

Numbering::Numbering(History& history, Options options, Time now)
    : history_(history),
      options_(std::move(options)),
      next_(history.last().next()),
      began_after_(history.last()),
      totals_(history.counters()),
      committed_(totals_) {
  if (options_.uuid.empty()) options_.uuid = uuid_of(history.stream());
  if (const auto at = history.stream_time()) {
    stream_time_ = StreamTime(*at);
    put_up_to_ = *at;
  }
  if (const auto received_at = history.received_at()) {
    received_at_ = *received_at;
    add_deaf(now - *received_at);
  }
  for (HostName& host : history.hosts()) {
    hosts_.emplace(std::move(host.uuid), std::move(host.hostname));
  }
}

void Numbering::take_datagram(std::string_view bytes, Time received_at) {
  if (is_overfull()) return add_lost("lost.history_full", 1);
  JsonDecoder::Defaults defaults;
  defaults.received_at = received_at;
  defaults.uuid = options_.uuid;
  const auto decoded = decoder_.decode(bytes, defaults);
  if (const auto* message = std::get_if<MessageView>(&decoded)) {
    if (is_consumed(*message)) return;
    put(*message);
  } else {
    put_refused(std::get<JsonDecoder::Refused>(decoded), bytes, received_at);
  }
  ++received_;
}

void Numbering::take_core_message(const std::vector<std::string>& parts, Time received_at) {
  if (is_overfull()) return add_lost("lost.history_full", 1);
  ++core_received_;
  const std::string_view original = parts.empty() ? std::string_view() : parts.back();
  if (parts.size() != 2) {
    return put_refused(
        {Refusal::bad_envelope,
         fmt::format("a core's message has 2 parts, envelope and payload, not {}", parts.size())},
        original, received_at);
  }
  const auto envelope = decode_envelope(parts[0]);
  if (!envelope)
    return put_refused({Refusal::bad_envelope, envelope.error().message}, original, received_at);
  std::array<char, 36> uuid{};
  const auto defaults = payload_defaults(*envelope, received_at, uuid);
  if (const auto* refused = std::get_if<JsonDecoder::Refused>(&defaults)) {
    return put_refused(*refused, original, received_at);
  }
  const auto decoded = decoder_.decode(parts[1], std::get<JsonDecoder::Defaults>(defaults));
  if (const auto* refused = std::get_if<JsonDecoder::Refused>(&decoded)) {
    return put_refused(*refused, original, received_at);
  }
  const auto& message = std::get<MessageView>(decoded);
  if (!is_consumed(message)) return put(message);
  --core_received_;
}

void Numbering::take_derived(const DerivedMessage& derived, Time now) {
  DerivedMark mark = this->mark(derived.trigger);
  if (mark.covers(derived.run, derived.sequence, derived.ordinal)) return count("appended_again");
  mark.run = derived.run;
  mark.sequence = derived.sequence;
  mark.ordinal = derived.ordinal;
  marks_[derived.trigger] = mark;
  moved_marks_.insert(derived.trigger);

  if (derived.depth > derived_depth_max) return count("refused.derived_depth");
  const std::string uuid = trigger_uuid(derived.trigger);
  JsonDecoder::Defaults defaults;
  defaults.received_at = now;
  defaults.uuid = uuid;
  defaults.recorded = true;
  const auto decoded = decoder_.decode(derived.json, defaults);
  const Origin origin{derived.trigger, derived.run,   derived.sequence,
                      derived.ordinal, derived.depth, derived.correction};
  if (const auto* message = std::get_if<MessageView>(&decoded)) {
    if (is_consumed(*message)) return;
    MessageView view = *message;
    view.received_at = now;
    view.origin = origin;
    put(view);
    return count("appended");
  }
  // Workers write these themselves, so this is a fault; it must not stand in the way of what comes
  // after it.
  const auto& refused = std::get<JsonDecoder::Refused>(decoded);
  count(fmt::format("refused.{}", refusal_name(refused.why)));
  const Message error = refused_message(refused, derived.json, uuid, now);
  MessageView view = error.view();
  view.origin = origin;
  put(view);
}

Result<void> Numbering::skip_behind(Sequence seen) {
  const Sequence stood = history_.last();
  const auto skipped = history_.skip_behind(seen);
  if (!skipped) return fail(skipped.error());
  if (!*skipped) return {};
  const LostRange& hole = **skipped;
  log_error(
      "History was set back: it ends at {}, and a supervisor has seen its stream up to {}. It goes "
      "on at {}; {} to {} count as lost ({})",
      stood.value, seen.value, hole.last.next().value, hole.first.value, hole.last.value, hole.why);
  if (stood > began_after_) {
    log_error(
        "the numbers {} to {} were given out since this start, before that was known: they stand "
        "for two messages each, and supervisors do not take the second",
        began_after_.next().value, stood.value);
  }
  next_ = hole.last.next();
  for (Finished& finished : finished_) {
    finished.batch.header.first = next_;
    next_ = finished.batch.header.last().next();
  }
  return {};
}

void Numbering::add_deaf(Micros span) {
  if (span > Micros{0}) deaf_ += span;
}

void Numbering::add_lost(const std::string& why, std::uint64_t lost) {
  if (lost == 0) return;
  count_at_once(why, lost);
  unrecorded_[why] += lost;
}

void Numbering::pass_time(Time now, Micros monotonic, bool quiet) {
  if (passed_now_ != Time{}) {
    const Micros step = (now - passed_now_) - (monotonic - passed_monotonic_);
    if (step > clock_step_min) add_deaf(step);
  }
  passed_now_ = now;
  passed_monotonic_ = monotonic;

  const Time this_second = whole_second(now);
  if (!second_) {
    second_ = this_second;
    at_second_ = stream_time_.at();
  }
  // What waits to be taken may move stream time into the second that is being judged.
  if (this_second <= *second_ || !quiet || is_overfull()) return;
  if (stream_time_.at() == at_second_) {
    received_at_ = std::max(received_at_, now);
    advance(this_second, received_at_);
  }
  put_lost(now);
  second_ = this_second;
  at_second_ = stream_time_.at();
}

std::vector<Batch> Numbering::append(Time now) {
  std::vector<Batch> appended;
  if (failure_ && now < retry_at_) return appended;
  // While History fails, small batches are left to grow.
  if (builder_.count() > 0 && finished_.empty()) finish_batch();
  while (!finished_.empty()) {
    Finished& first = finished_.front();
    const auto done = history_.append(first.batch, {first.hosts, first.marks, first.counters});
    if (!done) {
      fail_append(done.error(), now);
      return appended;
    }
    for (auto& [name, total] : first.counters) committed_[name] = total;
    finished_bytes_ -= first.batch.body.size();
    appended.push_back(std::move(first.batch));
    finished_.pop_front();
    if (failure_) recover(now);
    if (finished_.empty() && builder_.count() > 0) finish_batch();
  }
  return appended;
}

DerivedMark Numbering::mark(const TriggerName& trigger) const {
  if (const auto known = marks_.find(trigger); known != marks_.end()) return known->second;
  if (auto stored = history_.mark(trigger)) return *std::move(stored);
  DerivedMark none;
  none.trigger = trigger;
  return none;
}

bool Numbering::is_consumed(const MessageView& message) {
  if (message.type != MessageType::noop && message.type != MessageType::ack) return false;
  count("consumed");
  return true;
}

bool Numbering::is_overfull() {
  if (overfull_since_) return true;
  if (!failure_ || finished_bytes_ + builder_.bytes() < options_.held_bytes_max) return false;
  overfull_since_ = passed_now_;
  log_error(
      "nothing more can be held for the History ({} waits): what arrives is lost until it can be "
      "written",
      format_bytes(finished_bytes_ + builder_.bytes()));
  return true;
}

void Numbering::put(MessageView message) {
  message.received_at = received_at_ = std::max(received_at_, message.received_at);
  // A registration bears the name that it gives, so that filters see it there too.
  if (const auto name = registered_hostname(message)) learn_host(message.uuid, *name);
  if (message.origin) {
    message.hostname.reset();
  } else if (!message.hostname) {
    if (const auto host = hosts_.find(message.uuid); host != hosts_.end())
      message.hostname = host->second;
  }
  const Time time = std::min(message.timestamp, received_at_);
  advance(time, received_at_);
  make_room();
  builder_.add(message);
  put_up_to_ = std::max(put_up_to_, time);
}

void Numbering::put_refused(const JsonDecoder::Refused& refused, std::string_view original,
                            Time received_at) {
  count(fmt::format("refused.{}", refusal_name(refused.why)));
  put(refused_message(refused, original, options_.uuid, received_at).view());
}

void Numbering::put_lost(Time now) {
  for (const auto& [why, lost] : unrecorded_) {
    std::string fields;
    MsgpackWriter out(fields);
    out.map(4);
    out.string("class");
    out.string("lost");
    out.string("count");
    out.unsigned_integer(lost);
    out.string("data");
    out.string(why);
    out.string("error");
    out.string(fmt::format("{} messages were lost before they could be numbered ({})", lost, why));
    MessageView message;
    message.type = MessageType::error;
    message.timestamp = now;
    message.received_at = now;
    message.uuid = options_.uuid;
    message.fields = fields;
    put(message);
  }
  unrecorded_.clear();
}

void Numbering::advance(Time time, Time received_at) {
  stream_time_.advance(time, std::exchange(deaf_, Micros{0}),
                       [this, received_at](const Tick& tick) {
                         make_room();
                         builder_.add_tick(tick.time, received_at, tick.deaf);
                         put_up_to_ = std::max(put_up_to_, tick.time);
                       });
}

void Numbering::learn_host(std::string_view uuid, std::string_view name) {
  const auto known = hosts_.find(uuid);
  if (known == hosts_.end()) {
    if (hosts_.size() >= options_.hosts_max) return count("hosts_full");
    hosts_.emplace(uuid, name);
  } else {
    if (known->second == name) return;
    known->second = name;
  }
  new_hosts_.push_back({std::string(uuid), std::string(name)});
}

// Before each row: builder_ can take it, and before_first_ is right.
void Numbering::make_room() {
  if (builder_.count() >= options_.rows_max || builder_.bytes() >= options_.bytes_max ||
      !builder_.has_room()) {
    finish_batch();
  }
  if (builder_.count() == 0) before_first_ = put_up_to_;
}

void Numbering::finish_batch() {
  if (received_ > 0) count("received", std::exchange(received_, 0));
  if (core_received_ > 0) count("core_received", std::exchange(core_received_, 0));
  Finished& finished = finished_.emplace_back();
  finished.batch = builder_.finish(history_.stream(), next_, before_first_);
  next_ = finished.batch.header.last().next();
  finished_bytes_ += finished.batch.body.size();
  finished.hosts = std::exchange(new_hosts_, {});
  for (const TriggerName& trigger : std::exchange(moved_marks_, {}))
    finished.marks.push_back(marks_[trigger]);
  for (const std::string& name : std::exchange(changed_, {}))
    finished.counters.emplace_back(name, totals_[name]);
}

void Numbering::count(const std::string& name, std::uint64_t by) {
  totals_[name] += by;
  changed_.insert(name);
}

void Numbering::count_at_once(const std::string& name, std::uint64_t by) {
  count(name, by);
  committed_[name] += by;
}

void Numbering::fail_append(const Error& error, Time now) {
  if (!failure_) {
    log_error("the History cannot be written, what arrives is held and tried again: {}",
              error.message);
    failing_since_ = now;
  }
  failure_ = error;
  retry_at_ = now + options_.retry_after;
}

void Numbering::recover(Time now) {
  log_info("the History can be written again");
  failure_.reset();
  failing_since_.reset();
  if (!overfull_since_) return;
  add_deaf(now - *overfull_since_);
  overfull_since_.reset();
  put_lost(now);
}

}  // namespace hastur
