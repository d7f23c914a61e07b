#include "supervisor/replay/export_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

#include "core/json.h"
#include "core/output.h"
#include "core/progress.h"
#include "core/suggest.h"
#include "message/recording_writer.h"
#include "supervisor/replay/history_source.h"
#include "supervisor/replay/journal_lines.h"
#include "supervisor/replay/plan.h"
#include "supervisor/replay/survey.h"

namespace hastur {
namespace {

int stop(int code, const std::string& sentence) {
  print_error("supervisor export: {}\n", sentence);
  return code;
}

// Where the lines go. A file that is not closed is removed.
class Output {
 public:
  static Result<std::unique_ptr<Output>> open(const std::string& path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // Writes the text and empties it.
  Result<void> write(std::string& text);
  Result<void> close();
  std::string name() const { return path_.empty() ? "standard output" : path_; }

 private:
  Output(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  Error failed() const {
    return {ErrorCode::failed, fmt::format("cannot write {}: {}", name(), std::strerror(errno))};
  }

  std::FILE* file_;
  std::string path_;
};

Result<std::unique_ptr<Output>> Output::open(const std::string& path) {
  if (path.empty()) return std::unique_ptr<Output>(new Output(stdout, path));
  // "x": what is there is not overwritten.
  if (std::FILE* file = std::fopen(path.c_str(), "wxe"))
    return std::unique_ptr<Output>(new Output(file, path));
  return fail(ErrorCode::failed,
              fmt::format("cannot write {}: {}{}", path, std::strerror(errno),
                          errno == EEXIST ? "; name another file, or remove that one" : ""));
}

Output::~Output() {
  if (file_ == nullptr || path_.empty()) return;
  std::fclose(file_);
  std::remove(path_.c_str());
}

Result<void> Output::write(std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) return fail(failed());
  text.clear();
  return {};
}

Result<void> Output::close() {
  if (std::fflush(file_) != 0 || (!path_.empty() && std::fclose(file_) != 0)) return fail(failed());
  file_ = nullptr;
  return {};
}

Result<Filter> filter_of(const ExportOptions& options) {
  Json spec = Json::object();
  for (const std::string& type : options.types) {
    const auto known = type_from_name(type);
    if (!known || *known == MessageType::tick) {
      return fail(ErrorCode::invalid, fmt::format("--type {} is no type of a message; they are "
                                                  "gauge, counter, mark, event, log … "
                                                  "(docs/formats/messages.md)",
                                                  type));
    }
    spec["type"].push_back(type);
  }
  for (const std::string& name : options.names) spec["name"].push_back(name);
  return Filter::parse(spec);
}

struct Stretch {
  StreamId stream;
  Sequence first, last;
};

Result<Stretch> stretch_of(const ExportOptions& options, HistorySource& source) {
  const auto stands = source.position();
  if (!stands) return fail(stands.error());
  Stretch stretch{stands->stream, stands->oldest, {}};
  if (!options.from.empty()) {
    const auto from = parse_replay_point(options.from, stands->stream_time);
    if (!from) return fail(from.error());
    if (const auto* sequence = std::get_if<Sequence>(&*from)) {
      stretch.first = std::max(*sequence, Sequence{1});
    } else if (const auto* time = std::get_if<Time>(&*from)) {
      const auto first = source.first_at(*time);
      if (!first) return fail(first.error());
      stretch.first = *first;
    } else {
      return fail(ErrorCode::invalid, "--from takes a time or a sequence");
    }
  }
  const auto last = last_input(options.to, *stands, source);
  if (!last) return fail(last.error());
  stretch.last = *last;
  if (stretch.last < stretch.first) {
    return fail(ErrorCode::not_found,
                stands->last < stands->oldest
                    ? std::string("History holds no message")
                    : fmt::format("there is nothing between --from and --to; History holds {} to "
                                  "{}, the newest of {}",
                                  stands->oldest.value, stands->last.value,
                                  stands->stream_time ? format_time(*stands->stream_time)
                                                      : "no "
                                                        "time"));
  }
  return stretch;
}

// The journal of the triggers that run on this stream.
Result<std::uint64_t> append_journal(std::string& out, const ExportOptions& options,
                                     const Stretch& stretch) {
  const auto store = open_to_read(options.state);
  if (!store) {
    return fail(store.error().code, fmt::format("{}; --no-journal leaves out what stands in it",
                                                store.error().message));
  }
  if ((*store)->stream() && *(*store)->stream() != stretch.stream) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is of stream {}, the syndicator at {} has stream {}; name the "
                            "state file that belongs to it, or leave it out with --no-journal",
                            options.state, (*store)->stream()->to_string(), options.request,
                            stretch.stream.to_string()));
  }
  return append_journal_lines(out, **store, stretch.first, stretch.last);
}

