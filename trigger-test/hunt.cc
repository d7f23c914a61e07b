#include "trigger-test/hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/hash.h"
#include "trigger-test/hunt_cases.h"
#include "trigger-test/hunt_growth.h"
#include "trigger-test/hunt_order.h"
#include "trigger-test/hunt_places.h"
#include "trigger-test/hunt_remedy.h"
#include "trigger-test/hunt_runs.h"
#include "trigger-test/shrink.h"
#include "trigger-test/test_text.h"

namespace hastur {
namespace {

// The first ones tell it.
constexpr std::size_t findings_max = 4;
constexpr int rounds_max = 6;
constexpr std::size_t examples_max = 60;
constexpr std::size_t tries_max = 60;
// Beyond what the search may take.
constexpr std::uint64_t shrinking_steps = 150'000'000;

std::string quoted(std::string text) {
  constexpr std::size_t bytes_max = 120;
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

// A test whose messages are single ones, as they came in: recordings and repetitions resolved.
TestCase resolved(const TestCase& test, const TestStream& stream) {
  TestCase single;
  single.name = test.name;
  single.start = test.start;
  single.ends = stream.end;
  for (const std::string& text : stream.messages) {
    Result<Json> message = parse_json(stream.names.read(text));
    if (!message || message->value("type", "") == "tick") continue;
    MessageSpec spec;
    const auto since_start = [&](const char* key) {
      return Micros{message->value(key, to_us(test.start))} - test.start.time_since_epoch();
    };
    spec.at = since_start("received_at");
    const Micros sent = since_start("timestamp");
    if (sent != spec.at) spec.timestamp = sent;
    for (const char* key : {"received_at", "timestamp", "seq", "origin"}) message->erase(key);
    spec.fields = std::move(*message);
    single.messages.push_back(std::move(spec));
  }
  return single;
}

class Hunt {
 public:
  Hunt(Stand& here, Stand& elsewhere, const TriggerFiles& trigger,
       const std::vector<TestCase>& tests, const std::string& folder, const HuntOptions& options)
      : trigger_(trigger),
        tests_(tests),
        options_(options),
        runs_(here, elsewhere, trigger, folder),
        words_(words_of(trigger)) {
    report_.kind = "hunt";
    report_.name = "hunt";
    report_.at = {trigger.path, 0};
  }

  Result<CheckReport> run() {
    const Result<Outcome> loaded = runs_.run(Stream{}, RunOptions{});
    if (!loaded) return fail(loaded.error());
    if (loaded->load_error || loaded->killed) return std::move(report_);
    prepare_tests();
    const MessageMaker messages(loaded->loaded.subscriptions, words_, examples_);
    HASTUR_TRY(search(messages));
    HASTUR_TRY(offer());
    return std::move(report_);
  }

 private:
  void prepare_tests();
  Result<void> search(const MessageMaker& messages);
  bool is_done() const { return is_dead_ || found_ >= findings_max || runs_.is_over(); }

  // `errors_count`: an error of a callback is a finding.
  Result<void> examine(const HuntCase& one, bool errors_count);
  Result<void> compare(const HuntCase& one, const Outcome& straight, Way way);
  Result<void> examine_order(const HuntCase& one);

  Result<void> found_error(const HuntCase& one, const Seen& seen, Way way);
  Result<void> found_disagreement(const HuntCase& one, Way way);
  Result<std::optional<Disagreement>> disagreement_in(const HuntCase& one, Way way);
  Result<std::optional<OrderDifference>> order_in(const TestCase& test, std::uint64_t seed);
  Result<HuntCase> smallest(const HuntCase& one,
                            const std::function<Result<bool>(const HuntCase&)>& still_fails);
  bool is_expected(const CallError& error) const;
  bool is_new(const std::string& key) { return seen_.insert(key).second; }
  void add(ReportedFailure finding, const TestCase* smallest_case);
  Result<void> offer();

  const TriggerFiles& trigger_;
  const std::vector<TestCase>& tests_;
  const HuntOptions& options_;
  HuntRuns runs_;
  const ScriptWords words_;
  std::vector<HuntCase> own_;
  std::vector<Json> examples_;
  std::set<std::string> seen_;
  std::size_t found_ = 0;
  bool is_dead_ = false;
  std::vector<std::string> offered_;
  CheckReport report_;
};

// ---- what is fed ----

void Hunt::prepare_tests() {
  std::set<std::string> known;
  for (const TestCase& test : tests_) {
    auto made = runs_.prepare(test, hash64(test.name, options_.seed));
    if (!made) continue;
    made->test = resolved(test, made->stream);
    // Spread over all that there are.
    const std::size_t step = made->test.messages.size() / examples_max + 1;
    for (std::size_t i = 0; i < made->test.messages.size(); i += step) {
      const Json& fields = made->test.messages[i].fields;
      if (known.size() < examples_max && known.insert(canonical_json(fields)).second)
        examples_.push_back(fields);
    }
    own_.push_back(std::move(*made));
  }
}

Result<void> Hunt::search(const MessageMaker& messages) {
  const CaseMaker cases(messages, words_);
  const std::uint64_t seed = hash64(trigger_.name, options_.seed);
  using Kind = MessageMaker::Kind;
  for (int round = 0; round < rounds_max && !is_done(); ++round) {
    Dice dice(seed + static_cast<std::uint64_t>(round));
    for (const Kind kind : {Kind::real, Kind::odd}) {
      const auto one = runs_.prepare(cases.flow(kind, Dice(dice.next())), dice.next());
      if (one && !is_done()) HASTUR_TRY(examine(*one, kind == Kind::real));
    }
    if (messages.subscriptions() > 0) {
      const auto tied = runs_.prepare(cases.ties(Dice(dice.next())), dice.next());
      if (tied && !is_done()) HASTUR_TRY(examine_order(*tied));
    }
    if (round > 0) continue;
    if (!is_done()) {
      auto growth = find_growth(runs_, trigger_, cases, dice.next());
      if (!growth) return fail(growth.error());
      if (*growth) add(std::move(**growth), nullptr);
    }
    for (const HuntCase& one : own_) {
      if (!is_done()) HASTUR_TRY(examine(one, false));
    }
    own_.clear();
  }
  return {};
}

// ---- what is looked for ----

Result<void> Hunt::examine(const HuntCase& one, bool errors_count) {
  const Result<Outcome> straight = runs_.run(one, Way::straight);
  if (!straight) return fail(straight.error());
  if (straight->killed) {
    is_dead_ = true;
    add({*straight->killed + ": bound what one call does", {}, {trigger_.path, 0}, {}}, nullptr);
    return {};
  }
  bool comparable = true;
  for (const Seen& seen : straight->seen) {
    if (!seen.error) continue;
    const bool raised = seen.error->kind == CallError::Kind::raised;
    comparable = comparable && raised;
    if (!raised || (errors_count && !is_expected(*seen.error)))
      HASTUR_TRY(found_error(one, seen, Way::straight));
    if (is_done()) return {};
  }
  if (straight->cost.effects_cut > 0 && errors_count && is_new("cut")) {
    add({"one call notifies more than 50 times, or derives or logs more than 1,000 times, and the "
         "rest is left out: send one notification for all",
         {},
         {trigger_.path, 0},
         {}},
        nullptr);
  }
  // A state that goes back does so at a judgement, and those are not made at the same inputs.
  if (!comparable) return {};
  for (const Way way : {Way::restored_each, Way::restored_at_random, Way::elsewhere}) {
    if (!is_done()) HASTUR_TRY(compare(one, *straight, way));
  }
  return {};
}

Result<void> Hunt::compare(const HuntCase& one, const Outcome& straight, Way way) {
  const Result<Outcome> other = runs_.run(one, way);
  if (!other) return fail(other.error());
  for (const Seen& seen : other->seen) {
    if (seen.error && seen.error->kind == CallError::Kind::judgement)
      return found_error(one, seen, way);
  }
  if (!disagreement(straight, *other)) return {};
  return found_disagreement(one, way);
}

bool Hunt::is_expected(const CallError& error) const {
  for (const TestCase& test : tests_) {
    for (const Expectation& each : test.expect) {
      if (each.kind != Expectation::Kind::error || each.never) continue;
      if (wildcard_match(each.wanted.value("text", "*"), error.error.text)) return true;
    }
  }
  return false;
}

// ---- what is made of it ----

Result<HuntCase> Hunt::smallest(const HuntCase& one,
                                const std::function<Result<bool>(const HuntCase&)>& still_fails) {
  const Result<TestCase> test = shrink(one.test, tries_max, [&](const TestCase& smaller) {
    if (runs_.is_over(HuntRuns::steps_max + shrinking_steps)) return Result<bool>(false);
    const auto prepared = runs_.prepare(smaller, one.seed);
    return prepared ? still_fails(*prepared) : Result<bool>(false);
  });
  if (!test) return fail(test.error());
  auto prepared = runs_.prepare(*test, one.seed);
  return prepared ? std::move(*prepared) : one;
}

Result<void> Hunt::found_error(const HuntCase& one, const Seen& seen, Way way) {
  const CallError error = *seen.error;
  const auto key = [](const CallError& each) {
    return fmt::format("{} {}:{} {}", static_cast<int>(each.kind), each.error.script,
                       each.error.line, each.error.text);
  };
  // One line that fails is one finding, whatever else it says to other messages.
  const bool has_line = error.error.line > 0;
  if (!is_new(has_line ? fmt::format("{}:{}", error.error.script, error.error.line) : key(error)))
    return {};
  const auto in = [&](const Outcome& outcome) -> const Seen* {
    for (const Seen& each : outcome.seen) {
      if (each.error && key(*each.error) == key(error)) return &each;
    }
    return nullptr;
  };
  HuntCase begun = one;
  if (seen.input.value > 0) {
    const Micros at = one.stream.stream.time_at(seen.input) - one.test.start;
    std::erase_if(begun.test.messages, [&](const MessageSpec& spec) { return spec.at > at; });
    begun.test.ends = at;
  }
  const auto small = smallest(begun, [&](const HuntCase& smaller) -> Result<bool> {
    const Result<Outcome> outcome = runs_.run(smaller, way);
    if (!outcome) return fail(outcome.error());
    return in(*outcome) != nullptr;
  });
  if (!small) return fail(small.error());

  ReportedFailure finding;
  finding.caused_at = {trigger_.shown(error.error.script), error.error.line};
  Json message;
  const Result<Outcome> looked = runs_.run(*small, Way::observed);
  if (!looked) return fail(looked.error());
  if (const Seen* again = in(*looked)) {
    std::vector<Label> scratch;
    const auto input = small->stream.stream.input(again->input, scratch);
    if (input && input->message.type != MessageType::tick && input->number > 0 &&
        input->number <= small->stream.messages.size()) {
      message = parse_json(small->stream.names.read(small->stream.messages[input->number - 1]))
                    .value_or(Json());
    }
  }
  if (!has_line) {
    const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
    const std::string path = error.error.text.substr(0, error.error.text.find(' '));
    if (const ObservedCall* call = call_that_broke(calls)) {
      finding.caused_at = place_that_wrote(trigger_, *call, path);
    }
  }
  const std::string remedy = remedy_of(error, message, words_,
                                       source_line(trigger_, error.error.script, error.error.line));
  const bool is_call = error.kind == CallError::Kind::raised;
  finding.sentence = quoted(small->stream.names.read(error.error.text));
  if (is_call) finding.sentence += " at " + described(message);
  if (!remedy.empty()) finding.sentence += ": " + remedy;
  finding.details = {{"found", is_call ? "error" : "limit or state"}};
  add(std::move(finding), &small->test);
  return {};
}

Result<std::optional<Disagreement>> Hunt::disagreement_in(const HuntCase& one, Way way) {
  const Result<Outcome> straight = runs_.run(one, Way::straight);
  if (!straight) return fail(straight.error());
  const Result<Outcome> other = runs_.run(one, way);
  if (!other) return fail(other.error());
  return disagreement(*straight, *other);
}

Result<void> Hunt::found_disagreement(const HuntCase& one, Way way) {
  if (!is_new("disagreement")) return {};
  const auto small = smallest(one, [&](const HuntCase& smaller) -> Result<bool> {
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
      finding.caused_at = place_that_wrote(trigger_, *call, what.path);
  } else {
    const ScriptPlace place = place_of_effect(calls, what.input, what.ordinal);
    if (place.line > 0) finding.caused_at = {trigger_.shown(place.script), place.line};
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
  add(std::move(finding), &small->test);
  return {};
}

// ---- order ----

Result<std::optional<OrderDifference>> Hunt::order_in(const TestCase& test, std::uint64_t seed) {
  using Answer = std::optional<OrderDifference>;
  const auto one = runs_.prepare(test, seed);
  const auto other = runs_.prepare(reordered(test), seed);
  if (!one || !other) return Answer();
  const Result<Outcome> first = runs_.run(*one, Way::straight);
  if (!first) return fail(first.error());
  const Result<Outcome> second = runs_.run(*other, Way::straight);
  if (!second) return fail(second.error());
  return order_difference(*first, *second, one->stream.names);
}

Result<void> Hunt::examine_order(const HuntCase& one) {
  const auto differ = order_in(one.test, one.seed);
  if (!differ) return fail(differ.error());
  if (!*differ || !is_new("order")) return {};
  const auto small = smallest(one, [&](const HuntCase& smaller) -> Result<bool> {
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

  ReportedFailure note;
  note.sentence = fmt::format(
      "the order of messages that come at the same instant decides what it notifies: {} or {}: if "
      "that matters, collect in ctx.state and decide in ctx:every",
      quoted((*what)->one), quoted((*what)->other));
  const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
  for (const ObservedCall& call : calls) {
    for (const CallStep& step : call.steps) {
      if (step.effects > 0) note.caused_at = {trigger_.shown(step.script), step.line};
    }
  }
  note.details = {{"found", "order"}};
  report_.notes.push_back(std::move(note));
  return {};
}

// ---- the report ----

void Hunt::add(ReportedFailure finding, const TestCase* smallest_case) {
  ++found_;
  if (smallest_case != nullptr) {
    TestCase test = *smallest_case;
    test.name = finding.sentence.substr(0, finding.sentence.find(": "));
    offered_.push_back(lua_text(test));
  }
  report_.failures.push_back(std::move(finding));
}

Result<void> Hunt::offer() {
  if (report_.failures.empty()) return {};
  for (const std::string& text : offered_) {
    CheckReport::Block block{"the fewest messages that show it, as a test", {}};
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); begin < text.size();
         begin = end + 1, end = text.find('\n', begin)) {
      block.lines.push_back(text.substr(begin, end - begin));
      if (end == std::string::npos) break;
    }
    report_.explanations.push_back(std::move(block));
  }
  report_.explanations.push_back({fmt::format("found with --seed {}", options_.seed), {}});
  return {};
}

}  // namespace

Result<CheckReport> hunt(Stand& here, Stand& elsewhere, const TriggerFiles& trigger,
                         const std::vector<TestCase>& tests, const std::string& folder,
                         const HuntOptions& options) {
  return Hunt(here, elsewhere, trigger, tests, folder, options).run();
}

}  // namespace hastur
