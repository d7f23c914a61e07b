#include "trigger-test/hunt_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "trigger-test/hunt_cases.h"
#include "trigger-test/hunt_places.h"
#include "trigger-test/hunt_remedy.h"
#include "trigger-test/message_words.h"

namespace hastur {
namespace {

// Of a text in a sentence.
constexpr std::size_t quoted_max = 300;

std::string quoted(std::string text) { return cut_text(std::move(text), quoted_max); }

// With the middle of a long path left out: state.a[1][1] … [1] is nested deeper than 100 levels
std::string with_short_path(std::string text) {
  constexpr std::size_t begin_max = 40, end_max = 20;
  const std::size_t end = text.find(" is ");
  if (!text.starts_with("state.") || end == std::string::npos || end < 2 * (begin_max + end_max))
    return text;
  text.replace(begin_max, end - end_max - begin_max, " … ");
  return text;
}

// What the subscription of a callback asks for; null for ctx:every.
Json filter_of(const Loaded& loaded, std::uint32_t callback) {
  const auto found = std::ranges::find(loaded.subscriptions, callback, &SubscriptionSpec::callback);
  if (found == loaded.subscriptions.end()) return {};
  return parse_json(found->filter).value_or(Json());
}

// The last call of the callback that raised it; null if it was not observed.
const ObservedCall* call_that_failed(const std::vector<ObservedCall>& calls,
                                     const CallError& error) {
  for (auto call = calls.rbegin(); call != calls.rend(); ++call) {
    if (call->callback == error.callback && !call->returned) return &*call;
  }
  return nullptr;
}

std::vector<FailedCall::Ran> lines_of(const TriggerFiles& trigger, const ObservedCall& call) {
  std::vector<FailedCall::Ran> lines;
  for (const CallStep& step : call.steps) {
    lines.push_back({fmt::format("{}:{}", trigger.shown(step.script), step.line),
                     source_line(trigger, step.script, step.line)});
  }
  return lines;
}

}  // namespace

Result<void> HuntFindings::found_error(const HuntCase& one, const Seen& seen, Way way) {
  const CallError error = *seen.error;
  // One line that fails is one finding, whatever else it says to other messages.
  const bool has_line = error.error.line > 0;
  if (!report_.is_new(has_line ? fmt::format("{}:{}", error.error.script, error.error.line)
                               : kind_of(error)))
    return {};
  const auto in = [&](const Outcome& outcome) -> const Seen* {
    for (const Seen& each : outcome.seen) {
      if (each.error && kind_of(*each.error) == kind_of(error)) return &each;
    }
    return nullptr;
  };
  // What comes after it is of no use.
  HuntCase begun = one;
  std::vector<Label> scratch;
  if (const auto input = one.stream.stream.input(seen.input, scratch)) {
    const bool is_tick = input->message.type == MessageType::tick;
    begun.test = begin_of(std::move(begun.test), input->number, seen.time - one.test.start);
    begun.test.ends = is_tick ? input->message.timestamp - one.test.start : Micros{0};
  }
  const auto small = runs_.smallest(begun, [&](const HuntCase& smaller) -> Result<bool> {
    const Result<Outcome> outcome = runs_.run(smaller, way);
    if (!outcome) return fail(outcome.error());
    return in(*outcome) != nullptr;
  });
  if (!small) return fail(small.error());

  ReportedFailure finding;
  finding.caused_at = {trigger().shown(error.error.script), error.error.line};
  FailedCall failed;
  const Result<Outcome> looked = runs_.run(*small, Way::observed);
  if (!looked) return fail(looked.error());
  // The same fault, in the words of the smallest case.
  CallError again = error;
  if (const Seen* here = in(*looked)) {
    again = *here->error;
    const auto input = small->stream.stream.input(here->input, scratch);
    if (input && input->message.type != MessageType::tick && input->number > 0 &&
        input->number <= small->stream.messages.size()) {
      failed.message =
          parse_json(small->stream.names.read(small->stream.messages[input->number - 1]))
              .value_or(Json());
    }
  }
  const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
  const ObservedCall* call = has_line ? call_that_failed(calls, again) : call_that_broke(calls);
  if (!has_line && call != nullptr) {
    const std::string path = again.error.text.substr(0, again.error.text.find(' '));
    finding.caused_at = place_that_wrote(trigger(), *call, path);
  }
  if (call != nullptr) failed.ran = lines_of(trigger(), *call);
  // What wrote a state that is none is told by the place.
  const bool is_of_script = finding.caused_at.path == trigger().shown(trigger().script.path);
  failed.line = has_line ? source_line(trigger(), error.error.script, error.error.line)
                : is_of_script
                    ? source_line(trigger(), trigger().script.path, finding.caused_at.line)
                    : std::string_view();
  failed.filter = filter_of(looked->loaded, again.callback);
  const std::string remedy = remedy_of(again, failed, words_, trigger());
  const std::string text = quoted(with_short_path(small->stream.names.read(again.error.text)));
  finding.sentence = text;
  if (error.kind != CallError::Kind::judgement)
    finding.sentence += fmt::format(" (at {})", described(failed.message));
  if (!remedy.empty()) finding.sentence += ": " + remedy;
  finding.details = {{"found", found_by(again.kind)}};
  report_.add(std::move(finding), text, &small->test);
  return {};
}

Result<std::optional<Disagreement>> HuntFindings::disagreement_in(const HuntCase& one, Way way) {
  const Result<Outcome> straight = runs_.run(one, Way::straight);
  if (!straight) return fail(straight.error());
  const Result<Outcome> other = runs_.run(one, way);
  if (!other) return fail(other.error());
  // Runs that ended early did not end at the same input.
  if (straight->cut || other->cut) return std::optional<Disagreement>();
  return disagreement(*straight, *other);
}

Result<void> HuntFindings::found_disagreement(const HuntCase& one, Way way) {
  if (!report_.is_new("disagreement")) return {};
  const auto small = runs_.smallest(one, [&](const HuntCase& smaller) -> Result<bool> {
    const auto differ = disagreement_in(smaller, way);
    if (!differ) return fail(differ.error());
    return differ->has_value();
  });
  if (!small) return fail(small.error());
  auto differ = disagreement_in(*small, way);
  if (!differ) return fail(differ.error());
  const Result<Outcome> looked = runs_.run(*small, Way::observed);
  if (!looked) return fail(looked.error());
  if (!*differ) return {};
  const Disagreement& what = **differ;

  ReportedFailure finding;
  const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
  if (what.of_state) {
    if (const ObservedCall* call = call_that_wrote(calls, what.path))
      finding.caused_at = place_that_wrote(trigger(), *call, what.path);
  } else {
    const ScriptPlace place = place_of_effect(calls, what.input, what.ordinal);
    if (place.line > 0) finding.caused_at = {trigger().shown(place.script), place.line};
  }
  const bool is_restart = way != Way::elsewhere;
  const auto value = [&](const std::string& text) {
    return text.empty() ? std::string("nothing") : quoted(small->stream.names.read(text));
  };
  finding.sentence = fmt::format(
      "{} {}: {}{}, {} {}: what lasts from call to call must be in ctx.state, each table once, and "
      "be JSON",
      is_restart ? "a restart changes" : "two runs on the same messages differ in",
      what.of_state ? "its state" : "what it does",
      what.of_state ? fmt::format("state.{} is ", what.path) : "", value(what.one),
      is_restart ? "after a restart" : "in another process", value(what.other));
  finding.details = {{"found", is_restart ? "restart" : "two runs"}};
  report_.add(std::move(finding), is_restart ? "a restart changes nothing" : "two runs agree",
              &small->test);
  return {};
}

Result<void> HuntFindings::found_cut(const HuntCase& one) {
  if (!report_.is_new("cut")) return {};
  const auto small = runs_.smallest(one, [&](const HuntCase& smaller) -> Result<bool> {
    const Result<Outcome> outcome = runs_.run(smaller, Way::straight);
    if (!outcome) return fail(outcome.error());
    return outcome->cost.effects_cut > 0;
  });
  if (!small) return fail(small.error());
  const Result<Outcome> looked = runs_.run(*small, Way::observed);
  if (!looked) return fail(looked.error());
  ReportedFailure finding;
  finding.sentence = words_of_cut(*looked);
  finding.caused_at = {trigger().path, 0};
  const ScriptPlace place = place_of_most_effects(HuntRuns::calls(*small, *looked));
  if (place.line > 0) finding.caused_at = {trigger().shown(place.script), place.line};
  finding.details = {{"found", "effects"}};
  report_.add(std::move(finding), "no effect is left out", &small->test);
  return {};
}

Result<std::optional<OrderDifference>> HuntFindings::order_in(const TestCase& test,
                                                              std::uint64_t seed) {
  using Answer = std::optional<OrderDifference>;
  const auto one = runs_.prepare(test, seed);
  const auto other = runs_.prepare(reordered(test), seed);
  if (!one || !other) return Answer();
  const Result<Outcome> first = runs_.run(*one, Way::straight);
  if (!first) return fail(first.error());
  const Result<Outcome> second = runs_.run(*other, Way::straight);
  if (!second) return fail(second.error());
  if (first->cut || second->cut) return Answer();
  return order_difference(*first, *second, one->stream.names);
}

Result<void> HuntFindings::examine_order(const HuntCase& one) {
  const auto differ = order_in(one.test, one.seed);
  if (!differ) return fail(differ.error());
  if (!*differ || !report_.is_new("order")) return {};
  const auto small = runs_.smallest(one, [&](const HuntCase& smaller) -> Result<bool> {
    const auto still = order_in(smaller.test, smaller.seed);
    if (!still) return fail(still.error());
    return still->has_value();
  });
  if (!small) return fail(small.error());
  const auto what = order_in(small->test, small->seed);
  if (!what) return fail(what.error());
  const Result<Outcome> looked = runs_.run(*small, Way::observed);
  if (!looked) return fail(looked.error());
  if (!*what) return {};

  std::string sentence = fmt::format(
      "the order of messages that come at the same instant decides what it notifies: {} or {}: if "
      "that matters, collect in ctx.state and decide in ctx:every",
      quoted((*what)->one), quoted((*what)->other));
  const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
  // What an alert pages at a tick was said to it before.
  FilePlace place{trigger().path, 0};
  for (const bool of_alerts : {true, false}) {
    for (const ObservedCall& call : calls) {
      for (const CallStep& step : call.steps) {
        if (of_alerts ? !step.said.empty() : step.effects > 0)
          place = {trigger().shown(step.script), step.line};
      }
    }
  }
  report_.note(std::move(sentence), std::move(place), "order");
  return {};
}

}  // namespace hastur
