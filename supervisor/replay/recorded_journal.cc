#include "supervisor/replay/recorded_journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "core/json.h"
#include "supervisor/dispatch/pause.h"

namespace hastur {
namespace {

std::optional<std::uint64_t> whole_of(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

std::string text_of(const Json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error missing(std::string_view what) {
  return {ErrorCode::invalid, fmt::format("a decision of the journal needs {}", what)};
}

// The call that a decision skips.
Result<Skip> skip_of(const Json& line, Sequence sequence) {
  const Json detail = line.value("detail", Json());
  const auto callback = detail.is_object() ? whole_of(detail, "callback") : std::nullopt;
  if (!callback || *callback > UINT32_MAX)
    return fail(missing("the number of the \"callback\" that was skipped, in its \"detail\""));
  const std::uint64_t line_number = whole_of(detail, "line").value_or(0);
  return Skip{sequence,
              static_cast<std::uint32_t>(*callback),
              {text_of(detail, "text"), text_of(detail, "script"),
               static_cast<std::uint32_t>(std::min<std::uint64_t>(line_number, UINT32_MAX))}};
}

// The first input of the run that the decision begins.
Result<Sequence> begin_of(const Json& line, std::string_view decision, Sequence sequence) {
  if (decision != "replay") return sequence;
  const Json detail = line.value("detail", Json());
  const auto after = detail.is_object() ? whole_of(detail, "after") : std::nullopt;
  if (!after)
    return fail(missing("to say \"after\" which input a replay began, in its \"detail\""));
  return Sequence{*after + 1};
}

}  // namespace

RecordedJournal::RecordedJournal(const ReplayPlan& plan, std::string source)
    : source_(std::move(source)) {
  for (const ReplayTrigger& trigger : plan.triggers)
    triggers_[trigger.stream.name].version = trigger.run.version;
}

void RecordedJournal::take(const RecordingReader::JournalLine& line) {
  if (!status_) return;
  const Result<void> kept = keep(line.text, line.is_at_head);
  if (kept) return;
  status_ = fail(kept.error().code,
                 fmt::format("{}:{}: {}; put the line right, or take it out to replay without it",
                             source_, line.line, kept.error().message));
}

Result<void> RecordedJournal::keep(std::string_view text, bool is_at_head) {
  const auto line = parse_json(text);
  if (!line) return fail(line.error());
  const std::string decision = text_of(*line, "journal");
  if (decision == "stretch" && is_at_head) {
    const auto first = whole_of(*line, "first");
    if (!first || *first == 0) return fail(missing("the \"first\" input of its stretch"));
    first_ = Sequence{*first};
    return {};
  }
  const bool is_obeyed = decision == "skip" || decision == "pause" || decision == "resume";
  const bool begins =
      decision == "start" || decision == "switch" || decision == "restore" || decision == "replay";
  if (!is_obeyed && !begins && decision != "forget") return {};
  const std::string name = text_of(*line, "trigger");
  if (name.empty()) return fail(missing("a \"trigger\""));
  const auto found = triggers_.find(name);
  if (found == triggers_.end()) return {};
  const auto run = whole_of(*line, "run");
  const auto sequence = whole_of(*line, "sequence");
  if (!run || !sequence || *sequence == 0) return fail(missing("a \"run\" and a \"sequence\""));
  Lines& lines = found->second;
  const Sequence at{*sequence};
  if (begins) {
    const auto begin = begin_of(*line, decision, at);
    if (!begin) return fail(begin.error());
    lines.begins.emplace(Run{*run}, *begin);
    return {};
  }
  if (decision == "forget") {
    lines.forgotten.emplace(Run{*run}, at);
    return {};
  }
  if (text_of(*line, "version") != lines.version) {
    ++of_other_versions_;
    return {};
  }
  if (!is_at_head) {
    ++too_late_;
    return {};
  }
  if (decision == "skip") {
    auto skip = skip_of(*line, at);
    if (!skip) return fail(skip.error());
    lines.skips.push_back(std::move(*skip));
  } else {
    lines.decisions.push_back({name, Run{*run}, at, decision, "", Time{}});
  }
  ++obeyed_;
  return {};
}

// A run's pause ends with the run at the latest.
std::vector<StreamPause> RecordedJournal::pauses(const Lines& lines) {
  std::map<Run, std::vector<JournalRecord>> by_run;
  for (const JournalRecord& record : lines.decisions) by_run[record.run].push_back(record);
  std::vector<StreamPause> all;
  for (const auto& [run, journal] : by_run) {
    std::optional<Sequence> end;
    const auto ends_by = [&end](Sequence at) { end = std::min(end.value_or(at), at); };
    for (const auto& [other, begin] : lines.begins) {
      if (other > run) ends_by(begin);
    }
    for (const auto& [other, at] : lines.forgotten) {
      if (other == run) ends_by(at);
    }
    for (const Pause& pause : pauses_from_journal(journal)) {
      if (end && pause.from >= *end) continue;
      StreamPause made{pause.from, pause.until};
      if (end) made.until = std::min(made.until.value_or(*end), *end);
      all.push_back(made);
    }
  }
  std::ranges::stable_sort(all, {}, &StreamPause::from);
  return all;
}

void RecordedJournal::obey(ReplayPlan& plan) {
  if (first_) {
    plan.begin = *first_;
    plan.after = Sequence{first_->value - 1};
  }
  for (ReplayTrigger& trigger : plan.triggers) {
    trigger.stream.after = plan.after;
    Lines& lines = triggers_.at(trigger.stream.name);
    // A run that replayed what the one before it had taken repeats its decisions.
    std::ranges::sort(lines.skips);
    const auto call = [](const Skip& skip) { return std::tuple(skip.sequence, skip.callback); };
    const auto again = std::ranges::unique(lines.skips, {}, call);
    lines.skips.erase(again.begin(), again.end());
    trigger.stream.skips = lines.skips;
    trigger.stream.pauses = pauses(lines);
  }
}

}  // namespace hastur
