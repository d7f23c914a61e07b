#include "trigger-test/run_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "message/recording.h"
#include "trigger-runtime/host/effect_lines.h"
#include "trigger-runtime/host/run_stream.h"
#include "trigger-runtime/host/worker.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

// Lines are written in portions of about this size, and at the end of every batch.
constexpr std::size_t portion_bytes = 64u << 10;

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
    lines_->effect(text_, seq(input), effect);
    if (text_.size() >= portion_bytes) flush();
  }
  void error(std::size_t /*trigger*/, Sequence input, const CallError& error) override {
    ++errors_;
    lines_->error(text_, seq(input), error.time, error.error);
  }
  void load_error(const ScriptError& error) {
    ++errors_;
    lines_->error(text_, 0, Time{}, error);
    flush();
  }
  void end(EffectLines::Totals totals) {
    totals.errors = errors_;
    lines_->end(text_, totals);
    flush();
  }

  void flush() {
    const bool all = std::fwrite(text_.data(), 1, text_.size(), stdout) == text_.size() &&
                     std::fflush(stdout) == 0;
    if (!all && !write_error_) write_error_ = errno;
    text_.clear();
  }
  // Why what was to be printed is not complete.
  std::optional<int> write_error() const { return write_error_; }
  std::uint64_t errors() const { return errors_; }

 private:
  std::uint64_t seq(Sequence input) const {
    if (row_messages_ == nullptr || input < first_) return 0;
    return row_messages_->at(input.value - first_.value);
  }

  std::unique_ptr<EffectLines> lines_;
  Sequence first_;
  const std::vector<std::uint64_t>* row_messages_ = nullptr;
  std::uint64_t errors_ = 0;
  std::string text_;
  std::optional<int> write_error_;
};

ExitCode cannot_print(int error) {
  return stop(ExitCode::internal, fmt::format("cannot write the output: {}", strerror(error)));
}

std::string place(const ScriptError& error) {
  if (error.script.empty()) return "";
  return error.line == 0 ? error.script + ": " : fmt::format("{}:{}: ", error.script, error.line);
}

}  // namespace

ExitCode run(const RunCommand& command) {
  if (command.format != "json" && command.format != "text") {
    return stop(ExitCode::usage,
                fmt::format("--format takes json or text, not \"{}\"", command.format));
  }
  Result<TriggerFiles> files = find_trigger_files(command.trigger);
  if (!files) return stop(ExitCode::usage, files.error().message);

  std::ifstream file;
  const bool from_stdin = command.input == "-";
  if (!from_stdin) {
    file.open(command.input, std::ios::binary);
    if (!file) return stop(ExitCode::usage, fmt::format("cannot read {}", command.input));
  }
  std::ios::sync_with_stdio(false);
  RecordingReader reader(from_stdin ? std::cin : file,
                         from_stdin ? std::string("standard input") : command.input, {});

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
    return stop(ExitCode::trigger_failed,
                fmt::format("{}does not load: {}", place(*error), error->text));
  }

  while (true) {
    Result<std::optional<Batch>> batch = reader.next();
    if (!batch) {
      output.flush();
      return stop(ExitCode::usage, batch.error().message);
    }
    if (!*batch) break;
    output.begin_batch((*batch)->header.first, reader.row_messages());
    const Result<void> fed = stream.feed(input_of(std::move(**batch)));
    output.flush();
    if (!fed) return stop(fed.error());
    if (output.write_error()) return cannot_print(*output.write_error());
  }
  const Result<Memory> end = stream.finish(0);
  if (!end) return stop(end.error());
  output.end({end->state, reader.messages(), stream.matched(0), 0});
  if (output.write_error()) return cannot_print(*output.write_error());
  return output.errors() == 0 ? ExitCode::good : ExitCode::trigger_failed;
}

}  // namespace hastur
