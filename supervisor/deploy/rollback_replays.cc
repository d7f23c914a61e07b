#include "supervisor/deploy/rollback_replays.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "core/log.h"

namespace hastur {
namespace {

constexpr std::size_t output_bytes_max = 16u << 10;

// The sentence with which it ended: its last line, without the program's name before it.
std::string last_sentence(std::string_view output) {
  while (output.ends_with('\n')) output.remove_suffix(1);
  output = output.substr(output.rfind('\n') + 1);
  constexpr std::string_view program = "supervisor replay: ";
  if (output.starts_with(program)) output.remove_prefix(program.size());
  return std::string(output);
}

}  // namespace

void RollbackReplays::turn() {
  const Micros now = clock_.monotonic();
  if (run_ != nullptr || !may_be_open_ || now < look_at_) return;
  look_at_ = now + options_.look_every;
  if (const auto looked = look(); !looked) {
    look_at_ = now + options_.again_after;
    log_error("replays of rollbacks, trying again: {}", looked.error().message);
  }
}

// The oldest comes first.
Result<void> RollbackReplays::look() {
  auto open = store_.deployments({.open_replays = true, .max = 1'000});
  if (!open) return fail(open.error());
  may_be_open_ = !open->empty();
  for (auto record = open->rbegin(); record != open->rend() && run_ == nullptr; ++record) {
    const std::string& outcome = record->changes.front().outcome;
    if (outcome == "live") {
      HASTUR_TRY(take(*record));
    } else if (!outcome.empty()) {
      HASTUR_TRY(store(*record, "failed: the rollback did not come to be: " + outcome));
    }
  }
  return {};
}

Result<void> RollbackReplays::take(const DeploymentRecord& record) {
  if (attempt_.deployment != record.id) attempt_ = {record.id, 0, ""};
  auto known = known_of(record);
  if (!known) return fail(known.error());
  if (known->standing == Standing::done) return store(record, "done");
  if (known->standing == Standing::never) return store(record, "failed: " + known->why);
  if (attempt_.tries >= options_.tries_max) return store(record, "failed: " + attempt_.problem);
  return begin(record);
}

// The run after the rollback's is the replay's if it begins where the rollback's state is from.
Result<RollbackReplays::Known> RollbackReplays::known_of(const DeploymentRecord& record) const {
  const DeploymentChange& change = record.changes.front();
  const auto never = [](std::string why) { return Known{Standing::never, std::move(why)}; };
  const auto kept = store_.snapshot(change.snapshot);
  if (!kept) return fail(kept.error());
  if (!*kept) return never(fmt::format("the snapshot s-{} is not kept any more", change.snapshot));
  const Sequence from = (*kept)->record.sequence;
  const auto next = store_.run(change.trigger, Run{change.run.value + 1});
  if (!next) return fail(next.error());
  if (*next && (*next)->why == "replay" && (*next)->after == from) return Known{Standing::done};
  const auto now = store_.load(change.trigger);
  if (!now) return fail(now.error());
  if (!*now) return never("the trigger was removed since");
  if ((*now)->run.run != change.run) return never("another run of the trigger has begun since");
  // Nothing came between.
  if (record.sequence->value <= from.value + 1) return Known{Standing::done};
  return Known{};
}

Result<void> RollbackReplays::begin(const DeploymentRecord& record) {
  const DeploymentChange& change = record.changes.front();
  BoundedRun::Request request;
  request.command = options_.command;
  for (const std::string& word :
       {std::string("--trigger"), change.trigger, std::string("--from"),
        fmt::format("s-{}", change.snapshot), std::string("--into"), std::string("live"),
        std::string("--notify"), std::string("pending"), std::string("--yes")})
    request.command.push_back(word);
  request.folder = "/";
  request.time_max = options_.time_max;
  request.output_bytes_max = output_bytes_max;
  if (record.replay != "running") HASTUR_TRY(store(record, "running"));
  ++attempt_.tries;
  auto run =
      BoundedRun::start(loop_, request, [this](const BoundedRun::Ended& how) { ended(how); });
  if (!run) {
    attempt_.problem = run.error().message;
    return fail(run.error());
  }
  run_ = *std::move(run);
  log_info("{}: History since s-{} is replayed (d-{})", change.trigger, change.snapshot, record.id);
  return {};
}

// What it has done is read from the store.
void RollbackReplays::ended(const BoundedRun::Ended& ended) {
  run_.reset();
  attempt_.problem = last_sentence(ended.output);
  if (ended.out_of_time || attempt_.problem.empty()) attempt_.problem = ended.how;
  if (ended.out_of_time) attempt_.tries = options_.tries_max;
  const bool tries_again = ended.exit_code != 0 && attempt_.tries < options_.tries_max;
  look_at_ = clock_.monotonic() + (tries_again ? options_.again_after : Micros{0});
  if (tries_again) {
    log_warn("the replay of d-{} came to nothing, trying again: {}", attempt_.deployment,
             attempt_.problem);
  }
}

Result<void> RollbackReplays::store(const DeploymentRecord& record, std::string replay) {
  CommitBatch batch;
  batch.replays.push_back({record.id, replay});
  HASTUR_TRY(store_.commit(batch));
  const TriggerName& trigger = record.changes.front().trigger;
  if (replay == "done") {
    log_info("{}: History since its rollback has been replayed (d-{})", trigger, record.id);
  } else if (replay.starts_with("failed")) {
    log_error("{}: the replay of History since its rollback (d-{}) {}", trigger, record.id, replay);
  }
  return {};
}

}  // namespace hastur
