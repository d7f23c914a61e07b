#include "trigger-test/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/json.h"
#include "message/filter.h"
#include "trigger-test/filter_words.h"
#include "trigger-test/message_words.h"
#include "trigger-test/ran_lines.h"
#include "trigger-test/script_lines.h"

namespace hastur {
namespace {

// What is told before and after the moment in question.
constexpr std::size_t rows_before = 8;
constexpr std::size_t rows_after = 3;
constexpr std::size_t conditions_max = 6;

struct Row {
  Micros at;
  std::string what;
  std::vector<std::string> why;
  std::size_t times = 1;
  Micros last;
};

class Timeline {
 public:
  Timeline(const TimelineOf& of, const std::string& key)
      : of_(of), key_(key), filters_(of.outcome.loaded), lines_(of.trigger) {}

  std::vector<Row> rows(Micros from, Micros to) {
    std::vector<Label> scratch;
    bool any_concerns = false;
    for (const bool only_concerned : {true, false}) {
      if (!only_concerned && any_concerns) break;
      rows_.clear();
      auto call = of_.calls.begin();
      for (Sequence at{1}; const auto input = of_.test.stream.input(at, scratch); at = at.next()) {
        std::vector<const ObservedCall*> calls;
        for (; call != of_.calls.end() && call->input <= at; ++call) {
          if (call->input == at) calls.push_back(&*call);
        }
        const Micros when = of_.test.stream.time_at(at) - of_.start;
        const MessageView& message = input->message;
        if (message.type == MessageType::tick) {
          tell_tick(at, when, calls, when >= from && when <= to);
        } else if (!only_concerned || concerns(message, key_, of_.test.names)) {
          any_concerns = true;
          tell_message(at, when, message, calls);
        }
      }
    }
    return std::move(rows_);
  }

 private:
  void tell_message(Sequence at, Micros when, const MessageView& message,
                    const std::vector<const ObservedCall*>& calls) {
    Row row{when, cut_text(of_.test.names.read(message_words(message))), {}, 1, when};
    for (const ObservedCall* call : calls) tell_call(*call, row);
    if (calls.empty()) tell_filters(message, row);
    tell_effects(at, row);
    add(std::move(row));
  }

  void tell_tick(Sequence at, Micros when, const std::vector<const ObservedCall*>& calls,
                 bool in_question) {
    const bool of_key = std::ranges::any_of(
        of_.came, [&](const Came& came) { return came.input == at && is_of_key(came); });
    if (calls.empty() && !in_question) return;
    Row row{when, "tick", {}, 1, when};
    if (calls.empty()) row.why.push_back("no ctx:every was due");
    // Far from the moment, a tick that caused nothing tells nothing.
    if (!in_question && !of_key) return;
    for (const ObservedCall* call : calls) tell_call(*call, row);
    tell_effects(at, row);
    add(std::move(row));
  }

  bool is_of_key(const Came& came) const {
    return came.kind == Expectation::Kind::error || came.title.find(key_) != std::string::npos;
  }

  void tell_effects(Sequence at, Row& row) const {
    for (const Came& came : of_.came) {
      if (came.input == at) row.why.push_back("→ " + cut_text(came.title));
    }
  }

  // Which of the filter's keys did not hold, for the subscription that was nearest to take it.
  void tell_filters(const MessageView& message, Row& row) const {
    const SubscriptionSpec* nearest = nullptr;
    std::vector<std::string> refused_by;
    for (const Judgement& judgement : filters_.judge(message)) {
      if (!judgement.takes_type) continue;
      std::vector<std::string> refused;
      for (const KeyVerdict& each : judgement.keys) {
        if (!each.holds) refused.push_back(of_.test.names.read(each.sentence()));
      }
      if (nearest != nullptr && refused.size() >= refused_by.size()) continue;
      nearest = judgement.subscription;
      refused_by = std::move(refused);
    }
    if (nearest == nullptr) {
      row.why.push_back("no subscription takes this type");
    } else {
      row.why.push_back(fmt::format("not taken by line {}: {}", nearest->line,
                                    refused_by.empty()
                                        ? "it is the trigger's own (own = true takes those)"
                                        : fmt::format("{}", fmt::join(refused_by, "; "))));
    }
  }

