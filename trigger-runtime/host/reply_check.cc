#include "trigger-runtime/host/reply_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "core/json.h"
#include "message/filter.h"
#include "trigger-runtime/host/json_check.h"

namespace hastur {
namespace {

Failure broke(std::string what) { return fail(ErrorCode::corrupt, std::move(what)); }

bool bounded(const ScriptError& error) {
  return error.text.size() <= text_bytes_max && error.script.size() <= text_bytes_max;
}

bool bounded(const CallError& error) { return bounded(error.error); }

bool is_memory(const Memory& memory, std::uint64_t state_bytes_max) {
  return memory.state.size() <= state_bytes_max && memory.runtime.size() <= runtime_bytes_max &&
         is_json_object(memory.state) && is_json_object(memory.runtime);
}

template <class Wanted, class... Commands>
constexpr std::size_t index_in(std::type_identity<std::variant<Commands...>>) {
  constexpr bool is_wanted[] = {std::is_same_v<Wanted, Commands>...};
  std::size_t index = 0;
  while (!is_wanted[index]) ++index;
  return index;
}
template <class Command>
constexpr std::size_t index_of = index_in<Command>(std::type_identity<WorkerCommand>{});

// The rows of one trigger in one batch, as sequences.
class Window {
 public:
  Window(const InputBatch& input, std::uint32_t from, std::uint32_t end)
      : input_(input), from_(input.batch.header.first.plus(from)), count_(end - from) {}

  bool holds(Sequence sequence) const {
    return sequence >= from_ && sequence.value - from_.value < count_;
  }
  // Stream time at a sequence that it holds.
  bool is_time_of(Sequence sequence, Time time) const {
    return input_.stream_times[sequence.value - input_.batch.header.first.value] == to_us(time);
  }
  bool holds(Sequence sequence, Time time) const {
    return holds(sequence) && is_time_of(sequence, time);
  }
  // As a place that has been reached: the input before the first one, or any in it.
  bool can_reach(Sequence sequence) const {
    return sequence.next() >= from_ && sequence.next().value - from_.value <= count_;
  }

