#pragma once

// One line of log an event, on standard error: time, level, program, sentence.
//
// A line says what happened to which thing and what follows; numbers carry their unit. Levels:
// `info` for what an operator did or sees change, `warn` for what went wrong and was dealt with,
// `error` for what needs them.

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace hastur {

enum class LogLevel { debug, info, warn, error };

// "debug", "info", "warn", "error"; nothing for any other word.
std::optional<LogLevel> log_level_from_name(std::string_view name);

// Names the program in each line and sets the lowest level shown. Called once, by main().
void start_log(std::string_view program, LogLevel lowest);

// Changes the lowest level shown.
void set_log_level(LogLevel lowest);

void log_line(LogLevel level, std::string_view line);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace hastur
