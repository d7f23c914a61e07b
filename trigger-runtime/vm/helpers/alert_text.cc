#include "trigger-runtime/vm/helpers/alert_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/json.h"

namespace hastur {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// "4 of 5 min": in the largest unit of which the whole has several, and no part of one.
std::string part_of(Micros part, Micros whole) {
  const auto in = [&](Micros unit, const char* name) {
    return fmt::format("{} of {} {}", part / unit, whole / unit, name);
  };
  const auto fits = [&](Micros unit) { return whole >= 2 * unit && whole % unit == Micros{0}; };
  if (fits(days{1})) return in(days{1}, "days");
  if (fits(hours{1})) return in(hours{1}, "h");
  if (fits(minutes{1})) return in(minutes{1}, "min");
  return in(seconds{1}, "s");
}

// "41 min": how long from now, at least 1 of its unit.
std::string ahead(Micros span) {
  const auto in = [&](Micros unit, const char* name) {
    return fmt::format("{} {}", std::max<std::int64_t>(1, (span + unit - Micros{1}) / unit), name);
  };
  if (span > days{2}) return in(days{1}, "days");
  if (span > hours{2}) return in(hours{1}, "h");
  if (span > minutes{1}) return in(minutes{1}, "min");
  return in(seconds{1}, "s");
}

std::size_t decimals_of(const std::string& number) {
  const std::size_t dot = number.find('.');
  return dot == std::string::npos || number.find('e') != std::string::npos
             ? 0
             : number.size() - dot - 1;
}

// Two numbers with as many decimals as the longer has, or, if those are too many, with as few as
// still tell the two apart, so that they are compared at a glance.
std::pair<std::string, std::string> alike(const Json& a, const Json& b) {
  std::pair<std::string, std::string> out{canonical_json(a), canonical_json(b)};
  if (!a.is_number() || !b.is_number()) return out;
  const bool is_plain =
      out.first.find('e') == std::string::npos && out.second.find('e') == std::string::npos;
  constexpr std::size_t shown_max = 4;
  const std::size_t exact = std::max(decimals_of(out.first), decimals_of(out.second));
  if (exact == 0 || !is_plain) return out;
  const auto with = [&](std::size_t decimals) {
    return std::pair(fmt::format("{:.{}f}", a.get<double>(), decimals),
                     fmt::format("{:.{}f}", b.get<double>(), decimals));
  };
  if (exact <= shown_max) return with(exact);
  const double size = std::fabs(a.get<double>());
  for (std::size_t decimals = std::max<std::size_t>(size < 1     ? 3
                                                    : size < 100 ? 2
                                                                 : 1,
                                                    decimals_of(out.second));
       decimals < exact; ++decimals) {
    const auto shown = with(decimals);
    if (shown.first != shown.second) return shown;
  }
  return out;
}

// A value as people say it: four digits will do.
std::string rough_value(const std::string& json) {
  const Result<Json> value = parse_json(json);
  if (value && value->is_string()) return value->get<std::string>();
  if (!value || !value->is_number()) return json;
  const double number = value->get<double>();
  if (number == std::trunc(number) && std::fabs(number) < 1e15)
    return fmt::format("{:.0f}", number);
  return std::fabs(number) < 1'000 ? fmt::format("{:.4g}", number) : fmt::format("{:.0f}", number);
}

// "0.08 is not above 0.10"
std::string not_raised(const Json& value, const Json& words) {
  if (!words.is_object()) {
    return fmt::format("{} is not {}{}", canonical_json(value), words.is_array() ? "one of " : "",
                       canonical_json(words));
  }
  const std::map<std::string, std::string> said{
      {"above", "above"}, {"below", "below"}, {"at_least", "at least"}, {"at_most", "at most"}};
  for (const auto& [word, bound] : words.items()) {
    if (value.is_number() && bound.is_number()) {
      const double a = value.get<double>();
      const double b = bound.get<double>();
      if (word == "above" ? a > b : word == "below" ? a < b : word == "at_least" ? a >= b : a <= b)
        continue;
    }
    const auto [given, asked] = alike(value, bound);
    const auto name = said.find(word);
    return fmt::format("{} is not {} {}", given, name == said.end() ? word : name->second, asked);
  }
  return canonical_json(value) + " does not raise it";
}

}  // namespace

std::string rough_span(Micros span) {
  if (span >= days{1}) return format_span(std::chrono::floor<hours>(span));
  if (span >= hours{1}) return format_span(std::chrono::floor<minutes>(span));
  return format_span(std::chrono::floor<seconds>(span));
}

std::string again_text(const Alert::Key& key, Time now) {
  return fmt::format("{} (still, after {})", key.text, rough_span(now - *key.open));
}

std::string flapping_text(const Alert::Key& key, const Alert::Flap& flap) {
  return fmt::format("flapping, {} changes in {}: {}", flap.changes, format_span(flap.span),
                     key.text);
}

std::string resolve_text(const Alert::Key& key, const Alert::Options& options) {
  const std::string after = rough_span(*key.over - *key.open);
  if (key.stale) {
    return fmt::format("no data for {}, resolved after {}: {}", format_span(*options.stale), after,
                       key.text);
  }
  if (key.value.empty()) return fmt::format("resolved after {}: {}", after, key.text);
  return fmt::format("resolved at {} after {}: {}", rough_value(key.value), after, key.text);
}

std::string moved_text(const Alert::Options& options) {
  return "resolved here: it pages " +
         (options.to.empty() ? "the channel of pages without `to`" : options.to) + " from now on";
}

std::string retired_text() { return "resolved: its script does not have this alert any more"; }

std::string why_quiet(const Alert& alert, std::string_view name, std::string_view value, Time now) {
  const Alert::Options& options = alert.options();
  const std::optional<Alert::Key> key = alert.find(name);
  if (key && key->is_flapping()) {
    return fmt::format("flapping: quiet until it did not change for {}",
                       options.flap ? format_span(options.flap->span) : "a while");
  }
  if (key && key->is_open()) {
    if (key->due && options.clear_after) {
      const Micros held = now - (*key->due - *options.clear_after);
      return fmt::format("clear for {}", part_of(held, *options.clear_after));
    }
    if (alert.is_burst()) return "burst";
    if (!key->sent) return "paged at the next tick";
    if (options.again) return fmt::format("again in {}", ahead(*key->sent + *options.again - now));
    return "paged already, at " + format_time(*key->sent);
  }
  if (key && key->due && options.raise_after) {
    const Micros held = now - (*key->due - *options.raise_after);
    return fmt::format("held {}", part_of(held, *options.raise_after));
  }
  const Result<Json> given = parse_json(value);
  const Result<Json> words = parse_json(options.raise_words);
  if (value.empty() || !given || given->is_boolean()) return "it is not raised";
  if (!words) return "it is not raised";
  // Its last value would raise it: nothing else closes it then.
  const std::string text = given->is_string() ? given->get<std::string>() : "";
  const Value said = given->is_string() ? Value::of(text) : Value::of(given->get<double>());
  if (options.stale && options.raise->holds(said))
    return fmt::format("no data for {}: {} was the last value", format_span(*options.stale), value);
  return not_raised(*given, *words);
}

}  // namespace hastur
