#include "trigger-test/exit_code.h"

#include <fmt/format.h>

#include "core/output.h"
#include "core/printable.h"

namespace hastur {

ExitCode stop(ExitCode code, const std::string& sentence) {
  print_error("trigger-test: {}", printable_lines(sentence));
  return code;
}

ExitCode stop(const Error& error) {
  const bool trigger_failed = error.code == ErrorCode::failed;
  return stop(trigger_failed ? ExitCode::trigger_failed : ExitCode::internal, error.message);
}

std::optional<ExitCode> refuse_format(const std::string& format) {
  if (format == "json" || format == "text") return std::nullopt;
  return stop(ExitCode::usage, fmt::format("--format takes json or text, not \"{}\"", format));
}

void tell(const std::string& sentence) {
  if (!sentence.empty()) print_error("trigger-test: {}", printable_lines(sentence));
}

}  // namespace hastur
