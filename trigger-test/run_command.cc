#include "trigger-test/run_command.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "core/time.h"
#include "message/recording.h"
#include "message/recording_file.h"
#include "trigger-runtime/host/effect_lines.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-test/passed_over.h"
#include "trigger-test/printer.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

// A trigger that goes over its limits so often within a second does so at nearly every message.
constexpr std::uint64_t stops_told = 3;

// Numbers inputs as the contract wants it, and writes what comes out.
class Output final : public StreamListener {
 public:
  explicit Output(std::unique_ptr<EffectLines> lines) : lines_(std::move(lines)) {}

  // What comes next is of these inputs.
  void begin_batch(Sequence first, const std::vector<std::uint64_t>& row_messages) {
    first_ = first;
    row_messages_ = &row_messages;
  }

  void effect(std::size_t /*trigger*/, Sequence input, const Effect& effect) override {
    lines_->effect(printer_.text, seq(input), effect);
    printer_.flush_if_large();
  }
  void error(std::size_t /*trigger*/, Sequence input, const CallError& error) override {
    ++errors_;
    lines_->error(printer_.text, seq(input), error.time, error.error);
    if (error.kind != CallError::Kind::raised && error.kind != CallError::Kind::judgement)
      tell_stop(error.time);
  }
  void load_error(const ScriptError& error) {
    ++errors_;
    lines_->error(printer_.text, 0, Time{}, error);
    printer_.flush();
  }
  void end(EffectLines::Totals totals) {
    totals.errors = errors_;
    lines_->end(printer_.text, totals);
  }

  Printer& printer() { return printer_; }
  std::uint64_t errors() const { return errors_; }

 private:
  // What takes long is seen while it does.
  void tell_stop(Time at) {
    printer_.flush();
    if (whole_second(at) != whole_second(std::exchange(stopped_at_, at))) stops_ = 0;
    if (++stops_ != stops_told) return;
    tell(
        "calls of one second go over a limit again and again, and after each all that came since "
        "the last judgement, which is at a tick, is run again: this may take long");
  }

  std::uint64_t seq(Sequence input) const {
    if (row_messages_ == nullptr || input < first_) return 0;
    return row_messages_->at(input.value - first_.value);
  }

  std::unique_ptr<EffectLines> lines_;
  Sequence first_;
  const std::vector<std::uint64_t>* row_messages_ = nullptr;
  std::uint64_t errors_ = 0;
  // In the second of the last one.
  std::uint64_t stops_ = 0;
  Time stopped_at_{};
  Printer printer_;
};

std::string place(const ScriptError& error) {
  if (error.script.empty()) return "";
  return error.line == 0 ? error.script + ": " : fmt::format("{}:{}: ", error.script, error.line);
}

}  // namespace

ExitCode run(const RunCommand& command) {
  if (const auto wrong = refuse_format(command.format)) return *wrong;
  Result<TriggerFiles> files = find_trigger_files(command.trigger);
  if (!files) return stop(ExitCode::usage, files.error().message);

  const auto file = RecordingFile::open(command.input);
  if (!file) return stop(ExitCode::usage, file.error().message);
  RecordingReader reader((*file)->stream(), (*file)->name(), {});

  auto inputs = SharedInputs::make();
  if (!inputs) return stop(ExitCode::internal, inputs.error().message);
  auto worker = Worker::spawn(**inputs, {});
  if (!worker) return stop(ExitCode::internal, worker.error().message);

  std::unique_ptr<EffectLines> lines;
  if (command.format == "json") {
    lines = std::make_unique<JsonLines>();
  } else {
    lines = std::make_unique<TextLines>();
  }
  Output output(std::move(lines));
  StreamRun::Options options;
  options.derived_come_back = true;
  StreamRun stream(**worker, output, options);

  StreamTrigger trigger;
  trigger.name = std::move(files->name);
  trigger.script = std::move(files->script);
  trigger.libraries = std::move(files->libraries);
  const auto added = stream.add(std::move(trigger));
  if (!added) return stop(added.error());
  if (const auto* error = std::get_if<ScriptError>(&*added)) {
    output.load_error(*error);
    output.end({"{}", 0, 0, 0});
    output.printer().flush();
    return stop(ExitCode::trigger_failed,
                fmt::format("{}does not load: {}", place(*error), error->text));
  }

  while (true) {
    Result<std::optional<Batch>> batch = reader.next();
    if (!batch) {
      output.printer().flush();
      return stop(ExitCode::usage, batch.error().message);
    }
    if (!*batch) break;
    output.begin_batch((*batch)->header.first, reader.row_messages());
    const Result<void> fed = stream.feed(input_of(std::move(**batch)));
    output.printer().flush();
    if (!fed) return stop(fed.error());
    if (output.printer().failed()) return output.printer().end(ExitCode::good);
  }
  tell(refused_text(reader));
  tell(journal_text(reader));
  const Result<Memory> end = stream.finish(0);
  if (!end) return stop(end.error());
  tell(left_out_text(stream.cost(0).effects_cut));
  output.end({end->state, reader.messages(), stream.matched(0), 0});
  return output.printer().end(output.errors() == 0 ? ExitCode::good : ExitCode::trigger_failed);
}

}  // namespace hastur
