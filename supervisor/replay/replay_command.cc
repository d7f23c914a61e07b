#include "supervisor/replay/replay_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "core/progress.h"
#include "message/recording.h"
#include "supervisor/replay/history_source.h"
#include "supervisor/replay/live_replay.h"
#include "supervisor/replay/plan.h"
#include "supervisor/replay/replay_run.h"
#include "supervisor/replay/survey.h"
#include "trigger-runtime/host/effect_lines.h"

namespace hastur {
namespace {

constexpr std::size_t portion_bytes = 64u << 10;

int stop(int code, const std::string& sentence) {
  fmt::print(stderr, "supervisor replay: {}\n", sentence);
  return code;
}

// Writes what comes out from `begin` on.
class Lines final : public StreamListener {
 public:
  explicit Lines(const ReplayPlan& plan) : begin_(plan.begin), errors_(plan.triggers.size()) {
    if (plan.triggers.size() == 1) return;
    for (const ReplayTrigger& trigger : plan.triggers)
      marks_.push_back(fmt::format("\"trigger\":\"{}\",", trigger.stream.name));
  }

  // In a file messages are counted instead: for each row of the batch from `first` on.
  void count_by(Sequence first, const std::vector<std::uint64_t>& row_messages) {
    first_ = first;
    row_messages_ = &row_messages;
  }

  void effect(std::size_t trigger, Sequence input, const Effect& effect) override {
    if (input < begin_) return;
    const std::size_t at = text_.size();
    lines_.effect(text_, number(input), effect);
    mark(trigger, at);
  }
  void error(std::size_t trigger, Sequence input, const CallError& error) override {
    if (input < begin_) return;
    ++errors_[trigger];
    const std::size_t at = text_.size();
    lines_.error(text_, number(input), error.time, error.error);
    mark(trigger, at);
  }
  void end(std::size_t trigger, EffectLines::Totals totals) {
    totals.errors = errors_[trigger];
    const std::size_t at = text_.size();
    lines_.end(text_, totals);
    mark(trigger, at);
  }

  // False if nobody can read it any more.
  bool flush() {
    const bool all = std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() &&
                     std::fflush(stdout) == 0;
    if (!all) write_error_ = errno;
    text_.clear();
    return all;
  }
  int write_error() const { return write_error_; }

 private:
  std::uint64_t number(Sequence input) const {
    if (row_messages_ == nullptr) return input.value;
    return input < first_ ? 0 : row_messages_->at(input.value - first_.value);
  }
  void mark(std::size_t trigger, std::size_t at) {
    if (!marks_.empty() && text_.size() > at) text_.insert(at + 1, marks_[trigger]);
    if (text_.size() >= portion_bytes) flush();
  }

  JsonLines lines_;
  Sequence begin_;
  std::vector<std::string> marks_;
  std::vector<std::uint64_t> errors_;
  Sequence first_;
  const std::vector<std::uint64_t>* row_messages_ = nullptr;
  std::string text_;
  int write_error_ = 0;
};

Result<void> finish(const ReplayPlan& plan, ReplayRun& run, std::uint64_t messages, Lines& lines) {
  for (std::size_t i = 0; i < plan.triggers.size(); ++i) {
    auto end = run.finish(i);
    if (!end) return fail(end.error());
    lines.end(i, {end->memory.state, messages, end->matched, 0});
  }
  return {};
}

class Scratch {
 public:
  Scratch(const ReplayOptions& options, Clock& clock) : options_(options), clock_(clock) {}

  Result<void> over_history();
  Result<void> over_file();

 private:
  Result<void> begin(bool derived_come_back);
  Result<void> read(HistorySource& source, Sequence last);
  Result<void> flush() {
    if (lines_->flush()) return {};
    return fail(ErrorCode::failed,
                fmt::format("cannot write the output: {}", strerror(lines_->write_error())));
  }

