#include "core/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "core/cut_text.h"

namespace hastur {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t us;
};

// Falling, as they may follow one another in a span.
constexpr std::array<Unit, 8> units{{{"w", 604'800 * us_per_second},
                                     {"d", 86'400 * us_per_second},
                                     {"h", 3'600 * us_per_second},
                                     {"m", 60 * us_per_second},
                                     {"s", us_per_second},
                                     {"ms", 1'000},
                                     {"us", 1},
                                     {"µs", 1}}};

constexpr std::int64_t span_max_us = 36'525LL * 86'400 * us_per_second;

Failure not_a_span(std::string_view text) {
  return fail(
      ErrorCode::invalid,
      fmt::format(
          "'{}' is not a span of time: write a whole number and a unit, as in 500ms, 10s, 5m, "
          "2h, 1d or 1w, at most 100 years",
          cut_text(text)));
}

// Reads `width` digits at `position`; nothing if they are not all digits.
std::optional<int> digits(std::string_view text, std::size_t position, std::size_t width) {
  if (position + width > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = position; i < position + width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// The offset at the end of an RFC 3339 time, in seconds east of UTC.
std::optional<int> zone_seconds(std::string_view zone) {
  if (zone == "Z" || zone == "z") return 0;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const auto hours = digits(zone, 1, 2);
  const auto minutes = digits(zone, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const int seconds = *hours * 3600 + *minutes * 60;
  return zone[0] == '-' ? -seconds : seconds;
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;

  std::size_t position = 19;
  std::int64_t us = 0;
  if (position < text.size() && text[position] == '.') {
    std::int64_t scale = us_per_second / 10;
    std::size_t count = 0;
    for (++position; position < text.size() && text[position] >= '0' && text[position] <= '9';
         ++position) {
      us += (text[position] - '0') * scale;
      scale /= 10;
      ++count;
    }
    if (count == 0) return std::nullopt;
  }
  const auto zone = zone_seconds(text.substr(position));
  if (!zone) return std::nullopt;

  using std::chrono::sys_days;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t seconds = *hour * 3600 + *minute * 60 + *second - *zone;
  return Time{sys_days{date}} + Micros{seconds * us_per_second + us};
}

}  // namespace

Result<Micros> parse_span(std::string_view text) {
  std::int64_t total = 0;
  std::int64_t last_unit = INT64_MAX;
  const char* at = text.data();
  const char* end = at + text.size();
  if (at == end) return not_a_span(text);
  while (at != end) {
    std::int64_t number = 0;
    if (*at < '0' || *at > '9') return not_a_span(text);
    const auto [after, status] = std::from_chars(at, end, number);
    if (status != std::errc{}) return not_a_span(text);
    const char* unit_end = after;
    while (unit_end != end && (*unit_end < '0' || *unit_end > '9')) ++unit_end;
    const std::string_view unit_name(after, static_cast<std::size_t>(unit_end - after));
    std::int64_t unit_us = 0;
    for (const Unit& unit : units) {
      if (unit.name == unit_name) unit_us = unit.us;
    }
    if (unit_us == 0 || unit_us >= last_unit || number > span_max_us / unit_us)
      return not_a_span(text);
    total += number * unit_us;
    if (total > span_max_us) return not_a_span(text);
    last_unit = unit_us;
    at = unit_end;
  }
  return Micros{total};
}

std::string format_span(Micros span) {
  std::int64_t rest = span.count();
  if (rest == 0) return "0s";
  std::string text;
  if (rest < 0) {
    text = "-";
    rest = -rest;
  }
  for (const Unit& unit : units) {
    if (rest >= unit.us) {
      text += fmt::format("{}{}", rest / unit.us, unit.name);
      rest %= unit.us;
    }
  }
  return text;
}

std::string format_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::int64_t of_day = (time - day).count();
  const std::int64_t seconds = of_day / us_per_second;
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (const std::int64_t fraction = of_day % us_per_second; fraction != 0) {
    std::string fraction_digits = fmt::format(".{:06}", fraction);
    while (fraction_digits.back() == '0') fraction_digits.pop_back();
    text += fraction_digits;
  }
  return text + "Z";
}

Result<Time> parse_time(std::string_view text) {
  std::int64_t us = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), us);
  if (status == std::errc{} && end == text.data() + text.size() && !text.empty())
    return time_from_us(us);
  if (const auto time = parse_rfc3339(text)) return *time;
  return fail(
      ErrorCode::invalid,
      fmt::format(
          "'{}' is not a time: write RFC 3339, as in 2024-01-01T00:00:00Z, or microseconds since "
          "1970 in digits",
          cut_text(text)));
}

}  // namespace hastur
