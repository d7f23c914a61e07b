#include "supervisor/dispatch/trigger.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/json.h"

namespace hastur {

ScriptVersion make_version(ScriptFile script, std::vector<ScriptFile> libraries) {
  std::ranges::sort(libraries, {}, &ScriptFile::path);
  // Lengths stand before the bytes, so that no two different sets of files fold to the same text.
  std::string all;
  const auto add = [&all](const ScriptFile& file) {
    all += fmt::format("{}:{}:", file.path.size(), file.text.size());
    all += file.path;
    all += file.text;
  };
  add(script);
  for (const ScriptFile& library : libraries) add(library);
  const std::uint64_t low = hash64(all, 0);
  return {fmt::format("{:016x}{:016x}", hash64(all, low), low), std::move(script),
          std::move(libraries)};
}

std::string file_id(const ScriptFile& script) { return make_version(script, {}).id; }

std::string told(const ScriptError& error) {
  return error.line > 0 ? fmt::format("{}:{}: {}", error.script, error.line, error.text)
                        : fmt::format("{}: {}", error.script, error.text);
}

Trigger::Trigger(TriggerName name, ScriptVersion version, CountedLimits limits,
                 Checkpoint checkpoint, std::vector<Skip> skips, std::vector<Pause> pauses)
    : name_(std::move(name)),
      version_(std::move(version)),
      limits_(limits),
      stored_(std::move(checkpoint)),
      skips_(std::move(skips)),
      cursor_(stored_.state_sequence),
      dispatched_(stored_.state_sequence),
      pauses_(std::move(pauses)),
      hash_(stored_.effects_hash),
      emitted_through_(std::max(stored_.effects_sequence, stored_.state_sequence)) {
  comparing_ = stored_.state_sequence < emitted_through_;
  restart();
}

std::optional<Memory> Trigger::memory() const {
  if (judged_) return judged_;
  if (stored_.state.empty()) return std::nullopt;
  return Memory{stored_.state_sequence, stored_.state_time, stored_.state, stored_.runtime};
}

void Trigger::untouched_through(Sequence position) {
  if (position <= cursor_ || is_fresh()) return;
  untouched_through_ = position;
  cursor_ = position;
  dispatched_ = position;
  // What it has emitted since its checkpoint, if anything, is all of inputs after the position.
  comparing_ = position < emitted_through_;
  emitted_through_ = std::max(emitted_through_, position);
}

void Trigger::restart() {
  judged_before_ = {};
  // Within a comparison the hash after the newest judgement is not complete: only the stored one
  // is.
  if (comparing_) judged_.reset();
  if (is_settled()) {
    dispatched_ = cursor_;
    return;
  }
  const Sequence from =
      judged_ ? judged_->sequence : std::max(stored_.state_sequence, untouched_through_);
  expected_hash_ = judged_ ? judged_hash_ : hash_;
  judged_hash_ = 0;
  compared_hash_ = 0;
  comparing_ = from < emitted_through_;
  if (cursor_ > from) dirty_ = true;
  cursor_ = from;
  dispatched_ = from;
  touched_ = false;
  wants_ticks_ = true;
}

bool Trigger::is_settled() const {
  return !comparing_ && !is_fresh() && (judged_ ? !touched_ : !dirty_);
}

Sequence Trigger::stored_through() const {
  return is_settled() && !judged_ ? std::max(cursor_, stored_.state_sequence)
                                  : stored_.state_sequence;
}

const Pause* Trigger::open_pause() const {
  return !pauses_.empty() && !pauses_.back().until ? &pauses_.back() : nullptr;
}

Trigger::Stretch Trigger::stretch(Sequence next, Sequence last) const {
  for (const Pause& pause : pauses_) {
    if (next < pause.from) return {std::min(last, Sequence{pause.from.value - 1}), false};
    if (!pause.until) return {last, true};
    if (next < *pause.until) return {std::min(last, Sequence{pause.until->value - 1}), true};
  }
  return {last, false};
}

bool Trigger::stands_before_pause() const {
  const auto begins = [this](const Pause& pause) { return pause.from == dispatched_.next(); };
  // Also if nothing has touched it: its memory has to say since when it stands still.
  return std::ranges::any_of(pauses_, begins) && (unanswered_ > 0 || cursor_ != dispatched_ ||
                                                  touched_ || judged_before_ != dispatched_.next());
}

void Trigger::judged_here(Memory memory) {
  memory.sequence = cursor_;
  judged_ = std::move(memory);
  judged_hash_ = 0;
  touched_ = false;
  judged_before_ = cursor_.next();
  // The first tick after it says how long it stood still.
  wants_ticks_ = true;
}

Router& Trigger::alone() {
  if (!alone_) {
    std::vector<Subscription> subscriptions;
    add_subscriptions(0, subscriptions);
    alone_ = std::make_unique<Router>();
    alone_->build(std::move(subscriptions));
  }
  return *alone_;
}

void Trigger::pass(Sequence sequence) {
  if (sequence <= dispatched_) return;
  dispatched_ = sequence;
  if (unanswered_ > 0) return;
  // Of what it passes nothing comes out any more.
  settle_comparison(dispatched_);
  cursor_ = dispatched_;
  if (!comparing_) emitted_through_ = std::max(emitted_through_, cursor_);
}

bool Trigger::settle_comparison(Sequence reached) {
  if (!comparing_ || reached < emitted_through_) return true;
  comparing_ = false;
  return expected_hash_ == effects_not_compared || compared_hash_ == expected_hash_;
}

Trigger::Accepted Trigger::accept(TriggerProgress progress) {
  HASTUR_CHECK(unanswered_ > 0, "a worker answered more feeds than it was given");
  --unanswered_;

  Accepted accepted;
  accepted.at = fed_times_.front();
  fed_times_.pop_front();
  const Sequence emitted_before = emitted_through_;
  if (progress.reached > emitted_before) accepted.calls = progress.callbacks;
  if (progress.judged && progress.judged->sequence > stored_.state_sequence) {
    judged_ = std::move(progress.judged);
    judged_hash_ = 0;
  }
  for (Effect& effect : progress.effects) {
    if (judged_ && effect.sequence > judged_->sequence)
      judged_hash_ = fold_effect(judged_hash_, effect);
    if (effect.sequence <= emitted_before) {
      if (comparing_) compared_hash_ = fold_effect(compared_hash_, effect);
      continue;
    }
    if (hash_ != effects_not_compared) hash_ = fold_effect(hash_, effect);
    accepted.effects.push_back(std::move(effect));
  }
  for (CallError& error : progress.errors) {
    if (error.sequence > emitted_before) accepted.errors.push_back(std::move(error));
  }
  if (!accepted.errors.empty()) accepted.undone = progress.callbacks_undone;
  if (progress.callbacks > 0 || progress.touched) dirty_ = true;
  touched_ = progress.touched;
  wants_ticks_ = progress.wants_ticks;

  cursor_ = std::max(cursor_, progress.reached);
  accepted.stopped = std::move(progress.stopped);
  accepted.yielded = progress.yielded;
  if (accepted.yielded) {
    yields_ = unanswered_ > 0;
    dispatched_ = cursor_;
  } else if (!accepted.stopped && unanswered_ == 0) {
    cursor_ = dispatched_;
  }
  if (!settle_comparison(cursor_)) {
    accepted.diverged = true;
    ++counts.diverged;
  }
  if (!comparing_) emitted_through_ = std::max(emitted_through_, cursor_);
  if (!accepted.effects.empty() || !accepted.errors.empty()) mark_fresh_ = true;

  counts.callbacks += progress.callbacks;
  counts.instructions += progress.instructions;
  counts.cpu += progress.cpu;
  counts.effects += accepted.effects.size();
  counts.effects_cut += progress.effects_cut;
  counts.helpers_dropped += progress.helpers_dropped;
  counts.errors += accepted.errors.size();
  if (!accepted.errors.empty()) last_error = accepted.errors.back();
  return accepted;
}

void Trigger::answered() {
  HASTUR_CHECK(unanswered_ > 0, "a worker answered more feeds than it was given");
  --unanswered_;
  fed_times_.pop_front();
  if (unanswered_ == 0) yields_ = false;
}

void Trigger::failed_call(const CallError& error) {
  last_error = error;
  ++counts.errors;
  mark_fresh_ = true;
}

void Trigger::add_subscriptions(std::uint32_t slot, std::vector<Subscription>& out) const {
  for (const SubscriptionSpec& spec : loaded.subscriptions) {
    // The worker has tried it and the reply was validated; a filter that fails here matches
    // nothing.
    const auto json = parse_json(spec.filter);
    if (!json) continue;
    auto filter = Filter::parse(*json);
    if (!filter) continue;
    out.push_back({slot, spec.callback, spec.types, std::move(*filter), spec.own, name_});
  }
}

Sequence Trigger::safe_position(bool once_stored) const {
  if (judged_ && !once_stored) return stored_.state_sequence;
  if (is_settled()) return cursor_;
  return judged_ && !comparing_ ? judged_->sequence : stored_.state_sequence;
}

void Trigger::add_skip(Skip skip) { skips_.insert(std::ranges::upper_bound(skips_, skip), skip); }

std::optional<Checkpoint> Trigger::fresh_checkpoint() const {
  if (!judged_ || comparing_) return std::nullopt;
  return Checkpoint{name_,          stored_.run,      judged_->sequence, judged_->time,
                    judged_->state, judged_->runtime, emitted_through_,  judged_hash_};
}

std::optional<EffectsMark> Trigger::fresh_mark() const {
  if (!mark_fresh_) return std::nullopt;
  return EffectsMark{name_, stored_.run, emitted_through_, hash_};
}

void Trigger::committed(const Checkpoint& checkpoint) {
  if (left_behind && checkpoint.state_sequence >= *left_behind) left_behind.reset();
  stored_ = checkpoint;
  hash_ = checkpoint.effects_hash;
  if (judged_ && judged_->sequence == checkpoint.state_sequence) {
    judged_.reset();
    judged_hash_ = 0;
    dirty_ = touched_;
  }
  std::erase_if(skips_, [&](const Skip& skip) { return skip.sequence <= stored_.state_sequence; });
  std::erase_if(pauses_, [&](const Pause& pause) {
    return pause.until && *pause.until <= stored_.state_sequence.next();
  });
  mark_fresh_ = false;
}

void Trigger::committed(const EffectsMark& mark) {
  stored_.effects_sequence = mark.effects_sequence;
  stored_.effects_hash = mark.effects_hash;
  mark_fresh_ = false;
}

}  // namespace hastur