class Export {
 public:
  Export(const ExportOptions& options, Clock& clock, Filter filter)
      : options_(options), clock_(clock), writer_(std::move(filter)) {}

  Result<void> run();

 private:
  Result<void> copy(HistorySource& source, const Stretch& stretch, Output& output);

  const ExportOptions& options_;
  Clock& clock_;
  RecordingWriter writer_;
  std::string text_;
  std::uint64_t lost_ = 0;
  // What `time_max` left out begins here.
  std::optional<Sequence> left_out_from_;
};

Result<void> Export::run() {
  auto source = HistorySource::open(options_.request, clock_);
  if (!source) return fail(source.error());
  const auto stretch = stretch_of(options_, **source);
  if (!stretch) return fail(stretch.error());
  std::uint64_t decisions = 0;
  RecordingWriter::add_stretch(text_, stretch->first, stretch->last);
  if (!options_.no_journal) {
    const auto appended = append_journal(text_, options_, *stretch);
    if (!appended) return fail(appended.error());
    decisions = *appended;
  }
  auto output = Output::open(options_.output);
  if (!output) return fail(output.error());
  HASTUR_TRY((*output)->write(text_));
  HASTUR_TRY(copy(**source, *stretch, **output));
  HASTUR_TRY((*output)->close());
  print_error("{}: {} messages and {} ticks of {} to {}{}\n", (*output)->name(), writer_.messages(),
              writer_.ticks(), stretch->first.value, stretch->last.value,
              options_.no_journal ? "" : fmt::format(", {} decisions of the journal", decisions));
  if (lost_ > 0)
    print_error("  {} numbers among them are not in History; lines say which\n", lost_);
  if (left_out_from_) print_error("  --time-max came before {}\n", left_out_from_->value);
  return {};
}

Result<void> Export::copy(HistorySource& source, const Stretch& stretch, Output& output) {
  Progress progress(stderr, isatty(STDERR_FILENO) == 1 && isatty(STDOUT_FILENO) != 1,
                    stretch.last.value - stretch.first.value + 1, "inputs");
  const Micros started = clock_.monotonic();
  const auto work = [&]() -> Result<void> {
    Sequence next = stretch.first;
    source.read(next, stretch.last);
    while (next <= stretch.last) {
      if (options_.time_max > Micros{0} && clock_.monotonic() - started >= options_.time_max) {
        left_out_from_ = next;
        break;
      }
      const auto part = source.next();
      if (!part) return fail(part.error());
      if (!*part) break;
      if (const auto* batch = std::get_if<Batch>(&**part)) {
        writer_.add(text_, *batch, next, stretch.last);
        next = batch->header.last().next();
      } else {
        const auto& lost = std::get<LostReply>(**part);
        const Sequence first = std::max(lost.first, stretch.first);
        const Sequence last = std::min(lost.last, stretch.last);
        RecordingWriter::add_lost(text_, first, last, lost.why);
        lost_ += last.value - first.value + 1;
        next = lost.last.next();
      }
      HASTUR_TRY(output.write(text_));
      progress.show(std::min(next.value - 1, stretch.last.value) - stretch.first.value + 1,
                    clock_.monotonic() - started);
    }
    return {};
  };
  const Result<void> done = work();
  progress.clear();
  return done;
}

}  // namespace

int export_command(const ExportOptions& options, Clock& clock) {
  auto filter = filter_of(options);
  if (!filter) return stop(2, filter.error().message);
  Export exporting(options, clock, std::move(*filter));
  const Result<void> done = exporting.run();
  return done ? 0 : stop(is_output_lost() ? output_exit_code : 1, done.error().message);
}

}  // namespace hastur
