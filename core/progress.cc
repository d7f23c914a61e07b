#include "core/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/output.h"

namespace hastur {
namespace {

constexpr std::uint64_t bar_width = 20;
constexpr Micros drawn_every = std::chrono::milliseconds{200};
constexpr Micros line_every = std::chrono::seconds{5};
// A rate of less is a guess.
constexpr Micros rated_after = std::chrono::milliseconds{500};

// "950", "12.3 k", "4.8 M".
std::string count_text(double count) {
  if (count < 1'000) return fmt::format("{:.0f}", count);
  if (count < 999'950) return fmt::format("{:.1f} k", count / 1e3);
  if (count < 999'950e3) return fmt::format("{:.1f} M", count / 1e6);
  return fmt::format("{:.1f} G", count / 1e9);
}

}  // namespace

std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> known_total,
                          std::string_view unit, Micros elapsed) {
  done = std::min(done, known_total.value_or(done));
  const bool is_rated = elapsed >= rated_after && done > 0;
  const double rate =
      is_rated ? static_cast<double>(done) / (static_cast<double>(elapsed.count()) / 1e6) : 0;
  if (!known_total) {
    const std::string text = fmt::format("{} {}", count_text(static_cast<double>(done)), unit);
    return is_rated ? text + fmt::format(", {}/s", count_text(rate)) : text;
  }
  const std::uint64_t total = *known_total;
  const double part = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  const auto full = static_cast<std::size_t>(part * static_cast<double>(bar_width));
  std::string text = fmt::format("[{}{}] {:3.0f} %, {} of {} {}", std::string(full, '#'),
                                 std::string(bar_width - full, '-'), part * 100,
                                 count_text(static_cast<double>(done)),
                                 count_text(static_cast<double>(total)), unit);
  if (!is_rated) return text;
  const double left = static_cast<double>(total - done) / rate;
  const auto seconds = std::chrono::seconds{static_cast<std::int64_t>(left + 0.5)};
  return text + fmt::format(", {}/s, {} left", count_text(rate), format_span(seconds));
}

void Progress::show(std::uint64_t done, Micros elapsed) {
  const Micros every = is_terminal_ ? drawn_every : line_every;
  if (elapsed - shown_at_.value_or(Micros{0}) < every) return;
  shown_at_ = elapsed;
  const std::string text = progress_text(done, total_, unit_, elapsed);
  if (is_terminal_) {
    print_to(out_, "\r{}\x1b[K", text);
    drawn_ = true;
  } else {
    print_to(out_, "{}\n", text);
  }
  std::fflush(out_);
}

void Progress::clear() {
  if (!drawn_) return;
  drawn_ = false;
  print_to(out_, "\r\x1b[K");
  std::fflush(out_);
}

}  // namespace hastur
