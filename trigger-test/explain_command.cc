#include "trigger-test/explain_command.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "trigger-test/explanation.h"

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
  if (command.format != "json" && command.format != "text") {
    return stop(ExitCode::usage,
                fmt::format("--format takes json or text, not \"{}\"", command.format));
  }
  const Result<TriggerFiles> trigger = find_trigger_files(command.trigger);
  if (!trigger) return stop(ExitCode::usage, trigger.error().message);
  std::ifstream file;
  const bool from_stdin = command.input == "-";
  if (!from_stdin) {
    file.open(command.input, std::ios::binary);
    if (!file) return stop(ExitCode::usage, fmt::format("cannot read {}", command.input));
  }
  std::ios::sync_with_stdio(false);
  const Result<Stream> stream =
      read_stream(from_stdin ? std::cin : file, from_stdin ? "standard input" : command.input);
  if (!stream) return stop(ExitCode::usage, stream.error().message);
  if (stream->row_messages.empty())
    return stop(ExitCode::usage, fmt::format("{} has no messages", command.input));

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

  std::string out;
  if (command.format == "json") {
    append_canonical_json(out, explanation_json(*explanation, *trigger));
    out += '\n';
  } else {
    out = explanation_text(*explanation, *trigger, command.key, Paint(wants_colour()));
  }
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0)
    return stop(ExitCode::internal, fmt::format("cannot write the output: {}", strerror(errno)));
  return ExitCode::good;
}

}  // namespace hastur
