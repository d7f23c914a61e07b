#include "trigger-test/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/json.h"
#include "message/filter.h"

namespace hastur {
namespace {

// What is told before and after the moment in question.
constexpr std::size_t rows_before = 8;
constexpr std::size_t rows_after = 3;
constexpr std::size_t conditions_max = 6;
constexpr std::size_t text_max = 110;

std::string cut(std::string text) {
  if (text.size() <= text_max) return text;
  std::size_t end = text_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

std::string value_text(const Value& value) {
  switch (value.kind) {
    case Value::Kind::number:
      return canonical_json(Json(value.number));
    case Value::Kind::boolean:
      return value.number != 0 ? "true" : "false";
    case Value::Kind::string:
      return fmt::format("\"{}\"", value.text);
    case Value::Kind::tree:
      return "{…}";
    default:
      return "null";
  }
}

std::string summary(const MessageView& message, const Nicknames& names) {
  std::string text(type_name(message.type));
  if (message.name) text += fmt::format(" {}", *message.name);
  if (message.value.kind != Value::Kind::absent) text += " " + value_text(message.value);
  if (message.uuid != "00000000-0000-0000-0000-000000000000")
    text += fmt::format(" from {}", message.hostname ? *message.hostname : message.uuid);
  for (const Label& label : message.labels)
    text += fmt::format(" {}={}", label.key, value_text(label.value));
  return cut(names.read(text));
}

// Whether a message's own texts stand in the key: then it is what the key is about.
bool concerns(const MessageView& message, const std::string& key, const Nicknames& names) {
  const auto in_key = [&](std::string_view text) {
    return !text.empty() && key.find(names.read(std::string(text))) != std::string::npos;
  };
  if (in_key(message.uuid) || (message.hostname && in_key(*message.hostname))) return true;
  return std::ranges::any_of(message.labels, [&](const Label& label) {
    return label.value.kind == Value::Kind::string && label.value.text.size() > 1 &&
           in_key(label.value.text);
  });
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? "" : text.substr(begin);
}

struct Row {
  Micros at;
  std::string what;
  std::vector<std::string> why;
  std::size_t times = 1;
  Micros last;
};

class Timeline {
 public:
  Timeline(const TimelineOf& of, const std::string& key) : of_(of), key_(key) {
    for (const SubscriptionSpec& spec : of.outcome.loaded.subscriptions) {
      const Result<Json> json = parse_json(spec.filter);
      const Result<Filter> filter = json ? Filter::parse(*json) : Result<Filter>(Filter());
      if (filter) filters_.emplace_back(&spec, *filter);
    }
    sources_[of.trigger.script.path] = split_lines(of.trigger.script.text);
    for (const ScriptFile& library : of.trigger.libraries)
      sources_[library.path] = split_lines(library.text);
  }

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
    Row row{when, summary(message, of_.test.names), {}, 1, when};
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
      if (came.input == at) row.why.push_back("→ " + cut(came.title));
    }
  }

  // Which of the filter's keys did not hold, for the subscription that was nearest to take it.
  void tell_filters(const MessageView& message, Row& row) const {
    const SubscriptionSpec* nearest = nullptr;
    std::vector<std::string> refused_by;
    for (const auto& [spec, filter] : filters_) {
      if (!spec->types.empty() && std::ranges::find(spec->types, message.type) == spec->types.end())
        continue;
      std::vector<std::string> refused;
      for (const Filter::Verdict& each : filter.explain(message)) {
        if (each.holds) continue;
        refused.push_back(fmt::format("{} is {}, wanted {}", each.key,
                                      of_.test.names.read(each.found), asked(filter, each.key)));
      }
      if (nearest != nullptr && refused.size() >= refused_by.size()) continue;
      nearest = spec;
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

  static std::string asked(const Filter& filter, const std::string& key) {
    constexpr std::string_view label = "labels.";
    if (!key.starts_with(label)) return std::string(filter.asked(key));
    const Result<Json> labels = parse_json(filter.asked("labels"));
    const std::string name = key.substr(label.size());
    return labels && labels->contains(name) ? canonical_json((*labels)[name]) : "";
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
    std::size_t told = 0;
    for (const CallStep& step : call.steps) {
      for (const auto& [name, value] : step.locals) locals[name] = value;
      const std::string source = line_of(step);
      if (!is_condition(source) || told == conditions_max) continue;
      ++told;
      // What is short says more often what matters.
      std::string scalars;
      std::string tables;
      for (const auto& [name, value] : locals) {
        if (value == "a msg" || value == "a function" || !mentions(source, name)) continue;
        (value.starts_with('{') || value.starts_with('[') ? tables : scalars) +=
            fmt::format("   {} = {}", name, value);
      }
      row.why.push_back(cut(fmt::format("  {}: {}{}{}", step.line, source, scalars, tables)));
    }
  }

  std::string line_of(const CallStep& step) const {
    const auto source = sources_.find(step.script);
    if (source == sources_.end() || step.line == 0 || step.line > source->second.size()) return "";
    return trimmed(source->second[step.line - 1]);
  }

  static bool is_condition(const std::string& source) {
    return source.starts_with("if ") || source.starts_with("elseif ") ||
           source.starts_with("while ") || source.find(" and ") != std::string::npos ||
           source.find(" or ") != std::string::npos;
  }

  static bool mentions(const std::string& source, const std::string& name) {
    const auto is_word = [&](std::size_t at) {
      return at < source.size() &&
             (std::isalnum(static_cast<unsigned char>(source[at])) != 0 || source[at] == '_');
    };
    for (std::size_t at = source.find(name); at != std::string::npos;
         at = source.find(name, at + 1)) {
      if ((at == 0 || !is_word(at - 1)) && !is_word(at + name.size())) return true;
    }
    return false;
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
  std::vector<std::pair<const SubscriptionSpec*, Filter>> filters_;
  std::map<std::string, std::vector<std::string>> sources_;
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
