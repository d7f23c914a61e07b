#include "trigger-test/diff_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/clock.h"
#include "core/progress.h"
#include "message/recording.h"
#include "message/recording_file.h"
#include "trigger-test/close_run.h"
#include "trigger-test/diff_text.h"
#include "trigger-test/passed_over.h"
#include "trigger-test/printer.h"

namespace hastur {
namespace {

// The newest batch's numbers of messages, for inputs of it.
class Numbers {
 public:
  void begin(Sequence first, const std::vector<std::uint64_t>& row_messages) {
    first_ = first;
    row_messages_ = &row_messages;
  }
  std::uint64_t operator()(Sequence input) const {
    if (row_messages_ == nullptr || row_messages_->empty() || input < first_) return 0;
    const std::uint64_t row = input.value - first_.value;
    return (*row_messages_)[std::min<std::uint64_t>(row, row_messages_->size() - 1)];
  }

 private:
  Sequence first_;
  const std::vector<std::uint64_t>* row_messages_ = nullptr;
};

// How many effects of both were over a limit.
Result<std::uint64_t> feed_both(RecordingFile& file, RecordingReader& reader, CloseRun& old_run,
                                CloseRun& new_run, EffectDiff& diff, DiffTitle& title) {
  SystemClock clock;
  const Micros started = clock.monotonic();
  // Of standard input nobody knows how much there is.
  const bool is_known = file.bytes() > 0;
  Progress progress(stderr, isatty(STDERR_FILENO) == 1,
                    is_known ? std::optional(file.bytes()) : std::nullopt,
                    is_known ? "bytes" : "messages");
  Numbers numbers;
  const auto compare = [&](const std::vector<Seen>& old_ones, const std::vector<Seen>& new_ones) {
    diff.add(old_ones, new_ones, numbers);
  };
  while (true) {
    Result<std::optional<Batch>> batch = reader.next();
    if (!batch) {
      progress.clear();
      return fail(ErrorCode::invalid, batch.error().message);
    }
    if (!*batch) break;
    const auto input = input_of(std::move(**batch));
    numbers.begin(input->batch.header.first, reader.row_messages());
    if (!title.from) title.from = time_from_us(input->stream_times.front());
    title.to = time_from_us(input->stream_times.back());
    Result<std::vector<Seen>> old_ones = old_run.feed(input);
    Result<std::vector<Seen>> new_ones = old_ones ? new_run.feed(input) : std::vector<Seen>();
    if (!old_ones || !new_ones) {
      progress.clear();
      return fail(!old_ones ? old_ones.error() : new_ones.error());
    }
    compare(*old_ones, *new_ones);
    progress.show(is_known ? file.bytes_read() : reader.messages(), clock.monotonic() - started);
  }
  progress.clear();
  const auto old_end = old_run.finish();
  if (!old_end) return fail(old_end.error());
  const auto new_end = new_run.finish();
  if (!new_end) return fail(new_end.error());
  compare(old_end->seen, new_end->seen);
  diff.finish();
  return old_end->cost.effects_cut + new_end->cost.effects_cut;
}

}  // namespace

ExitCode diff(const DiffCommand& command) {
  if (const auto wrong = refuse_format(command.format)) return *wrong;
  Result<TriggerFiles> old_files = find_trigger_files(command.old_path);
  if (!old_files) return stop(ExitCode::usage, old_files.error().message);
  const Result<TriggerFiles> new_files = find_trigger_files(command.new_path);
  if (!new_files) return stop(ExitCode::usage, new_files.error().message);
  const auto file = RecordingFile::open(command.input);
  if (!file) return stop(ExitCode::usage, file.error().message);
  // Names stand in keys, labels and uuids, and seed what is random: they are no difference.
  old_files->name = new_files->name;

  std::unique_ptr<CloseRun> runs[2];
  for (const int side : {0, 1}) {
    const TriggerFiles& files = side == 0 ? *old_files : *new_files;
    auto started = CloseRun::start(files);
    if (!started) return stop(started.error());
    if (const auto* error = std::get_if<ScriptError>(&*started))
      return stop(ExitCode::trigger_failed, does_not_load(files, *error));
    runs[side] = std::move(std::get<std::unique_ptr<CloseRun>>(*started));
  }

  RecordingReader reader((*file)->stream(), (*file)->name(), {});
  EffectDiff diff;
  DiffTitle title{command.old_path, command.new_path};
  const Result<std::uint64_t> fed = feed_both(**file, reader, *runs[0], *runs[1], diff, title);
  if (!fed) {
    return fed.error().code == ErrorCode::invalid ? stop(ExitCode::usage, fed.error().message)
                                                  : stop(fed.error());
  }
  tell(refused_text(reader));
  tell(journal_text(reader));
  tell(left_out_text(*fed));
  title.messages = reader.messages();
  Printer printer;
  printer.text = command.format == "json" ? diff_json(diff, title)
                                          : diff_text(diff, title, Paint(wants_colour()));
  return printer.end(ExitCode::good);
}

}  // namespace hastur
