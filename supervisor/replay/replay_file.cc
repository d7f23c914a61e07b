#include "supervisor/replay/replay_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "supervisor/dispatch/limits_json.h"
#include "supervisor/dispatch/memory_line.h"
#include "supervisor/dispatch/replayed.h"

namespace hastur {
namespace {

constexpr std::size_t rows_a_commit = 5'000;
constexpr std::string_view mark = ".replay-";
constexpr std::string_view lock_ending = ".alive";
// What SQLite and the store put beside a file.
constexpr std::string_view store_endings[] = {"-wal", "-shm", "-journal", ".lock", ""};

void remove_store(const std::string& path) {
  for (const std::string_view ending : store_endings) {
    std::error_code ignored;
    std::filesystem::remove(path + std::string(ending), ignored);
  }
}

// The lock goes last: as long as it is there and held, nobody else removes them.
void remove_all(const std::string& path) {
  remove_store(path);
  std::error_code ignored;
  std::filesystem::remove(path + std::string(lock_ending), ignored);
}

Result<LockFile> lock_of(const std::string& path) {
  return LockFile::take(path + std::string(lock_ending), path);
}

}  // namespace

std::string replay_path(const std::string& state) {
  return fmt::format("{}{}{}", state, mark, getpid());
}

void remove_dead_replays(const std::string& state) {
  const std::filesystem::path file(state);
  const std::string prefix = file.filename().string() + std::string(mark);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::set<std::string> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    // The last one that is none ends every name.
    std::string_view ending = lock_ending;
    if (!name.ends_with(ending)) {
      ending = *std::ranges::find_if(store_endings,
                                     [&](std::string_view each) { return name.ends_with(each); });
    }
    name.resize(name.size() - ending.size());
    const bool is_ours = name.size() > prefix.size() &&
                         name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (is_ours) found.insert((folder / name).string());
  }
  for (const std::string& path : found) {
    if (const auto lock = lock_of(path)) remove_all(path);
  }
}

ReplayFile::ReplayFile(const ReplayPlan& plan, CheckpointStore& versions, Options options)
    : options_(std::move(options)),
      begin_(plan.begin),
      versions_(versions),
      counts_(plan.triggers.size()) {
  for (const ReplayTrigger& trigger : plan.triggers) {
    const StreamTrigger& stream = trigger.stream;
    RunStart& start = starts_.emplace_back();
    start.run = trigger.run;
    start.run.run = stream.run;
    start.run.why = "replay";
    start.run.after = Sequence{plan.begin.value - 1};
    start.run.started_at = options_.started_at;
    Checkpoint& begins = start.checkpoint;
    begins.trigger = stream.name;
    begins.run = stream.run;
    begins.state_sequence = stream.after;
    begins.effects_sequence = stream.after;
    if (stream.memory) {
      begins.state_time = stream.memory->time;
      begins.state = stream.memory->state;
      begins.runtime = stream.memory->runtime;
    }
    std::vector<JournalRecord>& decisions = decisions_.emplace_back(trigger.decisions);
    for (JournalRecord& decision : decisions) decision.run = stream.run;
  }
}

Result<std::unique_ptr<ReplayFile>> ReplayFile::make(const ReplayPlan& plan, const StreamId& stream,
                                                     CheckpointStore& versions,
                                                     const Options& options) {
  std::unique_ptr<ReplayFile> file(new ReplayFile(plan, versions, options));
  auto lock = lock_of(options.path);
  if (!lock) return fail(lock.error());
  file->alive_ = *std::move(lock);
  // Of a process before us that had our number.
  remove_store(options.path);
  SqliteStoreOptions store_options;
  store_options.path = options.path;
  auto store = open_store(store_options);
  if (!store) return fail(store.error());
  file->store_ = std::move(*store);
  HASTUR_TRY(file->store_->bind(stream));
  return file;
}

ReplayFile::~ReplayFile() {
  close();
  if (alive_) remove_all(options_.path);
}

void ReplayFile::migrated(std::size_t trigger, std::string state) {
  starts_[trigger].checkpoint.state = std::move(state);
}

Result<void> ReplayFile::begin() {
  CommitBatch batch;
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    auto version = versions_.version(starts_[i].run.version);
    if (!version) return fail(version.error());
    starts_[i].version = std::move(*version);
    const Checkpoint& begins = starts_[i].checkpoint;
    if (begins.state.empty()) {
      batch.journal.push_back({begins.trigger, begins.run, begins.state_sequence.next(),
                               std::string(begins_fresh), "{}", options_.started_at});
    }
    std::ranges::move(decisions_[i], std::back_inserter(batch.journal));
  }
  batch.starts = starts_;
  return store_->commit(batch);
}

void ReplayFile::effect(std::size_t trigger, Sequence input, const Effect& effect) {
  if (input < begin_) return;
  const RunRecord& run = starts_[trigger].run;
  switch (effect.kind) {
    case EffectKind::message:
    case EffectKind::report:
      ++counts_[trigger].messages;
      waiting_.messages.push_back({run.trigger, run.run, effect.sequence, effect.ordinal,
                                   effect.depth, effect.payload, true});
      break;
    case EffectKind::notification: {
      ++counts_[trigger].notifications;
      NotificationRecord& record = waiting_.notifications.emplace_back();
      record.trigger = run.trigger;
      record.run = run.run;
      record.sequence = effect.sequence;
      record.ordinal = effect.ordinal;
      record.time = effect.time;
      record.payload = effect.payload;
      record.status = options_.pending ? NotificationStatus::pending : NotificationStatus::recorded;
      break;
    }
    case EffectKind::log:
      break;
  }
}

void ReplayFile::error(std::size_t trigger, Sequence input, const CallError& /*error*/) {
  if (input >= begin_) ++counts_[trigger].errors;
}

Result<void> ReplayFile::flush() {
  std::uint64_t effects = 0;
  for (const Counts& counts : counts_) effects += counts.messages + counts.notifications;
  if (effects > replayed_effects_max) {
    return fail(ErrorCode::invalid,
                fmt::format("more than {} messages and notifications come out, which is the most "
                            "that can take the place of others at once; begin later, or with fewer "
                            "triggers",
                            replayed_effects_max));
  }
  if (waiting_.messages.size() + waiting_.notifications.size() < rows_a_commit) return {};
  HASTUR_TRY(store_->commit(waiting_));
  waiting_ = {};
  return {};
}

Result<void> ReplayFile::end(std::size_t trigger, Sequence through, const Memory& memory) {
  const RunRecord& run = starts_[trigger].run;
  waiting_.checkpoints.push_back(
      {run.trigger, run.run, through, memory.time, memory.state, memory.runtime, through, 0});
  HASTUR_TRY(store_->commit(waiting_));
  waiting_ = {};
  return {};
}

}  // namespace hastur
