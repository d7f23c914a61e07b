#include "supervisor/replay/replay_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <tuple>
#include <vector>

#include "core/check.h"
#include "core/output.h"
#include "core/progress.h"
#include "message/recording.h"
#include "message/recording_file.h"
#include "supervisor/replay/file_numbers.h"
#include "supervisor/replay/history_source.h"
#include "supervisor/replay/live_replay.h"
#include "supervisor/replay/plan.h"
#include "supervisor/replay/recorded_journal.h"
#include "supervisor/replay/replay_run.h"
#include "supervisor/replay/survey.h"
#include "trigger-runtime/host/effect_lines.h"

namespace hastur {
namespace {

constexpr std::size_t portion_bytes = 64u << 10;

int stop(int code, const std::string& sentence) {
  print_error("supervisor replay: {}\n", sentence);
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

  // Of a file: the numbers that are said of the rows from `first` on, which live as long as what
  // comes is of them.
  void number_by(Sequence first, std::span<const std::uint64_t> numbers) {
    first_ = first;
    numbers_ = numbers;
  }

  void effect(std::size_t trigger, Sequence input, const Effect& effect) override {
    if (input < begin_) return;
    const std::size_t at = text_.size();
    lines_.effect(text_, number(input), effect);
    mark(trigger, input, at);
  }
  void error(std::size_t trigger, Sequence input, const CallError& error) override {
    if (input < begin_) return;
    ++errors_[trigger];
    const std::size_t at = text_.size();
    lines_.error(text_, number(input), error.time, error.error);
    mark(trigger, input, at);
  }
  void end(std::size_t trigger, EffectLines::Totals totals) {
    totals.errors = errors_[trigger];
    const std::size_t at = text_.size();
    lines_.end(text_, totals);
    mark(trigger, Sequence{UINT64_MAX}, at);
  }

  // Called when all triggers have taken the same inputs. False if nobody can read it any more.
  bool flush() {
    put_in_order();
    return write();
  }
  int write_error() const { return write_error_; }

 private:
  // What one trigger said of one input, as text_[begin, end).
  struct Part {
    Sequence input;
    std::size_t trigger;
    std::size_t begin, end;
  };

  bool write() {
    const bool all = std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() &&
                     std::fflush(stdout) == 0;
    if (!all) write_error_ = errno;
    text_.clear();
    return all;
  }
  std::uint64_t number(Sequence input) const {
    if (numbers_.empty()) return input.value;
    if (input < first_) return 0;
    const std::uint64_t row = input.value - first_.value;
    HASTUR_CHECK(row < numbers_.size(), "an effect of an input that was not fed");
    return numbers_[row];
  }
  void mark(std::size_t trigger, Sequence input, std::size_t at) {
    if (marks_.empty()) {
      if (text_.size() >= portion_bytes) write();
    } else if (text_.size() > at) {
      text_.insert(at + 1, marks_[trigger]);
      parts_.push_back({input, trigger, at, text_.size()});
    }
  }
  // By input, and at one input by trigger: which of several triggers speaks first is a matter of
  // how they are fed, and that of time.
  void put_in_order() {
    if (parts_.empty()) return;
    std::ranges::stable_sort(parts_, [](const Part& a, const Part& b) {
      return std::tie(a.input, a.trigger) < std::tie(b.input, b.trigger);
    });
    std::string ordered;
    ordered.reserve(text_.size());
    for (const Part& part : parts_) ordered.append(text_, part.begin, part.end - part.begin);
    text_ = std::move(ordered);
    parts_.clear();
  }

  JsonLines lines_;
  Sequence begin_;
  std::vector<std::string> marks_;
  std::vector<std::uint64_t> errors_;
  Sequence first_;
  std::span<const std::uint64_t> numbers_;
  std::string text_;
  // Of several triggers.
  std::vector<Part> parts_;
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
  Result<void> read(RecordingReader& reader, const std::string& source,
                    const RecordedJournal& journal, Result<std::optional<Batch>> batch);
  Result<void> check_lost(const RecordingReader& reader, const std::string& source) const;
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
    print_error("{} begins with {}\n", trigger.stream.name, trigger.begins_with);
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

// What became of the journal at the head of a file.
void tell_of(const RecordedJournal& journal, const std::string& source) {
  std::string text;
  if (journal.obeyed() > 0)
    text = fmt::format("{} decisions of the journal in {} are obeyed", journal.obeyed(), source);
  if (journal.of_other_versions() > 0) {
    text += fmt::format("{}{} of the journal in {} are of another version, and are not",
                        text.empty() ? "" : "; ", journal.of_other_versions(), source);
  }
  if (!text.empty()) print_error("{}\n", text);
}

Result<void> Scratch::over_file() {
  const auto store = open_to_read(options_.state);
  if (!store) return fail(store.error());
  auto planned = plan_file_replay(**store, options_.trigger);
  if (!planned) return fail(planned.error());
  plan_ = std::move(*planned);
  const auto file = RecordingFile::open(options_.input);
  if (!file) return fail(file.error());
  const std::string& source = (*file)->name();
  RecordedJournal journal(plan_, source);
  RecordingReader::Options reading;
  reading.journal = [&journal](const RecordingReader::JournalLine& line) { journal.take(line); };
  RecordingReader reader((*file)->stream(), source, reading);
  // With the first batch all that stands at the head has been read.
  auto batch = reader.next();
  if (!batch) return fail(batch.error());
  HASTUR_TRY(journal.status());
  journal.obey(plan_);
  tell_of(journal, source);
  const Result<void> done = read(reader, source, journal, std::move(batch));
  if (const std::string refused = refused_text(reader); !refused.empty())
    print_error("supervisor replay: {}\n", refused);
  if (journal.too_late() > 0) {
    print_error(
        "supervisor replay: {} decisions of the journal stand behind the first input of {} "
        "and were not obeyed; put them at its head\n",
        journal.too_late(), source);
  }
  if (!lines_) return done;
  // What came out is true as far as it goes.
  const Result<void> flushed = flush();
  return done ? flushed : done;
}

Result<void> Scratch::check_lost(const RecordingReader& reader, const std::string& source) const {
  if (options_.accept_loss || reader.lost_before().empty()) return {};
  const RecordingReader::Lost& lost = reader.lost_before().front();
  return fail(ErrorCode::not_found,
              fmt::format("the inputs {} to {} are not in {}, since History had lost them ({}); "
                          "with --accept-loss the replay goes on without them",
                          lost.first.value, lost.last.value, source, lost.why));
}

Result<void> Scratch::read(RecordingReader& reader, const std::string& source,
                           const RecordedJournal& journal, Result<std::optional<Batch>> batch) {
  FileNumbers numbers(reader.row_sequences());
  const bool obeys = journal.obeyed() > 0;
  const auto cannot_obey = [&](std::string_view why) {
    return fail(ErrorCode::invalid,
                fmt::format("the journal in {} cannot be obeyed: it names inputs by number, and "
                            "{}; export the stretch again, or take out the journal's lines",
                            source, why));
  };
  if (*batch && obeys && !numbers.are_there()) return cannot_obey("they bear no \"seq\"");
  // In a recording of a stream derived messages stand where they came.
  HASTUR_TRY(begin(!numbers.are_there()));
  while (true) {
    HASTUR_TRY(check_lost(reader, source));
    if (!*batch) break;
    const BatchHeader header = (*batch)->header;
    const BatchView view = BatchView::trusted(header, (*batch)->body);
    const auto pieces = numbers.take(header, reader.row_sequences(), obeys);
    if (!pieces) return cannot_obey(pieces.error().message);
    const std::span<const std::uint64_t> said =
        numbers.are_there() ? numbers.numbers() : reader.row_messages();
    for (const FileNumbers::Piece& piece : *pieces) {
      Batch part =
          piece.count == header.count ? std::move(**batch) : slice(view, piece.from, piece.count);
      part.header.first = piece.first;
      lines_->number_by(piece.first, said.subspan(piece.from, piece.count));
      HASTUR_TRY(run_->take(std::move(part), std::nullopt));
    }
    HASTUR_TRY(flush());
    batch = reader.next();
    if (!batch) return fail(batch.error());
    HASTUR_TRY(journal.status());
  }
  return finish(plan_, *run_, reader.messages(), *lines_);
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
    return done ? 0 : stop(is_output_lost() ? output_exit_code : 1, done.error().message);
  }
  if (options.notify == "pending")
    return stop(2, "--notify pending offers what --into live brings: give that too");
  Scratch scratch(options, clock);
  const Result<void> done = options.input.empty() ? scratch.over_history() : scratch.over_file();
  return done ? 0 : stop(is_output_lost() ? output_exit_code : 1, done.error().message);
}

}  // namespace hastur
