#include "trigger-runtime/vm/feed.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "trigger-runtime/vm/helper_functions.h"

namespace hastur {
namespace {

// The first tick in [from, end), or `end`.
std::uint32_t next_tick(const BatchView& batch, std::uint32_t from, std::uint32_t end) {
  const std::uint8_t* types = batch.types().data();
  const void* found =
      from < end ? std::memchr(types + from, static_cast<int>(MessageType::tick), end - from)
                 : nullptr;
  return found == nullptr
             ? end
             : static_cast<std::uint32_t>(static_cast<const std::uint8_t*>(found) - types);
}

}  // namespace

Feed::Feed(LoadedTrigger& trigger, const BatchView& batch,
           std::span<const std::int64_t> stream_times, std::span<const Skip> skips,
           CallObserver* observer)
    : trigger_(trigger),
      vm_(trigger.vm),
      lua_(trigger.vm.lua),
      batch_(batch),
      stream_times_(stream_times),
      skips_(skips),
      observer_(observer) {}

TriggerProgress Feed::run(std::uint32_t from_row, std::uint32_t end_row,
                          std::span<const Match> matches) {
  HASTUR_CHECK(
      from_row <= end_row && end_row <= batch_.count() && stream_times_.size() == batch_.count(),
      "a feed's rows are not those of its batch");
  progress_.handle = vm_.handle;
  if (trigger_.stopped) {
    progress_.reached = {batch_.header().first.value + from_row - 1};
    return std::move(progress_);
  }
  const std::uint64_t dropped_before = vm_.helpers.dropped();
  vm_.effects.begin_feed();
  vm_.messages.begin_batch(batch_);
  vm_.ahead.begin_batch(batch_);
  // There is no emergency collection when the cap is reached: room is made here.
  if (vm_.memory.used() > vm_.memory.cap() / 2) lua_gc(lua_, LUA_GCCOLLECT, 0);

  matches = {std::ranges::lower_bound(matches, from_row, {}, &Match::row), matches.end()};
  std::uint32_t tick = next_tick(batch_, from_row, end_row);
  Sequence reached{batch_.header().first.value + end_row - 1};
  while (true) {
    const std::uint32_t matched =
        matches.empty() ? end_row : std::min(matches.front().row, end_row);
    const std::uint32_t row = std::min(matched, tick);
    if (row == end_row) break;
    if (must_yield()) [[unlikely]] {
      reached = {batch_.sequence(row).value - 1};
      progress_.yielded = true;
      break;
    }
    begin_input(row);
    const bool goes_on = row == tick ? take_tick(row) : take_message(row, matches);
    if (!goes_on) {
      reached = {batch_.sequence(row).value - 1};
      break;
    }
    if (row == tick) tick = next_tick(batch_, row + 1, end_row);
  }

  vm_.messages.end_batch();
  vm_.ahead.end_batch();
  progress_.reached = reached;
  progress_.effects = vm_.effects.take();
  progress_.effects_hash = vm_.effects.hash();
  progress_.effects_cut = vm_.effects.cut();
  progress_.callbacks_undone = std::exchange(trigger_.undone, 0);
  progress_.helpers_dropped = vm_.helpers.dropped() - dropped_before;
  progress_.touched = trigger_.touched;
  progress_.wants_ticks = !trigger_.runtime.failures.empty() || vm_.helpers.has_retired();
  return std::move(progress_);
}

bool Feed::must_yield() {
  // About a tenth of a millisecond.
  constexpr std::uint64_t instructions_between = 10'000;
  if (observer_ == nullptr ||
      progress_.instructions - looked_at_instructions_ < instructions_between)
    return false;
  looked_at_instructions_ = progress_.instructions;
  return observer_->must_yield(progress_.instructions, vm_.effects.bytes());
}

void Feed::begin_input(std::uint32_t row) {
  std::uint8_t depth = 1;
  if (const std::uint32_t origin = batch_.origins()[row]; origin != BatchView::none) {
    depth = static_cast<std::uint8_t>(std::min(batch_.origin(origin).depth, std::uint8_t{254}) + 1);
  }
  vm_.effects.begin_input(batch_.sequence(row), time_from_us(stream_times_[row]), depth);
  touched_before_ = trigger_.touched;
  errors_before_ = progress_.errors.size();
  if (trigger_.runtime.failures.is_due(vm_.effects.now())) [[unlikely]]
    report_failures();
}

// What failed in a minute that is over. It stands before the effects of the input that came first
// after it.
void Feed::report_failures() {
  const FailureCounts counts = std::exchange(trigger_.runtime.failures, {});
  trigger_.touched = true;
  if (counts.depth > derived_depth_max) return;
  for (const auto& line : counts.lines) {
    vm_.effects.add_report(failure_message(counts, line, vm_.name, vm_.uuid, vm_.effects.now()),
                           counts.depth);
  }
}

void Feed::count_failure(const ScriptError& error) {
  trigger_.runtime.failures.count(vm_.effects.now(), error, vm_.effects.depth());
}

bool Feed::take_message(std::uint32_t row, std::span<const Match>& matches) {
  vm_.ahead.begin_message(matches);
  while (!matches.empty() && matches.front().row == row) {
    if (!call_with_message(matches.front().callback, row)) return false;
    matches = matches.subspan(1);
  }
  vm_.effects.end_input();
  return true;
}

bool Feed::take_tick(std::uint32_t row) {
  vm_.ahead.end_message();
  const Time time = time_from_us(batch_.timestamps()[row]);
  deaf_ = trigger_.take_deaf(Micros{static_cast<std::int64_t>(batch_.values()[row])}, time);
  const std::vector<Callback>& callbacks = vm_.declared.callbacks;
  if (vm_.observation.is_on() && !vm_.helpers.empty()) [[unlikely]]
    vm_.observation.begin_tick(lua_);
  if (!vm_.helpers.empty() && !take_deadlines()) return false;
  if (trigger_.runtime.last_tick && trigger_.loaded.periodic > 0) {
    for (std::uint32_t i = 0; i < callbacks.size(); ++i) {
      if (!callbacks[i].period) continue;
      if (deaf_ > Micros{0}) add_deaf(i);
      const std::optional<Firing> fires =
          firing(*callbacks[i].period, *trigger_.runtime.last_tick, time);
      if (fires && !call_with_tick(i, *fires)) return false;
    }
  }
  const bool first = !std::exchange(trigger_.runtime.last_tick, time);
  judge_tick(first);
  return true;
}

// After all callbacks of the tick alerts decide what they say, and then it is judged: what they
// would have said of a state that does not stand, they do not say.
void Feed::judge_tick(bool is_first) {
  const Time now = vm_.effects.now();
  std::vector<HelperSet::Page> pages;
  if (!vm_.helpers.empty() && trigger_.may_alerts_speak(now))
    pages = vm_.helpers.pages(lua_, now, trigger_.touched);
  const bool is_due = trigger_.is_judgement_due(now, is_first);
  std::optional<CallError> error;
  if (is_due) error = trigger_.examine(vm_.effects.sequence(), now);
  if (!error) send(pages);
  if (vm_.observation.is_on() && !vm_.helpers.empty()) [[unlikely]]
    vm_.observation.end_tick(lua_, pages, error ? error->error.text : std::string_view());
  vm_.effects.end_input();
  if (is_due) progress_.judged = trigger_.conclude(vm_.effects.sequence(), now);
  if (error) progress_.errors.push_back(std::move(*error));
}

// A callback that is not called at this tick is told when it is.
void Feed::add_deaf(std::uint32_t callback) {
  trigger_.runtime.deaf[callback] += deaf_;
  trigger_.touched = true;
}

bool Feed::take_deadlines() {
  const Time now = vm_.effects.now();
  if (deaf_ > Micros{0} && vm_.helpers.pass_deaf(deaf_, now)) trigger_.touched = true;
  auto call = static_cast<std::uint32_t>(vm_.declared.callbacks.size());
  for (const DueKey& due : vm_.helpers.due(now)) {
    auto& keyed = static_cast<Keyed&>(*due.helper);
    if (due.what == DueKey::What::forget) {
      if (keyed.forget(due.key, now)) trigger_.touched = true;
    } else if (const auto id = keyed.take_silence(due.key, now)) {
      trigger_.touched = true;
      if (!call_with_silence(due, *id, call)) return false;
      ++call;
    }
  }
  return true;
}

// Each page is one of its own: how many there are is bounded by the alerts themselves.
void Feed::send(std::span<const HelperSet::Page> pages) {
  for (const HelperSet::Page& one : pages) {
    vm_.effects.begin_callback(vm_.effects.now());
    vm_.effects.add_notification(alert_notification(*one.alert, vm_.name, one.page));
    vm_.effects.end_callback(true);
  }
}

bool Feed::call_with_silence(const DueKey& due, std::uint32_t id, std::uint32_t number) {
  const Time now = vm_.effects.now();
  const auto& keyed = static_cast<const Keyed&>(*due.helper);
  const ScriptHelper& made = vm_.helpers.of(*due.helper);
  const Call call{*made.silence_callback, number, 3};
  const Time since = keyed.touched_at(id);
  if (!begin_call(call, now, now)) return true;
  {
    const CapLifted lifted(vm_.memory);
    push_text(lua_, due.key);
    // What serialises before a call puts no state back: the id still stands for the key.
    made.values->push(id);
    lua_createtable(lua_, 0, 2);
    lua_pushnumber(lua_, static_cast<double>(to_us(since)));
    lua_setfield(lua_, -2, "since");
    lua_pushnumber(lua_, static_cast<double>((now - since).count()));
    lua_setfield(lua_, -2, "silent_for");
  }
  return finish_call(call);
}

bool Feed::begin_call(const Call& call, Time event_time, Time input_time) {
  trigger_.touched = true;
  const Skip here{vm_.effects.sequence(), call.number, {}};
  // Within an input calls do not come in the order of their numbers.
  while (!skips_.empty() && skips_.front().sequence < here.sequence) skips_ = skips_.subspan(1);
  for (const Skip& skip : skips_) {
    if (skip.sequence != here.sequence) break;
    if (skip != here) continue;
    count_failure(skip.error);
    return false;
  }
  guarded_ = trigger_.guard();
  if (observer_ != nullptr) observer_->begins(vm_.handle, here.sequence, call.number);
  vm_.effects.begin_callback(event_time);
  vm_.random.begin(here.sequence);
  vm_.input_time = input_time;
  if (vm_.observation.is_on()) [[unlikely]]
    vm_.observation.begin_call(lua_, here.sequence, call.number);
  vm_.phase = Vm::Phase::callback;
  lua_rawgeti(lua_, callbacks_index, static_cast<int>(call.callback) + 1);
  vm_.budget.arm(lua_, vm_.limits.instructions_max);
  return true;
}

bool Feed::finish_call(const Call& call) {
  const int status = lua_pcall(lua_, call.arguments, 0, error_position_index);
  vm_.messages.end_call();
  vm_.phase = Vm::Phase::idle;
  ++progress_.callbacks;
  progress_.instructions += vm_.budget.used();
  if (vm_.observation.is_on()) [[unlikely]]
    vm_.observation.end_call(lua_, status == 0, vm_.budget.used());
  if (status != 0) [[unlikely]]
    return answer_error(status, call);
  vm_.effects.end_callback(true);
  ++trigger_.calls;
  if (trigger_.compare_each_call) [[unlikely]]
    compare(call.callback);
  return true;
}

void Feed::compare(std::uint32_t callback) {
  std::optional<CallError> change = trigger_.hidden_change(callback);
  if (!change) return;
  change->sequence = vm_.effects.sequence();
  change->time = vm_.effects.now();
  progress_.errors.push_back(std::move(*change));
}

bool Feed::call_with_message(std::uint32_t callback, std::uint32_t row) {
  HASTUR_CHECK(callback < vm_.declared.callbacks.size() && !vm_.declared.callbacks[callback].period,
               "a match names a callback that is no subscription");
  const Call call{callback, callback, 1};
  if (!begin_call(call, vm_.effects.now(), time_from_us(batch_.timestamps()[row]))) return true;
  vm_.messages.begin_call(row);
  if (vm_.declared.callbacks[callback].message_stays) {
    lua_pushvalue(lua_, message_index);
  } else {
    const CapLifted lifted(vm_.memory);
    vm_.messages.push_own(lua_);
  }
  return finish_call(call);
}

bool Feed::call_with_tick(std::uint32_t callback, const Firing& firing) {
  const Call call{callback, callback, 1};
  const auto found = trigger_.runtime.deaf.extract(callback);
  const Micros deaf = found.empty() ? Micros{0} : found.mapped();
  if (!begin_call(call, firing.time, firing.time)) return true;
  {
    const CapLifted lifted(vm_.memory);
    lua_createtable(lua_, 0, 3);
    lua_pushnumber(lua_, static_cast<double>(to_us(firing.time)));
    lua_setfield(lua_, -2, "time");
    lua_pushnumber(lua_, static_cast<double>(firing.missed));
    lua_setfield(lua_, -2, "missed");
    lua_pushnumber(lua_, static_cast<double>(deaf.count()));
    lua_setfield(lua_, -2, "deaf");
  }
  return finish_call(call);
}

bool Feed::answer_error(int status, const Call& call) {
  vm_.effects.end_callback(false);
  CallError error = trigger_.call_error(status, call.callback);
  error.callback = call.number;
  error.sequence = vm_.effects.sequence();
  error.time = vm_.effects.now();
  // Where memory ran out is not the same on every machine: it must be journalled, so it always
  // stops.
  if (guarded_ && error.kind != CallError::Kind::memory && trigger_.put_back()) {
    count_failure(error.error);
    progress_.errors.push_back(std::move(error));
    return true;
  }
  vm_.effects.drop_input();
  progress_.errors.resize(errors_before_);
  progress_.stopped = Stopped{std::move(error)};
  trigger_.touched = touched_before_;
  trigger_.stopped = true;
  return false;
}

}  // namespace hastur