  const ReplayOptions& options_;
  Clock& clock_;
  ReplayPlan plan_;
  std::unique_ptr<Lines> lines_;
  std::unique_ptr<ReplayRun> run_;
};

Result<void> Scratch::begin(bool derived_come_back) {
  lines_ = std::make_unique<Lines>(plan_);
  ReplayRun::Options options;
  options.worker = options_.worker;
  options.accept_loss = options_.accept_loss;
  options.derived_come_back = derived_come_back;
  auto run = ReplayRun::begin(plan_, *lines_, options);
  if (!run) return fail(run.error());
  run_ = std::move(*run);
  for (const ReplayTrigger& trigger : plan_.triggers)
    fmt::print(stderr, "{} begins with {}\n", trigger.stream.name, trigger.begins_with);
  return {};
}

Result<void> Scratch::over_history() {
  auto source = HistorySource::open(options_.request, clock_);
  if (!source) return fail(source.error());
  auto surveyed = survey(options_, **source);
  if (!surveyed) return fail(surveyed.error());
  plan_ = std::move(surveyed->plan);
  HASTUR_TRY(begin(false));
  const Result<void> done = read(**source, surveyed->last);
  // What came out is true as far as it goes.
  HASTUR_TRY(flush());
  if (!done) return done;
  HASTUR_TRY(finish(plan_, *run_, run_->messages(), *lines_));
  return flush();
}

Result<void> Scratch::read(HistorySource& source, Sequence last) {
  Progress progress(stderr, isatty(STDERR_FILENO) == 1, last.value - plan_.after.value, "inputs");
  const Micros started = clock_.monotonic();
  source.read(plan_.after.next(), last);
  const auto work = [&]() -> Result<void> {
    while (run_->reached() < last) {
      auto part = source.next();
      if (!part) return fail(part.error());
      if (!*part) break;
      if (auto* batch = std::get_if<Batch>(&**part)) {
        HASTUR_TRY(run_->take(std::move(*batch), last));
      } else {
        const auto& lost = std::get<LostReply>(**part);
        HASTUR_TRY(run_->lose(lost.first, std::min(lost.last, last), lost.why));
      }
      HASTUR_TRY(flush());
      progress.show(run_->reached().value - plan_.after.value, clock_.monotonic() - started);
    }
    return {};
  };
  const Result<void> done = work();
  progress.clear();
  return done;
}

Result<void> Scratch::over_file() {
  const auto store = open_to_read(options_.state);
  if (!store) return fail(store.error());
  auto planned = plan_file_replay(**store, options_.trigger);
  if (!planned) return fail(planned.error());
  plan_ = std::move(*planned);
  std::ifstream file;
  const bool from_stdin = options_.input == "-";
  if (!from_stdin) {
    file.open(options_.input, std::ios::binary);
    if (!file) return fail(ErrorCode::invalid, fmt::format("cannot read {}", options_.input));
  }
  std::ios::sync_with_stdio(false);
  RecordingReader reader(from_stdin ? std::cin : file,
                         from_stdin ? std::string("standard input") : options_.input, {});
  HASTUR_TRY(begin(true));
  while (true) {
    auto batch = reader.next();
    if (!batch) return fail(batch.error());
    if (!*batch) break;
    lines_->count_by((*batch)->header.first, reader.row_messages());
    HASTUR_TRY(run_->take(std::move(**batch), std::nullopt));
    HASTUR_TRY(flush());
  }
  HASTUR_TRY(finish(plan_, *run_, reader.messages(), *lines_));
  return flush();
}

}  // namespace

int replay_command(const ReplayOptions& options, Clock& clock) {
  if (options.all == !options.trigger.empty()) {
    return stop(2, options.all ? "--trigger and --all are both there: leave one out"
                               : "say which trigger with --trigger NAME, or --all");
  }
  if (options.input.empty() == options.from.empty()) {
    return stop(2, options.from.empty()
                       ? "say from where: --from TIME, SEQUENCE or SNAPSHOT, or --input FILE"
                       : "a file is replayed as a whole: leave out --from");
  }
  if (!options.input.empty() && !options.to.empty())
    return stop(2, "a file is replayed as a whole: leave out --to");
  if (options.into != "scratch" && options.into != "live")
    return stop(2, "--into is scratch or live");
  if (options.notify != "record" && options.notify != "pending")
    return stop(2, "--notify is record or pending");
  if (options.into == "live") {
    if (!options.input.empty() || !options.to.empty()) {
      return stop(2,
                  "what takes a trigger's place runs over History up to the present: leave out "
                  "--input and --to");
    }
    const Result<void> done = replay_into_live(options, clock);
    return done ? 0 : stop(1, done.error().message);
  }
  if (options.notify == "pending")
    return stop(2, "--notify pending offers what --into live brings: give that too");
  Scratch scratch(options, clock);
  const Result<void> done = options.input.empty() ? scratch.over_history() : scratch.over_file();
  if (!done) return stop(1, done.error().message);
  return 0;
}

}  // namespace hastur
