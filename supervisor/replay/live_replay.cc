#include "supervisor/replay/live_replay.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/output.h"
#include "core/progress.h"
#include "supervisor/replay/comparison.h"
#include "supervisor/replay/replay_file.h"
#include "supervisor/replay/replay_run.h"
#include "supervisor/replay/survey.h"
#include "supervisor/replay/take_over.h"

namespace hastur {
namespace {

// So near to the newest input the triggers are held for the rest.
constexpr std::uint64_t near_inputs = 20'000;
// A replay that is not faster than the stream does not come nearer.
constexpr int approaches_max = 20;
constexpr std::size_t shown_state_max = 200;

class Tee final : public StreamListener {
 public:
  Tee(ReplayFile& file, Comparison& comparison) : file_(file), comparison_(comparison) {}
  void effect(std::size_t trigger, Sequence input, const Effect& effect) override {
    file_.effect(trigger, input, effect);
    comparison_.take_now(trigger, input, effect);
  }
  void error(std::size_t trigger, Sequence input, const CallError& error) override {
    file_.error(trigger, input, error);
  }

 private:
  ReplayFile& file_;
  Comparison& comparison_;
};

class LiveReplay {
 public:
  LiveReplay(const ReplayOptions& options, Clock& clock) : options_(options), clock_(clock) {}

  Result<void> run();

 private:
  Result<void> prepare();
  Result<void> load();
  Result<void> approach();
  Result<void> read(Sequence last);
  Result<void> end(Sequence through);
  Result<void> take_over();
  void show() const;