  // The conditions that ran, with the locals as they were there.
  void tell_call(const ObservedCall& call, Row& row) const {
    const std::uint32_t effects = call.effects();
    const std::uint32_t first = call.steps.empty() ? 0 : call.steps.front().line;
    row.why.push_back(fmt::format("the callback of line {} ran{}", first,
                                  !call.returned ? " and failed"
                                  : effects == 0 ? ", nothing came of it"
                                                 : ""));
    std::map<std::string, std::string> locals;
    StateAtLines state(call, lines_);
    std::size_t told = 0;
    for (const CallStep& step : call.steps) {
      for (const auto& [name, value] : step.locals) locals[name] = value;
      state.advance(step);
      const std::string source = lines_.at(step);
      if (!is_condition(source) || told == conditions_max) continue;
      ++told;
      // What is short says more often what matters.
      std::string scalars;
      std::string tables;
      for (const auto& [name, value] : locals) {
        if (value == "a msg" || value == "a function" || !mentions(source, name) ||
            !lines_.has_local(step, name))
          continue;
        (value.starts_with('{') || value.starts_with('[') ? tables : scalars) +=
            fmt::format("   {} = {}", name, value);
      }
      for (const auto& [name, value] : state.mentioned(source)) {
        if (!value.starts_with('{') && !value.starts_with('['))
          scalars += fmt::format("   {} = {}", name, value);
      }
      row.why.push_back(fmt::format("  {}: {}", step.line, with_values(source, scalars, tables)));
    }
  }

  // A line of a terminal: of a long source what it found stands rather than its end.
  static std::string with_values(const std::string& source, const std::string& scalars,
                                 const std::string& tables) {
    constexpr std::size_t line_max = 105;
    constexpr std::size_t source_min = 60;
    const std::size_t room = line_max - std::min(scalars.size(), line_max - source_min);
    const std::string shown = cut_text(source, room);
    const std::size_t left = line_max - std::min(shown.size(), line_max - source_min);
    return shown + cut_text(scalars + tables, std::max(left, std::min(scalars.size(), line_max)));
  }

  static bool is_condition(const std::string& source) {
    return source.starts_with("if ") || source.starts_with("elseif ") ||
           source.starts_with("while ") || source.find(" and ") != std::string::npos ||
           source.find(" or ") != std::string::npos;
  }

  void add(Row row) {
    if (!rows_.empty() && rows_.back().what == row.what && rows_.back().why == row.why) {
      ++rows_.back().times;
      rows_.back().last = row.at;
      return;
    }
    rows_.push_back(std::move(row));
  }

  const TimelineOf& of_;
  const std::string& key_;
  const FilterJudge filters_;
  const ScriptLines lines_;
  std::vector<Row> rows_;
};

}  // namespace

std::vector<std::string> timeline(const TimelineOf& of, const std::string& key, Micros from,
                                  Micros to) {
  std::vector<Row> rows = Timeline(of, key).rows(from, to);
  const auto moment = std::ranges::find_if(rows, [&](const Row& row) { return row.last >= from; });
  const auto after = std::ranges::find_if(rows, [&](const Row& row) { return row.at > to; });
  const auto begin = moment - std::min(moment - rows.begin(), std::ptrdiff_t{rows_before});
  auto end = std::max(after, moment);
  end += std::min(rows.end() - end, std::ptrdiff_t{rows_after});
  if (end - begin > 40) end = begin + 40;

  std::vector<std::string> lines;
  if (begin != rows.begin()) lines.push_back(fmt::format("  … {} earlier", begin - rows.begin()));
  for (auto row = begin; row != end; ++row) {
    std::string head = fmt::format("  {}  {}", format_offset(row->at), row->what);
    if (row->times > 1)
      head += fmt::format("  ({} times, the last at {})", row->times, format_offset(row->last));
    lines.push_back(std::move(head));
    for (const std::string& why : row->why)
      lines.push_back(fmt::format("  {:>{}}  {}", "", format_offset(row->at).size(), why));
  }
  if (end != rows.end()) lines.push_back(fmt::format("  … {} later", rows.end() - end));
  return lines;
}

}  // namespace hastur
