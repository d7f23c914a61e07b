#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/printable.h"
#include "trigger-test/explanation.h"
#include "trigger-test/message_words.h"
#include "trigger-test/told_lines.h"

namespace hastur {
namespace {

constexpr std::ptrdiff_t rows_before = 14;
constexpr std::ptrdiff_t rows_after = 8;
// How far back a row looks for one like it.
constexpr std::ptrdiff_t alike_within = 8;
constexpr std::size_t changes_max = 6;
constexpr std::size_t alerts_max = 8;
constexpr std::size_t source_width = 44;
constexpr std::size_t value_max = 60;

// "00:05:00.25"
std::string clock_words(Time time) {
  const std::string whole = format_time(time);
  return whole.substr(11, whole.size() - 12);
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// How many columns a text takes: of UTF-8, its characters.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}
std::string padded(std::string text, std::size_t columns) {
  const std::size_t have = width(text);
  return have < columns ? text + std::string(columns - have, ' ') : text;
}

// A value as people read it: numbers without the digits that nobody looks at.
std::string value_text(const std::string& value) {
  constexpr std::size_t digits_max = 10;
  if (value.size() > digits_max) {
    const Result<Json> json = parse_json(value);
    if (json && json->is_number_float()) return fmt::format("{:.6g}", json->get<double>());
  }
  return printable(cut_text(value, value_max));
}

std::string source_text(std::string source) {
  std::ranges::replace(source, '\t', ' ');
  return printable(cut_text(source, 100));
}

class TextTeller {
 public:
  TextTeller(const Explanation& explanation, const TriggerFiles& trigger, const std::string& key,
             const Paint& paint)
      : told_(explanation), trigger_(trigger), key_(key), paint_(paint), sources_(trigger) {}

  std::string tell() {
    for (const ExplainedInput& input : told_.inputs) add(input);
    const auto after =
        std::ranges::find_if(rows_, [&](const Row& row) { return row.first->time > told_.at; });
    const auto begin = after - std::min(after - rows_.begin(), rows_before);
    const auto end = after + std::min(rows_.end() - after, rows_after);
    head();
    left_out("earlier", told_.earlier + inputs_in(rows_.begin(), begin));
    for (auto row = begin; row != end; ++row) {
      if (row == after) moment();
      tell(*row);
    }
    if (after == end) moment();
    left_out("later", told_.later + inputs_in(end, rows_.end()));
    if (rows_.empty()) explain_nothing();
    return std::move(out_);
  }

 private:
  void line(const std::string& text) {
    out_ += text;
    out_ += '\n';
  }

  void head() {
    line(fmt::format("{}  at {}", paint_.bold(printable(trigger_.name)), format_time(told_.at)) +
         paint_.faint(fmt::format("  (inputs from {} to {}{})", clock_words(told_.from),
                                  clock_words(told_.to),
                                  key_.empty() ? "" : ", key " + printable(key_))));
  }

  void left_out(const char* where, std::size_t inputs) {
    if (inputs > 0)
      line("\n" + paint_.faint(fmt::format("… {} {}", plural(inputs, "input"), where)));
  }

  void moment() {
    const std::string time = clock_words(told_.at);
    std::string rule = "── " + time + " ";
    while (width(rule) < 72) rule += "─";
    line("\n" + paint_.yellow(rule));
  }

  void explain_nothing() {
    if (key_.empty()) {
      line("\nNo input touched it, or nearly did. --around 10m looks further.");
      return;
    }
    line(fmt::format("\nNothing here has to do with the key {}{}.", printable(key_),
                     told_.of_other_keys == 0
                         ? ""
                         : fmt::format("; {} with others", plural(told_.of_other_keys, "input"))));
    if (told_.keys.empty()) return;
    constexpr std::size_t keys_shown = 10;
    std::string keys;
    for (std::size_t i = 0; i < std::min(told_.keys.size(), keys_shown); ++i)
      keys += (i == 0 ? "" : ", ") + told_.keys[i];
    if (told_.keys.size() > keys_shown) keys += ", …";
    line("Keys that were met: " + printable(keys));
  }

  // Like inputs near one another are told once.
  struct Row {
    const ExplainedInput* first;
    const ExplainedInput* last;
    std::size_t times;
    std::string what;
    std::string body;
  };

  void add(const ExplainedInput& input) {
    Row row{&input, &input, 1, input.is_tick() ? "tick" : message_words(input.message.view()),
            body_of(input)};
    // What something came of stands for itself, and parts what is before from what is after.
    const auto near = std::min(static_cast<std::ptrdiff_t>(rows_.size()), alike_within);
    for (auto earlier = rows_.rbegin(); input.seen.empty() && earlier != rows_.rbegin() + near;
         ++earlier) {
      const bool parted = (earlier->last->time <= told_.at) != (input.time <= told_.at);
      if (parted || !earlier->first->seen.empty()) break;
      if (earlier->what != row.what || earlier->body != row.body) continue;
      earlier->last = &input;
      ++earlier->times;
      return;
    }
    rows_.push_back(std::move(row));
  }

  template <class Iterator>
  static std::size_t inputs_in(Iterator begin, Iterator end) {
    std::size_t inputs = 0;
    for (; begin != end; ++begin) inputs += begin->times;
    return inputs;
  }

  void tell(const Row& row) {
    const bool is_tick = row.first->is_tick();
    const std::string what = cut_text(row.what);
    std::string text = fmt::format("\n{}  {}", paint_.bold(clock_words(row.first->time)),
                                   is_tick ? paint_.faint(what) : paint_.bold(what));
    if (!is_tick)
      text += paint_.faint(
          fmt::format("  {}#{}", row.first->is_derived ? "its own, at " : "", row.first->number));
    if (row.times > 1) {
      text += paint_.faint(
          fmt::format("  ({} times, the last at {})", row.times, clock_words(row.last->time)));
    }
    line(text);
    out_ += row.body;
  }

  std::string body_of(const ExplainedInput& input) {
    std::string outer = std::exchange(out_, {});
    if (!input.is_tick()) tell_filters(input);
    for (const RanCall& call : input.calls) tell_call(call, input);
    tell_changes(input);
    tell_seen(input);
    tell_alerts(input);
    return std::exchange(out_, std::move(outer));
  }

  // ---- filters ----

  static bool is_of(const RanCall& call, const Judgement& judgement) {
    return call.subscribed_at && call.callback == judgement.subscription->callback;
  }

  static std::string held(const KeyVerdict& key) {
    if (key.key == "none_of") return "none_of";
    // What was found says it, unless the filter asks for less than that.
    const std::string found = cut_text(key.found, value_max);
    return printable(key.wanted == key.found || key.wanted == "any"
                         ? fmt::format("{} {}", key.key, found)
                         : fmt::format("{} {} ({})", key.key, found, key.wanted));
  }

  void tell_filters(const ExplainedInput& input) {
    bool any = false;
    const bool is_taken = std::ranges::any_of(input.judgements, &Judgement::takes);
    for (const Judgement& judgement : input.judgements) {
      const bool ran = std::ranges::any_of(
          input.calls, [&](const RanCall& call) { return is_of(call, judgement); });
      if (judgement.takes()) {
        any = true;
        if (ran || (!input.calls.empty() && !input.is_derived)) continue;
        line(
            fmt::format("    {} line {} does not take it: it is the trigger's own (own = true "
                        "takes those)",
                        paint_.red("✗"), judgement.subscription->line));
      } else if (judgement.is_near() && !(is_taken && judgement.is_of_another_name())) {
        any = true;
        tell_refusal(judgement);
      }
    }
    if (any) return;
    const auto nearest = std::ranges::min_element(input.judgements, {}, &Judgement::refused);
    if (nearest == input.judgements.end()) {
      line(fmt::format("    {} no subscription takes {}", paint_.red("✗"),
                       type_name(input.message.view().type)));
    } else {
      tell_refusal(*nearest);
    }
  }

  void tell_refusal(const Judgement& judgement) {
    line(fmt::format("    {} line {} did not take it", paint_.red("✗"),
                     judgement.subscription->line));
    std::size_t columns = 0;
    for (const KeyVerdict& key : judgement.keys) columns = std::max(columns, width(key.key));
    for (const KeyVerdict& key : judgement.keys) {
      const std::string found = printable(cut_text(key.found, value_max));
      const std::string name = padded(printable(key.key), columns);
      if (key.holds) {
        line(fmt::format("        {} {}  {}", paint_.green("✓"), name, paint_.faint(found)));
      } else {
        line(fmt::format("        {} {}  {}, wanted {}{}", paint_.red("✗"), name, found,
                         printable(key.wanted),
                         key.far.empty() ? "" : paint_.yellow(fmt::format(" ({})", key.far))));
      }
    }
  }

  // ---- calls ----

  void tell_call(const RanCall& call, const ExplainedInput& input) {
    std::string why;
    if (call.subscribed_at) {
      why = fmt::format("line {} took it", *call.subscribed_at);
      for (const Judgement& judgement : input.judgements) {
        if (!is_of(call, judgement)) continue;
        std::string keys;
        for (const KeyVerdict& key : judgement.keys) keys += (keys.empty() ? "" : ", ") + held(key);
        if (!keys.empty()) why += ": " + cut_text(keys);
        break;
      }
    } else {
      why = periodic_words(call);
    }
    line(fmt::format("    {} {}{}", call.returned ? paint_.green("✓") : paint_.red("✗"), why,
                     call.returned ? "" : paint_.red(", and failed")));

    const ToldLines told = told_lines(call.lines, key_);
    bool was_of_key = false;
    for (const RanLine* ran : told.lines) {
      const bool is_of_key = is_about(*ran, key_);
      tell_line(*ran, is_of_key && !was_of_key);
      was_of_key = is_of_key;
    }
    if (told.left_out > 0)
      line(paint_.faint(fmt::format("           … {} more", plural(told.left_out, "line"))));
  }

  // "line 8 ran: ctx:every("10s")": what calls it stands a little above its first line.
  std::string periodic_words(const RanCall& call) const {
    constexpr std::uint32_t above_max = 3;
    const std::string script = call.lines.empty() ? "" : call.lines.front().script;
    for (std::uint32_t above = 0; above <= std::min(above_max, call.line); ++above) {
      const std::string source = sources_.at(script, call.line - above);
      if (source.find(":every(") == std::string::npos &&
          source.find(":silent(") == std::string::npos)
        continue;
      std::string shown = source_text(source.substr(0, source.find("function")));
      while (!shown.empty() && (shown.back() == ' ' || shown.back() == ',')) shown.pop_back();
      return fmt::format("line {} ran: {})", call.line - above, shown);
    }
    return fmt::format("the callback of line {} ran", call.line);
  }

  // `begins_key`: says also by which local the line is of the key.
  void tell_line(const RanLine& ran, bool begins_key) {
    std::string place = std::to_string(ran.line);
    if (ran.script != trigger_.script.path) place = printable(ran.script) + ":" + place;
    std::string values;
    for (const auto& [name, value] : ran.values)
      values += fmt::format("   {} = {}", name, value_text(value));
    for (const auto& text : ran.texts) {
      if (begins_key && is_text_about(text.second, key_) &&
          std::ranges::find(ran.values, text) == ran.values.end())
        values += fmt::format("   {} = {}", text.first, value_text(text.second));
    }
    for (const CallStep::Said& said : ran.said) {
      values += fmt::format("   {}[\"{}\"]{}", printable(said.alert), printable(said.key),
                            said.value.empty() ? "" : " ← " + value_text(said.value));
    }
    const std::string source = source_text(ran.source);
    const std::string head = fmt::format("        {}  ", paint_.faint(fmt::format("{:>4}", place)));
    if (values.empty()) {
      line(head + source);
    } else if (width(source) <= source_width) {
      line(head + padded(source, source_width) + paint_.yellow(values));
    } else {
      line(head + source);
      line(std::string(14 + 2, ' ') + paint_.yellow(values.substr(1)));
    }
  }

  // ---- what came of it ----

  void tell_changes(const ExplainedInput& input) {
    std::size_t told = 0;
    for (const StateChange& change : input.changes) {
      if (++told > changes_max) break;
      line(fmt::format("    {} {}", paint_.yellow("∆"), change.words()));
    }
    if (!input.unknown_changes.empty())
      line(fmt::format("    {} state  {}", paint_.yellow("∆"), input.unknown_changes));
    if (input.changes.size() > changes_max) {
      line(
          fmt::format("      … and {}", plural(input.changes.size() - changes_max, "more change")));
    }
  }

  void tell_seen(const ExplainedInput& input) {
    bool failed = false;
    for (const Seen& seen : input.seen) {
      failed = failed || seen.error;
      line(seen.error ? fmt::format("    {} {}", paint_.red("✗"), paint_.red(seen_words(seen)))
                      : fmt::format("    {} {}", paint_.green("→"), cut_text(seen_words(seen))));
    }
    if (input.effects_cut > 0) {
      line(fmt::format("    {} {} over a limit, and left out", paint_.red("✗"),
                       plural(input.effects_cut, "effect")));
    }
    if (!input.calls.empty() && input.seen.empty() && input.effects_cut == 0 &&
        input.changes_nothing() && input.alerts.empty())
      line(paint_.faint("      nothing came of it"));
  }

  void tell_alerts(const ExplainedInput& input) {
    std::size_t told = 0;
    for (const QuietAlert& alert : input.alerts) {
      if (++told > alerts_max) break;
      line(fmt::format("    {} {} is quiet: {}", paint_.yellow("·"),
                       printable(alert.alert + "/" + alert.key),
                       paint_.yellow(printable(alert.why))));
    }
    if (input.alerts.size() > alerts_max) {
      line(fmt::format("      … and {} (--key shows one)",
                       plural(input.alerts.size() - alerts_max, "more key")));
    }
  }

  const Explanation& told_;
  const TriggerFiles& trigger_;
  const std::string& key_;
  const Paint& paint_;
  const ScriptLines sources_;
  std::vector<Row> rows_;
  std::string out_;
};

}  // namespace

std::string explanation_text(const Explanation& explanation, const TriggerFiles& trigger,
                             const std::string& key, const Paint& paint) {
  return TextTeller(explanation, trigger, key, paint).tell();
}

}  // namespace hastur
