#include "trigger-runtime/vm/periodic.h"

#include <fmt/format.h>

#include <array>

#include "core/cut_text.h"

namespace hastur {
namespace {

constexpr Micros day = std::chrono::days{1};
constexpr Micros week = std::chrono::days{7};
// 1970-01-01 was a Thursday.
constexpr Time first_monday = Time{std::chrono::days{4}};

std::int64_t multiples(const Period& period, Time at) {
  const std::int64_t span = (at - period.from).count();
  const std::int64_t length = period.length.count();
  return span / length - (span % length < 0 ? 1 : 0);
}

// "07:30" as a span since midnight.
std::optional<Micros> time_of_day(std::string_view text) {
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4))
    return std::nullopt;
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  return std::chrono::hours{hours} + std::chrono::minutes{minutes};
}

}  // namespace

Result<Period> parse_period(std::string_view text, std::optional<std::string_view> at) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> words{
      {{"second", 1}, {"minute", 60}, {"hour", 3'600}, {"day", 86'400}, {"week", 604'800}}};
  Period period;
  for (const auto& [word, seconds] : words) {
    if (word == text) period.length = std::chrono::seconds{seconds};
  }
  if (period.length == Micros{0}) {
    const Result<Micros> span = parse_span(text);
    if (!span || *span < std::chrono::seconds{1} ||
        span.value() % std::chrono::seconds{1} != Micros{0}) {
      return fail(ErrorCode::invalid,
                  fmt::format("'{}' is not a period: use \"second\", \"minute\", \"hour\", "
                              "\"day\", \"week\" or whole "
                              "seconds as in \"30s\", \"5m\", \"2h\"",
                              cut_text(text)));
    }
    period.length = *span;
  }
  if (period.length == week) period.from = first_monday;
  if (at) {
    const std::optional<Micros> offset = time_of_day(*at);
    if (!offset) {
      return fail(
          ErrorCode::invalid,
          fmt::format("at = '{}' is not a time of day: write \"07:30\" (UTC)", cut_text(*at)));
    }
    if (period.length % day != Micros{0}) {
      return fail(
          ErrorCode::invalid,
          fmt::format("at = '{}' needs a period of whole days, not '{}'", *at, cut_text(text)));
    }
    period.from += *offset;
  }
  return period;
}

std::optional<Firing> firing(const Period& period, Time before, Time now) {
  const std::int64_t last = multiples(period, now);
  const std::int64_t passed = last - multiples(period, before);
  if (passed <= 0) return std::nullopt;
  return Firing{period.from + last * period.length, passed - 1};
}

}  // namespace hastur