  const ReplayOptions& options_;
  Clock& clock_;
  std::unique_ptr<HistorySource> source_;
  Survey survey_;
  std::unique_ptr<TakeOver> take_over_;
  std::unique_ptr<ReplayFile> file_;
  std::unique_ptr<Comparison> comparison_;
  std::unique_ptr<Tee> tee_;
  std::unique_ptr<ReplayRun> run_;
  std::vector<std::string> states_;
};

Result<std::string> read_token(const ReplayOptions& options) {
  const std::string path =
      options.token_file.empty()
          ? std::filesystem::path(options.state).replace_filename("token").string()
          : options.token_file;
  std::ifstream file(path);
  std::string token;
  if (file >> token) return token;
  return fail(ErrorCode::not_found,
              fmt::format("there is no token in {}; --token-file names the supervisor's", path));
}

// Everything that can stand against it is asked before the work begins.
Result<void> LiveReplay::prepare() {
  auto source = HistorySource::open(options_.request, clock_);
  if (!source) return fail(source.error());
  source_ = std::move(*source);
  auto surveyed = survey(options_, *source_);
  if (!surveyed) return fail(surveyed.error());
  survey_ = std::move(*surveyed);
  std::vector<ReplayClaim> claims;
  for (ReplayTrigger& trigger : survey_.plan.triggers) {
    trigger.stream.run = Run{survey_.store->newest_run(trigger.stream.name).value + 1};
    claims.push_back({trigger.stream.name, trigger.run.run, trigger.stream.run});
  }
  if (!options_.yes) return {};
  const auto token = read_token(options_);
  if (!token) return fail(token.error());
  take_over_ = std::make_unique<TakeOver>(options_.http, *token, std::move(claims), clock_);
  return take_over_->check();
}

Result<void> LiveReplay::load() {
  ReplayFile::Options file_options;
  remove_dead_replays(options_.state);
  file_options.path = replay_path(options_.state);
  file_options.pending = options_.notify == "pending";
  file_options.started_at = clock_.now();
  auto file = ReplayFile::make(survey_.plan, survey_.stream, *survey_.store, file_options);
  if (!file) return fail(file.error());
  file_ = std::move(*file);
  comparison_ = std::make_unique<Comparison>(survey_.plan, *survey_.store);
  tee_ = std::make_unique<Tee>(*file_, *comparison_);
  ReplayRun::Options options;
  options.worker = options_.worker;
  options.accept_loss = options_.accept_loss;
  auto run = ReplayRun::begin(survey_.plan, *tee_, options);
  if (!run) return fail(run.error());
  run_ = std::move(*run);
  for (std::size_t i = 0; i < survey_.plan.triggers.size(); ++i) {
    const ReplayTrigger& trigger = survey_.plan.triggers[i];
    if (auto state = run_->migrated(i)) file_->migrated(i, std::move(*state));
    print_error("{} begins with {}\n", trigger.stream.name, trigger.begins_with);
  }
  return file_->begin();
}

Result<void> LiveReplay::read(Sequence last) {
  const Sequence after = run_->reached();
  Progress progress(stderr, isatty(STDERR_FILENO) == 1, last.value - after.value, "inputs");
  const Micros started = clock_.monotonic();
  source_->read(after.next(), last);
  const auto work = [&]() -> Result<void> {
    while (run_->reached() < last) {
      auto part = source_->next();
      if (!part) return fail(part.error());
      if (!*part) break;
      if (auto* batch = std::get_if<Batch>(&**part)) {
        HASTUR_TRY(comparison_->take_before(BatchView::trusted(batch->header, batch->body)));
        HASTUR_TRY(run_->take(std::move(*batch), last));
      } else {
        const auto& lost = std::get<LostReply>(**part);
        HASTUR_TRY(run_->lose(lost.first, std::min(lost.last, last), lost.why));
      }
      HASTUR_TRY(file_->flush());
      progress.show(run_->reached().value - after.value, clock_.monotonic() - started);
    }
    return {};
  };
  const Result<void> done = work();
  progress.clear();
  return done;
}

// Until little is missing: what comes meanwhile is less each time.
Result<void> LiveReplay::approach() {
  HASTUR_TRY(read(survey_.last));
  for (int i = 0; i < approaches_max; ++i) {
    const auto stands = source_->position();
    if (!stands) return fail(stands.error());
    if (stands->last.value <= run_->reached().value + near_inputs) return {};
    HASTUR_TRY(read(stands->last));
  }
  return fail(ErrorCode::failed,
              "it does not catch up: the stream grows as fast as the triggers run");
}

Result<void> LiveReplay::end(Sequence through) {
  for (std::size_t i = 0; i < survey_.plan.triggers.size(); ++i) {
    auto end = run_->finish(i);
    if (!end) return fail(end.error());
    HASTUR_TRY(file_->end(i, through, end->memory));
    states_.push_back(std::move(end->memory.state));
  }
  file_->close();
  return comparison_->take_notifications_before(through);
}

void LiveReplay::show() const {
  const auto state_text = [](const std::string& state) {
    return state.size() <= shown_state_max ? state : fmt::format("{} bytes", state.size());
  };
  for (std::size_t i = 0; i < survey_.plan.triggers.size(); ++i) {
    const TriggerName& name = survey_.plan.triggers[i].stream.name;
    print_error("{}:\n  {}\n  {}\n", name, change_text("derived message", comparison_->messages(i)),
                change_text("notification", comparison_->notifications(i)));
    if (const std::uint64_t errors = file_->counts(i).errors; errors > 0)
      print_error("  {} call{} failed\n", errors, errors == 1 ? "" : "s");
    const auto stored = survey_.store->load(name);
    const std::string before = stored && *stored ? (*stored)->checkpoint.state : std::string();
    if (before == states_[i]) {
      print_error("  the state is as stored\n");
    } else {
      print_error("  state: {}\n  becomes {}\n", state_text(before), state_text(states_[i]));
    }
  }
}

Result<void> LiveReplay::take_over() {
  const auto through = take_over_->hold();
  if (!through) return fail(through.error());
  const auto rest = [&]() -> Result<void> {
    if (run_->reached() < *through) HASTUR_TRY(read(*through));
    if (run_->reached() != *through) {
      return fail(ErrorCode::failed,
                  fmt::format("History ends at {}, the triggers are held at {}; begin again",
                              run_->reached().value, through->value));
    }
    return end(*through);
  };
  if (const auto done = rest(); !done) {
    take_over_->abandon();
    return done;
  }
  show();
  HASTUR_TRY(take_over_->finish(std::filesystem::path(file_->path()).filename()));
  for (const ReplayTrigger& trigger : survey_.plan.triggers) {
    print_error("{} is at run {} from input {} on\n", trigger.stream.name, trigger.stream.run.value,
                through->next().value);
  }
  return {};
}

Result<void> LiveReplay::run() {
  HASTUR_TRY(prepare());
  HASTUR_TRY(load());
  HASTUR_TRY(approach());
  if (options_.yes) return take_over();
  HASTUR_TRY(end(run_->reached()));
  show();
  print_error("nothing has been changed; with --yes it is\n");
  return {};
}

}  // namespace

Result<void> replay_into_live(const ReplayOptions& options, Clock& clock) {
  LiveReplay replay(options, clock);
  return replay.run();
}

}  // namespace hastur