 private:
  const InputBatch& input_;
  Sequence from_;
  std::uint64_t count_;
};

}  // namespace

void ReplyCheck::sent(const WorkerCommand& command) {
  Expected expected;
  expected.command = command.index();
  if (const auto* load = std::get_if<LoadCommand>(&command)) {
    expected.handle = load->handle;
    expected.migration_due = load->memory && load->migrate_from;
    expected.warmth_due = load->warm.has_value();
    if (load->memory) expected.restored_to = load->memory->sequence;
    known_[load->handle.value] = {
        load->memory ? load->memory->sequence : Sequence{},
        std::max(load->limits.state_bytes_max, load->limits.state_bytes_ceiling)};
  } else if (const auto* restore = std::get_if<RestoreCommand>(&command)) {
    expected.handle = restore->handle;
    expected.restored_to = restore->memory.sequence;
  } else if (const auto* feed = std::get_if<FeedCommand>(&command)) {
    expected.input = feed->input;
    for (const TriggerFeed& trigger : feed->triggers) {
      Rows& rows =
          expected.rows.emplace_back(Rows{trigger.handle, trigger.from_row, trigger.end_row, {}});
      for (const Skip& skip : trigger.skips) rows.skips.insert(skip.place());
    }
  } else if (const auto* judge = std::get_if<JudgeCommand>(&command)) {
    expected.handle = judge->handle;
  } else if (const auto* observe = std::get_if<ObserveCommand>(&command)) {
    expected.handle = observe->handle;
  } else if (const auto* unload = std::get_if<UnloadCommand>(&command)) {
    expected.handle = unload->handle;
  }
  expected_.push_back(std::move(expected));
}

std::size_t ReplyCheck::triggers_expected() const {
  return expected_.empty() ? 0 : expected_.front().rows.size();
}

bool ReplyCheck::under_way(Sequence sequence) const {
  if (expected_.empty() || !expected_.front().input) return false;
  const BatchHeader& header = expected_.front().input->batch.header;
  return sequence >= header.first && sequence.value - header.first.value < header.count;
}

Result<void> ReplyCheck::answered(const WorkerReply& reply) {
  if (expected_.empty()) return broke("it answered what nobody asked");
  const Expected expected = std::move(expected_.front());
  expected_.pop_front();
  return std::visit([&](const auto& kind) { return check(expected, kind); }, reply);
}

Result<void> ReplyCheck::check(const Expected& expected, const Loaded& loaded) {
  if (expected.command != index_of<LoadCommand> || loaded.handle != expected.handle) {
    return broke("it reports a trigger as loaded that it was not asked to load");
  }
  for (const SubscriptionSpec& spec : loaded.subscriptions) {
    if (spec.filter.size() > text_bytes_max) return broke("a filter is too large");
    const Result<Json> json = parse_json(spec.filter);
    if (!json) return broke("a filter is no JSON");
    if (const auto filter = Filter::parse(*json); !filter) {
      return broke(fmt::format("a filter is none: {}", filter.error().message));
    }
  }
  const std::uint64_t ceiling = known_[loaded.handle.value].state_bytes_ceiling;
  if (loaded.state_bytes_max > ceiling) {
    return broke("a trigger's state limit is above the ceiling");
  }
  for (const std::string& name : loaded.was) {
    if (name.empty() || name.size() > text_bytes_max) return broke("a former name is none");
  }
  if (loaded.warmed) {
    if (!expected.warmth_due) return broke("it warmed helpers that it was not asked to");
    if (loaded.warmed->sequence != expected.restored_to || loaded.warmed->state.size() > ceiling ||
        loaded.warmed->runtime.size() > ceiling || !is_json_object(loaded.warmed->state)) {
      return broke("a warmed memory is none");
    }
  }
  for (const HelperSpec& helper : loaded.helpers) {
    if (!helper.state_key.starts_with('@') || helper.state_key.size() > text_bytes_max ||
        helper.declared.size() > 2 * text_bytes_max || helper.reach < Micros{0})
      return broke("a helper is none");
  }
  if (loaded.migrated) {
    if (!expected.migration_due) return broke("it migrated a state that it was not asked to");
    if (loaded.migrated->size() > ceiling || !is_json_object(*loaded.migrated)) {
      return broke("a migrated state is no JSON object of allowed size");
    }
  }
  return {};
}

Result<void> ReplyCheck::check(const Expected& expected, const LoadFailed& failed) {
  if (expected.command != index_of<LoadCommand> || failed.handle != expected.handle) {
    return broke("it reports a failed load that it was not asked for");
  }
  if (!bounded(failed.error)) return broke("the text of an error is too large");
  known_.erase(failed.handle.value);
  return {};
}

Result<void> ReplyCheck::check(const Expected& expected, const Restored& restored) {
  if (expected.command != index_of<RestoreCommand> || restored.handle != expected.handle) {
    return broke("it reports a restored trigger that it was not asked to restore");
  }
  known_[restored.handle.value].reached = expected.restored_to;
  return {};
}

Result<void> ReplyCheck::check(const Expected& expected, const Unloaded& unloaded) {
  if (expected.command != index_of<UnloadCommand> || unloaded.handle != expected.handle) {
    return broke("it reports an unloaded trigger that it was not asked to unload");
  }
  known_.erase(unloaded.handle.value);
  return {};
}

Result<void> ReplyCheck::check(const Expected& expected, const Observed& observed) {
  if (expected.command != index_of<ObserveCommand> || observed.handle != expected.handle) {
    return broke("it reports what it saw of a trigger that it was not asked to observe");
  }
  if (observed.json.size() > data_bytes_max || !is_json_object(observed.json)) {
    return broke("what it observed is no JSON object of allowed size");
  }
  return {};
}

// Whoever asked reads the JSON, and takes what is none for an error.
Result<void> ReplyCheck::check(const Expected& expected, const Evaluated& evaluated) {
  if (expected.command != index_of<EvaluateCommand>) {
    return broke("it evaluated what it was not asked to");
  }
  if (evaluated.json.size() > data_bytes_max) return broke("the data of a script are too large");
  if (evaluated.error && !bounded(*evaluated.error)) {
    return broke("the text of an error is too large");
  }
  return {};
}

Result<void> ReplyCheck::check(const Expected& expected, const Judged& judged) {
  if (expected.command != index_of<JudgeCommand> || judged.handle != expected.handle) {
    return broke("it judged a trigger that it was not asked to judge");
  }
  const Known& known = known_[judged.handle.value];
  if (judged.memory.sequence != known.reached) {
    return broke("a judgement is for another place in the stream");
  }
  if (!is_memory(judged.memory, known.state_bytes_ceiling)) {
    return broke("a judged memory is no JSON object of allowed size");
  }
  if (judged.error && !bounded(*judged.error)) return broke("the text of an error is too large");
  return {};
}

Result<void> ReplyCheck::check(const Expected& expected, const FeedReply& reply) {
  if (expected.command != index_of<FeedCommand>) return broke("it took inputs that it was not fed");
  if (reply.triggers.size() != expected.rows.size()) {
    return broke("a feed's answer has not one part for each trigger");
  }
  for (std::size_t i = 0; i < reply.triggers.size(); ++i) {
    HASTUR_TRY(check_progress(*expected.input, expected.rows[i], reply.triggers[i]));
  }
  return {};
}

Result<void> ReplyCheck::check_progress(const InputBatch& input, const Rows& rows,
                                        const TriggerProgress& progress) {
  if (progress.handle != rows.handle) return broke("it speaks for a trigger that was not fed");
  const Window window(input, rows.from, rows.end);
  if (!window.can_reach(progress.reached)) return broke("it reached inputs that it was not handed");
  Known& known = known_[rows.handle.value];

  const Effect* before = nullptr;
  for (const Effect& effect : progress.effects) {
    if (!window.holds(effect.sequence, effect.time) || effect.sequence > progress.reached) {
      return broke("an effect is of an input that the trigger was not handed");
    }
    if (before != nullptr && std::pair(before->sequence, before->ordinal) >=
                                 std::pair(effect.sequence, effect.ordinal)) {
      return broke("effects are not in order");
    }
    if (is_message(effect.kind) && (effect.depth == 0 || effect.depth > depth_max)) {
      return broke("a derived message has an impossible depth");
    }
    if (effect.payload.size() > payload_bytes_max || !is_json_object(effect.payload)) {
      return broke("an effect's payload is no JSON object of allowed size");
    }
    before = &effect;
  }

  Sequence error_before;
  for (const CallError& error : progress.errors) {
    if (!window.holds(error.sequence, error.time) || error.sequence > progress.reached) {
      return broke("an error is of an input that the trigger was not handed");
    }
    if (error.sequence < error_before) return broke("errors are not in order");
    if (!bounded(error)) return broke("the text of an error is too large");
    error_before = error.sequence;
  }

  if (progress.judged) {
    const Memory& memory = *progress.judged;
    if (!window.holds(memory.sequence, memory.time) || memory.sequence > progress.reached) {
      return broke("a judged memory is of an input that the trigger was not handed");
    }
    if (!is_memory(memory, known.state_bytes_ceiling)) {
      return broke("a judged memory is no JSON object of allowed size");
    }
  }
  if (progress.stopped) {
    const CallError& error = progress.stopped->error;
    if (!window.holds(error.sequence, error.time) || error.sequence != progress.reached.next()) {
      return broke("it stopped at an input that the trigger was not handed");
    }
    // It would be told to skip it again, and so on for ever.
    if (rows.skips.contains({error.sequence, error.callback}))
      return broke("it stopped in a call that it was told to skip");
    if (!bounded(error)) return broke("the text of an error is too large");
  }
  known.reached = progress.reached;
  return {};
}

}  // namespace hastur
