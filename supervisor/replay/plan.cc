#include "supervisor/replay/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/json.h"
#include "core/suggest.h"
#include "supervisor/dispatch/limits_json.h"
#include "supervisor/dispatch/memory_line.h"
#include "supervisor/dispatch/pause.h"
#include "supervisor/dispatch/run_order.h"
#include "supervisor/dispatch/stored_run.h"
#include "supervisor/dispatch/warm_start.h"

namespace hastur {
namespace {

// No stream has so many inputs; as microseconds it is in March 1973.
constexpr std::uint64_t least_us = 100'000'000'000'000;

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::vector<StoredTrigger>> stored_triggers(CheckpointStore& store,
                                                   const TriggerName& name) {
  auto all = store.load_all();
  if (!all || name.empty()) return all;
  std::vector<std::string> names;
  for (StoredTrigger& trigger : *all) {
    if (trigger.run.trigger == name) return std::vector<StoredTrigger>{std::move(trigger)};
    names.push_back(trigger.run.trigger);
  }
  const std::string near = nearest(name, names);
  return fail(ErrorCode::not_found,
              fmt::format("there is no trigger {}{}", name,
                          near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

Result<ReplayTrigger> begin_with_script(CheckpointStore& store, const RunRecord& run) {
  const auto version = store.version(run.version);
  if (!version) return fail(version.error());
  if (!*version) {
    return fail(ErrorCode::corrupt,
                fmt::format("the files of {}, version {}, are not in the state file", run.trigger,
                            run.version));
  }
  ScriptVersion files = version_from(**version);
  ReplayTrigger planned;
  planned.run = run;
  planned.stream.name = run.trigger;
  planned.stream.run = run.run;
  planned.stream.script = std::move(files.script);
  planned.stream.libraries = std::move(files.libraries);
  planned.stream.limits = limits_from_json(run.limits);
  planned.begins_with = "the state that its script gives";
  return planned;
}

// What a run that began without a memory began with is no snapshot; but its journal says so.
// Nothing if it began with one, or not before `begin`.
Result<std::optional<Snapshot>> beginning_of(CheckpointStore& store, const StoredTrigger& trigger,
                                             Sequence begin) {
  const Checkpoint& stored = trigger.checkpoint;
  const auto journal = store.journal(stored.trigger, stored.run);
  if (!journal) return fail(journal.error());
  std::optional<Sequence> after;
  for (const JournalRecord& decision : *journal) {
    if (decision.decision == "start") after = trigger.run.after;
    if (decision.decision == "replay") after = fresh_from(decision, trigger.run.after);
  }
  if (!after || *after >= begin) return std::optional<Snapshot>();
  SnapshotRecord record;
  record.trigger = stored.trigger;
  record.run = stored.run;
  record.sequence = *after;
  return std::optional(Snapshot{std::move(record), "", ""});
}

// The newest kept memory of before `begin`. One of the run that lived through it comes before those
// of others, which may have been removed, or had decided otherwise.
Result<std::optional<Snapshot>> memory_before(CheckpointStore& store, const StoredTrigger& trigger,
                                              Sequence begin) {
  const Checkpoint& stored = trigger.checkpoint;
  if (stored.state_sequence < begin) {
    SnapshotRecord record;
    record.trigger = stored.trigger;
    record.run = stored.run;
    record.sequence = stored.state_sequence;
    record.time = stored.state_time;
    return std::optional(Snapshot{std::move(record), stored.state, stored.runtime});
  }
  const auto kept = store.snapshots(stored.trigger);
  if (!kept) return fail(kept.error());
  for (const SnapshotRecord& record : *kept) {
    if (record.run == stored.run && record.sequence < begin) return store.snapshot(record.number);
  }
  if (auto fresh = beginning_of(store, trigger, begin); !fresh || *fresh) return fresh;
  RunOrder order(store);
  for (const SnapshotRecord& record : *kept) {
    if (record.sequence >= begin) continue;
    const auto superseded = order.is_superseded(record.trigger, record.run, record.sequence);
    if (!superseded) return fail(superseded.error());
    if (!*superseded) return store.snapshot(record.number);
  }
  return std::optional<Snapshot>();
}

Result<void> begin_with(CheckpointStore& store, const Snapshot& snapshot, ReplayTrigger& planned) {
  const SnapshotRecord& record = snapshot.record;
  StreamTrigger& stream = planned.stream;
  stream.after = record.sequence;
  if (snapshot.state.empty()) {
    planned.begins_with += fmt::format(", after sequence {}", record.sequence.value);
  } else {
    planned.begins_with = fmt::format(
        "{} of sequence {}{}", record.number == 0 ? "its checkpoint" : snapshot_name(record.number),
        record.sequence.value, record.time > Time{} ? ", " + format_time(record.time) : "");
  }
  // The beginning of its run as it was, with what its helpers began with.
  const bool has_begun = record.run == planned.run.run && !snapshot.state.empty();
  if (record.sequence == planned.run.after && !has_begun) {
    const auto own = store.journal(planned.run.trigger, planned.run.run);
    if (!own) return fail(own.error());
    for (const JournalRecord& decision : *own) {
      if (decision.decision != "start" && decision.decision != "switch") continue;
      if (const auto detail = parse_json(decision.detail)) stream.warm = warm_from_detail(*detail);
    }
  }
  if (!snapshot.state.empty())
    stream.memory = Memory{record.sequence, record.time, snapshot.state, snapshot.runtime};
  if (record.run != planned.run.run) {
    const auto before = store.run(record.trigger, record.run);
    if (!before) return fail(before.error());
    if (stream.memory && *before && (*before)->version != planned.run.version)
      stream.migrate_from = (*before)->version;
    return {};
  }
  const auto journal = store.journal(record.trigger, record.run);
  if (!journal) return fail(journal.error());
  stream.skips = skips_from_journal(*journal);
  std::erase_if(stream.skips, [&](const Skip& skip) { return skip.sequence <= record.sequence; });
  std::set<Sequence> paused;
  for (const Pause& pause : pauses_from_journal(*journal)) {
    if (!pause.until || *pause.until > record.sequence.next() ||
        pause.from == record.sequence.next()) {
      stream.pauses.push_back({pause.from, pause.until});
      paused.insert(pause.from);
      paused.insert(pause.until.value_or(pause.from));
    }
  }
  for (const JournalRecord& decision : *journal) {
    const bool skips = decision.decision == "skip" && decision.sequence > record.sequence;
    const bool pauses = (decision.decision == "pause" || decision.decision == "resume") &&
                        paused.contains(decision.sequence);
    if (skips || pauses) planned.decisions.push_back(decision);
  }
  return {};
}

}  // namespace

std::string snapshot_name(std::uint64_t number) { return fmt::format("s-{}", number); }

Result<ReplayPoint> parse_replay_point(std::string_view text, std::optional<Time> newest) {
  if (text.starts_with("s-")) {
    if (const auto number = whole_number(text.substr(2)); number && *number > 0)
      return ReplayPoint(SnapshotNumber{*number});
  }
  if (const auto number = whole_number(text)) {
    if (*number >= least_us) return ReplayPoint(time_from_us(static_cast<std::int64_t>(*number)));
    return ReplayPoint(Sequence{*number});
  }
  if (const auto span = parse_span(text)) {
    if (newest) return ReplayPoint(*newest - *span);
    return fail(ErrorCode::invalid, fmt::format("{} before what? The stream is empty", text));
  }
  if (const auto time = parse_time(text); time && to_us(*time) >= 0) return ReplayPoint(*time);
  return fail(ErrorCode::invalid,
              fmt::format("\"{}\" is no point of the stream: give a time (2024-01-01T00:00:00Z), a "
                          "span before now (2h), a sequence (123456) or a snapshot (s-12, as "
                          "`hastur snapshots NAME` shows them)",
                          text));
}

Result<ReplayPlan> plan_replay(CheckpointStore& store, const TriggerName& name,
                               const ReplayPoint& from, const FirstAt& first_at) {
  auto triggers = stored_triggers(store, name);
  if (!triggers) return fail(triggers.error());
  ReplayPlan plan;
  std::optional<Snapshot> asked;
  if (const auto* number = std::get_if<SnapshotNumber>(&from)) {
    auto snapshot = store.snapshot(number->value);
    if (!snapshot) return fail(snapshot.error());
    if (!*snapshot || (*snapshot)->record.trigger != name) {
      return fail(ErrorCode::not_found,
                  name.empty() ? "a snapshot is of one trigger: name it with --trigger"
                               : fmt::format("{} has no snapshot {}; see hastur snapshots {}", name,
                                             snapshot_name(number->value), name));
    }
    asked = std::move(*snapshot);
    plan.begin = asked->record.sequence.next();
  } else if (const auto* time = std::get_if<Time>(&from)) {
    const auto begin = first_at(*time);
    if (!begin) return fail(begin.error());
    plan.begin = *begin;
  } else {
    plan.begin = std::max(std::get<Sequence>(from), Sequence{1});
  }
  plan.after = Sequence{plan.begin.value - 1};
  for (const StoredTrigger& trigger : *triggers) {
    auto planned = begin_with_script(store, trigger.run);
    if (!planned) return fail(planned.error());
    auto memory =
        asked ? Result<std::optional<Snapshot>>(asked) : memory_before(store, trigger, plan.begin);
    if (!memory) return fail(memory.error());
    planned->stream.after = Sequence{plan.begin.value - 1};
    if (*memory) HASTUR_TRY(begin_with(store, **memory, *planned));
    plan.after = std::min(plan.after, planned->stream.after);
    plan.triggers.push_back(std::move(*planned));
  }
  return plan;
}

Result<ReplayPlan> plan_file_replay(CheckpointStore& store, const TriggerName& name) {
  const auto triggers = stored_triggers(store, name);
  if (!triggers) return fail(triggers.error());
  ReplayPlan plan;
  for (const StoredTrigger& trigger : *triggers) {
    auto planned = begin_with_script(store, trigger.run);
    if (!planned) return fail(planned.error());
    plan.triggers.push_back(std::move(*planned));
  }
  return plan;
}

}  // namespace hastur
