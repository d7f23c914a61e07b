#include "trigger-test/trace_command.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>

#include "core/json.h"
#include "message/json_codec.h"
#include "message/recording.h"
#include "message/recording_file.h"
#include "trigger-runtime/host/effect_lines.h"
#include "trigger-test/close_run.h"
#include "trigger-test/explanation.h"
#include "trigger-test/filter_words.h"
#include "trigger-test/message_words.h"
#include "trigger-test/passed_over.h"
#include "trigger-test/printer.h"
#include "trigger-test/state_change.h"

namespace hastur {
namespace {

struct TracedInput {
  std::uint64_t seq = 0;
  Time time;
  MessageView message;
};

class TraceLines {
 public:
  virtual ~TraceLines() = default;
  virtual void input(std::string& out, const TracedInput& input) const = 0;
  // Of a state that may differ.
  virtual void changes(std::string& out, const TracedInput& input,
                       const StateStory& state) const = 0;

 protected:
  static std::vector<StateChange> changes_of(const TracedInput& input, const StateStory& state) {
    return state_changes(state.before, state.after, {input.message.deaf, input.time});
  }
};

class JsonTrace final : public TraceLines {
 public:
  void input(std::string& out, const TracedInput& input) const override {
    out += "{\"input\":";
    append_message_json(out, input.message);
    fmt::format_to(std::back_inserter(out), ",\"seq\":{},\"time\":{}}}\n", input.seq,
                   to_us(input.time));
  }
  void changes(std::string& out, const TracedInput& input, const StateStory& state) const override {
    Json list;
    if (state.is_known()) {
      list = Json::array();
      for (const StateChange& change : changes_of(input, state)) list.push_back(json_of(change));
    }
    fmt::format_to(std::back_inserter(out), "{{\"change\":{},\"seq\":{},\"time\":{}}}\n",
                   canonical_json(list), input.seq, to_us(input.time));
  }
};

class TextTrace final : public TraceLines {
 public:
  void input(std::string& out, const TracedInput& input) const override {
    begin(out, input, "input");
    out += input.message.type == MessageType::tick ? "tick" : message_words(input.message);
    out += '\n';
  }
  void changes(std::string& out, const TracedInput& input, const StateStory& state) const override {
    if (!state.is_known()) {
      begin(out, input, "state");
      out += state.unknown_words();
      out += '\n';
      return;
    }
    for (const StateChange& change : changes_of(input, state)) {
      begin(out, input, "state");
      out += change.words() + '\n';
    }
  }

 private:
  static void begin(std::string& out, const TracedInput& input, const char* what) {
    fmt::format_to(std::back_inserter(out), "{}  #{:<6} {:<12} ", format_time(input.time),
                   input.seq, what);
  }
};

class Tracer {
 public:
  Tracer(CloseRun& run, Printer& printer, bool json)
      : run_(run), judge_(run.loaded()), printer_(printer) {
    if (json) {
      trace_ = std::make_unique<JsonTrace>();
      effects_ = std::make_unique<JsonLines>();
    } else {
      trace_ = std::make_unique<TextTrace>();
      effects_ = std::make_unique<TextLines>();
    }
  }

  Result<void> feed(const InputBatch& batch, const std::vector<std::uint64_t>& row_messages) {
    const BatchView view = BatchView::trusted(batch.batch.header, batch.batch.body);
    std::vector<Label> scratch;
    // Rows that are no inputs are fed with the next one that is.
    std::uint32_t from = 0;
    for (std::uint32_t row = 0; row < view.count(); ++row) {
      const MessageView message = view.message(row, scratch);
      const bool is_tick = message.type == MessageType::tick;
      if (!is_tick && !judge_.any_takes(message) && row + 1 < view.count()) continue;
      const auto stories = run_.look(batch, from, row);
      if (!stories) return fail(stories.error());
      from = row + 1;
      const TracedInput root{row_messages[row], time_from_us(batch.stream_times[row]), message};
      for (const InputStory& story : *stories) {
        const bool is_taken = story.derived ? judge_.any_takes(story.derived->view())
                                            : !is_tick && judge_.any_takes(message);
        if (!is_taken && story.calls.empty() && story.seen.empty() && !story.state.may_differ())
          continue;
        tell(story.derived ? TracedInput{root.seq, root.time, story.derived->view()} : root, story);
      }
      printer_.flush_if_large();
    }
    return {};
  }

  // Effects and errors of an input, or of the judgement at the end.
  void tell(std::uint64_t seq, const std::vector<Seen>& all) {
    for (const Seen& seen : all) {
      if (seen.effect) {
        effects_->effect(printer_.text, seq, *seen.effect);
      } else {
        ++errors_;
        effects_->error(printer_.text, seq, seen.time, seen.error->error);
      }
    }
  }
  void end(EffectLines::Totals totals) {
    totals.errors = errors_;
    effects_->end(printer_.text, totals);
  }
  std::uint64_t errors() const { return errors_; }

 private:
  void tell(const TracedInput& input, const InputStory& story) {
    trace_->input(printer_.text, input);
    tell(input.seq, story.seen);
    if (story.state.may_differ()) trace_->changes(printer_.text, input, story.state);
  }

  CloseRun& run_;
  const FilterJudge judge_;
  Printer& printer_;
  std::unique_ptr<TraceLines> trace_;
  std::unique_ptr<EffectLines> effects_;
  std::uint64_t errors_ = 0;
};

}  // namespace

ExitCode trace(const TraceCommand& command) {
  if (const auto wrong = refuse_format(command.format)) return *wrong;
  const Result<TriggerFiles> trigger = find_trigger_files(command.trigger);
  if (!trigger) return stop(ExitCode::usage, trigger.error().message);
  const auto file = RecordingFile::open(command.input);
  if (!file) return stop(ExitCode::usage, file.error().message);
  auto started = CloseRun::start(*trigger);
  if (!started) return stop(started.error());
  if (const auto* error = std::get_if<ScriptError>(&*started))
    return stop(ExitCode::trigger_failed, does_not_load(*trigger, *error));

  CloseRun& run = *std::get<std::unique_ptr<CloseRun>>(*started);
  Printer printer;
  Tracer tracer(run, printer, command.format == "json");
  RecordingReader reader((*file)->stream(), (*file)->name(), {});
  while (!printer.failed()) {
    Result<std::optional<Batch>> batch = reader.next();
    if (!batch) {
      printer.flush();
      return stop(ExitCode::usage, batch.error().message);
    }
    if (!*batch) break;
    const auto input = input_of(std::move(**batch));
    const Result<void> fed = tracer.feed(*input, reader.row_messages());
    printer.flush();
    if (!fed) return stop(fed.error());
  }
  tell(refused_text(reader));
  tell(journal_text(reader));
  const Result<CloseRun::End> end = run.finish();
  if (!end) return stop(end.error());
  tell(left_out_text(end->cost.effects_cut));
  tracer.tell(reader.messages(), end->seen);
  tracer.end({end->state, reader.messages(), end->matched, 0});
  return printer.end(tracer.errors() == 0 ? ExitCode::good : ExitCode::trigger_failed);
}

}  // namespace hastur
