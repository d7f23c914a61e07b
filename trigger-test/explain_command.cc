#include "trigger-test/explain_command.h"

#include <fmt/format.h>

#include "core/json.h"
#include "message/recording_file.h"
#include "trigger-test/explanation.h"
#include "trigger-test/printer.h"

namespace hastur {
namespace {

constexpr Micros around_default = std::chrono::seconds{10};

// RFC 3339, microseconds, or a span from the first input.
Result<Time> moment_of(const std::string& text, const Stream& stream) {
  if (const Result<Time> time = parse_time(text)) return *time;
  const Result<Micros> span = parse_span(text);
  if (!span) {
    return fail(ErrorCode::invalid,
                fmt::format("--at takes a time (2024-01-01T00:05:00Z, or microseconds), or a span "
                            "from the first input (5m), not \"{}\"",
                            text));
  }
  return stream.time_at({1}) + *span;
}

Result<void> is_within(Time at, const Stream& stream) {
  const Time first = stream.time_at({1});
  const Time last = stream.time_at({stream.row_messages.size()});
  if (at >= first && at <= last + std::chrono::hours{1}) return {};
  return fail(ErrorCode::invalid,
              fmt::format("--at {} is not in the recording, which goes from {} to {}",
                          format_time(at), format_time(first), format_time(last)));
}

}  // namespace

ExitCode explain(const ExplainCommand& command) {
  if (const auto wrong = refuse_format(command.format)) return *wrong;
  const Result<TriggerFiles> trigger = find_trigger_files(command.trigger);
  if (!trigger) return stop(ExitCode::usage, trigger.error().message);
  const auto file = RecordingFile::open(command.input);
  if (!file) return stop(ExitCode::usage, file.error().message);
  const Result<Stream> stream = read_stream((*file)->stream(), (*file)->name());
  if (!stream) return stop(ExitCode::usage, stream.error().message);
  if (stream->row_messages.empty())
    return stop(ExitCode::usage, fmt::format("{} has no messages", command.input));
  tell(stream->refused);
  tell(stream->passed_over);

  ExplainOptions options;
  const Result<Time> at = moment_of(command.at, *stream);
  if (!at) return stop(ExitCode::usage, at.error().message);
  if (const auto within = is_within(*at, *stream); !within)
    return stop(ExitCode::usage, within.error().message);
  options.at = *at;
  options.widen = command.around == Micros{0};
  options.around = options.widen ? around_default : command.around;
  options.key = command.key;
  const Result<Explanation> explanation = explain_trigger(*trigger, *stream, options);
  if (!explanation) {
    if (explanation.error().code == ErrorCode::full)
      return stop(ExitCode::usage, explanation.error().message);
    return stop(explanation.error());
  }

  Printer printer;
  if (command.format == "json") {
    append_canonical_json(printer.text, explanation_json(*explanation, *trigger));
    printer.text += '\n';
  } else {
    printer.text = explanation_text(*explanation, *trigger, command.key, Paint(wants_colour()));
  }
  return printer.end(ExitCode::good);
}

}  // namespace hastur
