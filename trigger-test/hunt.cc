#include "trigger-test/hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/hash.h"
#include "core/json.h"
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

// How a file of ours begins: it may be overwritten.
constexpr std::string_view first_words = "-- Found by trigger-test --seed ";

// The first ones tell it.
constexpr std::size_t findings_max = 4;
constexpr int rounds_max = 6;
constexpr std::size_t examples_max = 60;
constexpr std::size_t tries_max = 60;

std::string quoted(std::string text) {
  constexpr std::size_t bytes_max = 300;
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + " …";
}

// What the subscription of a callback asks for; null for ctx:every.
Json filter_of(const Loaded& loaded, std::uint32_t callback) {
  const auto found = std::ranges::find(loaded.subscriptions, callback, &SubscriptionSpec::callback);
  if (found == loaded.subscriptions.end()) return {};
  return parse_json(found->filter).value_or(Json());
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
    if (!report_.failures.empty()) offer();
    return std::move(report_);
  }

 private:
  void prepare_tests();
  Result<void> search(const MessageMaker& messages);
  Result<void> search_more(const CaseMaker& cases, Dice& dice);
  void note_what_is_left_out();
  bool is_done() const { return is_dead_ || found_ >= findings_max || runs_.is_over(); }

  // What of a case is a finding. Limits, restarts and second runs always are.
  enum class Counts : std::uint8_t {
    // Errors of callbacks and states that are none, too: any real sender could send this.
    all,
    // Of the author's own messages, states that are none: errors are for the test itself to judge.
    states,
    // Nothing else: labels that are null or a boolean are on the wire, but no real sender's.
    limits,
  };
  Result<void> examine(const HuntCase& one, Counts counts);
  Result<void> compare(const HuntCase& one, const Outcome& straight, Way way, Counts counts);
  Result<void> examine_order(const HuntCase& one);

  Result<void> found_error(const HuntCase& one, const Seen& seen, Way way);
  Result<void> found_disagreement(const HuntCase& one, Way way);
  Result<std::optional<Disagreement>> disagreement_in(const HuntCase& one, Way way);
  Result<std::optional<OrderDifference>> order_in(const TestCase& test, std::uint64_t seed);
  Result<HuntCase> smallest(const HuntCase& one,
                            const std::function<Result<bool>(const HuntCase&)>& still_fails);
  Result<void> found_cut(const HuntCase& one);
  void note_limits(const Outcome& outcome);
  bool is_expected(const CallError& error) const;
  bool is_new(const std::string& key) { return seen_.insert(key).second; }
  // `title` names the smallest case.
  void add(ReportedFailure finding, const std::string& title = "",
           const TestCase* smallest_case = nullptr);
  void offer();
  std::string written(const std::string& text) const;

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
  // What the hunt had no steps left for.
  std::vector<std::string> left_out_;
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
      if (one && !is_done())
        HASTUR_TRY(examine(*one, kind == Kind::real ? Counts::all : Counts::limits));
    }
    if (round == 0) HASTUR_TRY(search_more(cases, dice));
    // What math.random draws goes with the place in the stream.
    const bool draws = trigger_.script.text.find("math.random") != std::string::npos;
    if (messages.subscriptions() > 0 && !draws) {
      const auto tied = runs_.prepare(cases.ties(Dice(dice.next())), dice.next());
      if (tied && !is_done()) HASTUR_TRY(examine_order(*tied));
    }
  }
  note_what_is_left_out();
  return {};
}

// What is looked at once.
Result<void> Hunt::search_more(const CaseMaker& cases, Dice& dice) {
  if (is_done()) {
    left_out_.emplace_back("whether its state grows without end");
  } else {
    auto growth = find_growth(runs_, trigger_, cases, dice.next());
    if (!growth) return fail(growth.error());
    if (*growth) {
      Growth& found = **growth;
      add(std::move(found.finding), found.title, found.test ? &*found.test : nullptr);
    }
  }
  for (const HuntCase& one : own_) {
    if (is_done()) {
      left_out_.push_back(fmt::format("the messages of the test '{}'", one.test.name));
    } else {
      HASTUR_TRY(examine(one, Counts::states));
    }
  }
  own_.clear();
  return {};
}

// A trigger that fails is hunted again once it is mended.
void Hunt::note_what_is_left_out() {
  if (!report_.failures.empty()) return;
  if (runs_.is_over_by_the_clock()) {
    report_.notes.push_back(
        {fmt::format("the hunt took {} CPU-seconds and was ended by the clock: another machine may "
                     "find more, so do less in one call",
                     HuntRuns::cpu_max / std::chrono::seconds{1}),
         {},
         {trigger_.path, 0},
         {{"found", "left out"}}});
  }
  if (left_out_.empty()) return;
  report_.notes.push_back(
      {fmt::format("its calls take so long that the hunt left out {}: do less in one call",
                   fmt::join(left_out_, ", ")),
       {},
       {trigger_.path, 0},
       {{"found", "left out"}}});
}

// ---- what is looked for ----

Result<void> Hunt::examine(const HuntCase& one, Counts counts) {
  const Result<Outcome> straight = runs_.run(one, Way::straight);
  if (!straight) return fail(straight.error());
  if (straight->killed) {
    is_dead_ = true;
    add({*straight->killed + ": bound what one call does", {}, {trigger_.path, 0}, {}});
    return {};
  }
  bool comparable = !straight->cut;
  for (const Seen& seen : straight->seen) {
    if (!seen.error) continue;
    const CallError::Kind kind = seen.error->kind;
    comparable = comparable && kind == CallError::Kind::raised;
    const bool is_finding = kind == CallError::Kind::raised
                                ? counts == Counts::all && !is_expected(*seen.error)
                            : kind == CallError::Kind::judgement ? counts != Counts::limits
                                                                 : true;
    if (is_finding) HASTUR_TRY(found_error(one, seen, Way::straight));
    if (is_done()) return {};
  }
  note_limits(*straight);
  if (straight->cost.effects_cut > 0 && counts == Counts::all) HASTUR_TRY(found_cut(one));
  // A state that goes back does so at a judgement, and those are not made at the same inputs.
  if (!comparable) return {};
  for (const Way way : {Way::restored_each, Way::restored_at_random, Way::elsewhere}) {
    if (!is_done()) HASTUR_TRY(compare(one, *straight, way, counts));
  }
  return {};
}

Result<void> Hunt::compare(const HuntCase& one, const Outcome& straight, Way way, Counts counts) {
  const Result<Outcome> other = runs_.run(one, way);
  if (!other) return fail(other.error());
  for (const Seen& seen : other->seen) {
    // A state that goes back is no state to compare.
    if (seen.error && seen.error->kind == CallError::Kind::judgement)
      return counts == Counts::limits ? Result<void>() : found_error(one, seen, way);
  }
  note_limits(*other);
  if (other->cut || !disagreement(straight, *other)) return {};
  return found_disagreement(one, way);
}

// Half of a limit is near it: real streams are longer than ours.
void Hunt::note_limits(const Outcome& outcome) {
  const auto note = [&](std::string sentence) {
    report_.notes.push_back(
        {std::move(sentence), {}, {trigger_.path, 0}, {{"found", "near a limit"}}});
  };
  const std::uint64_t instructions = outcome.cost.instructions_most;
  const std::uint64_t most = CountedLimits{}.instructions_max;
  if (instructions > most / 2 && is_new("near instructions")) {
    note(
        fmt::format("one call took {} instructions, and {} is the most: with more senders or "
                    "messages it may fail, so do less in one call",
                    instructions, most));
  }
  const std::uint64_t bytes_max = outcome.loaded.state_bytes_max;
  if (bytes_max > 0 && outcome.state.size() > bytes_max / 2 && is_new("near state")) {
    note(
        fmt::format("its state came to {} bytes, and {} is the most: keep less, or ask for more "
                    "with hastur.trigger{{ state_bytes_max = … }}",
                    outcome.state.size(), bytes_max));
  }
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
    if (runs_.is_over(HuntRuns::steps_with_shrinking_max)) return Result<bool>(false);
    const auto prepared = runs_.prepare(smaller, one.seed);
    return prepared ? still_fails(*prepared) : Result<bool>(false);
  });
  if (!test) return fail(test.error());
  auto prepared = runs_.prepare(*test, one.seed);
  return prepared ? std::move(*prepared) : one;
}

Result<void> Hunt::found_error(const HuntCase& one, const Seen& seen, Way way) {
  const CallError error = *seen.error;
  // One line that fails is one finding, whatever else it says to other messages.
  const bool has_line = error.error.line > 0;
  if (!is_new(has_line ? fmt::format("{}:{}", error.error.script, error.error.line)
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
    auto& messages = begun.test.messages;
    messages.resize(std::min<std::size_t>(messages.size(), input->number));
    const bool is_tick = input->message.type == MessageType::tick;
    begun.test.ends = is_tick ? input->message.timestamp - one.test.start : Micros{0};
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
  // The same fault, in the words of the smallest case.
  CallError again = error;
  if (const Seen* here = in(*looked)) {
    again = *here->error;
    const auto input = small->stream.stream.input(here->input, scratch);
    if (input && input->message.type != MessageType::tick && input->number > 0 &&
        input->number <= small->stream.messages.size()) {
      message = parse_json(small->stream.names.read(small->stream.messages[input->number - 1]))
                    .value_or(Json());
    }
  }
  if (!has_line) {
    const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
    const std::string path = again.error.text.substr(0, again.error.text.find(' '));
    if (const ObservedCall* call = call_that_broke(calls)) {
      finding.caused_at = place_that_wrote(trigger_, *call, path);
    }
  }
  const std::string remedy =
      remedy_of(again, message, filter_of(looked->loaded, again.callback), words_,
                source_line(trigger_, error.error.script, error.error.line));
  const std::string text = quoted(small->stream.names.read(again.error.text));
  finding.sentence = text;
  if (error.kind != CallError::Kind::judgement)
    finding.sentence += fmt::format(" (at {})", described(message));
  if (!remedy.empty()) finding.sentence += ": " + remedy;
  finding.details = {{"found", found_by(again.kind)}};
  add(std::move(finding), text, &small->test);
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
  add(std::move(finding), is_restart ? "a restart changes nothing" : "two runs agree",
      &small->test);
  return {};
}

// Effects that were over a counted limit. The call stands, so there is no error to tell.
Result<void> Hunt::found_cut(const HuntCase& one) {
  if (!is_new("cut")) return {};
  const auto small = smallest(one, [&](const HuntCase& smaller) -> Result<bool> {
    const Result<Outcome> outcome = runs_.run(smaller, Way::straight);
    if (!outcome) return fail(outcome.error());
    return outcome->cost.effects_cut > 0;
  });
  if (!small) return fail(small.error());
  const Result<Outcome> looked = runs_.run(*small, Way::observed);
  if (!looked) return fail(looked.error());
  ReportedFailure finding;
  finding.sentence = words_of_cut(looked->cost.effects_cut);
  finding.caused_at = {trigger_.path, 0};
  const ScriptPlace place = place_of_most_effects(HuntRuns::calls(*small, *looked));
  if (place.line > 0) finding.caused_at = {trigger_.shown(place.script), place.line};
  finding.details = {{"found", "effects"}};
  add(std::move(finding), "no effect is left out", &small->test);
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
  // What an alert pages at a tick was said to it before.
  note.caused_at = {trigger_.path, 0};
  for (const bool of_alerts : {true, false}) {
    for (const ObservedCall& call : calls) {
      for (const CallStep& step : call.steps) {
        if (of_alerts ? !step.said.empty() : step.effects > 0)
          note.caused_at = {trigger_.shown(step.script), step.line};
      }
    }
  }
  note.details = {{"found", "order"}};
  report_.notes.push_back(std::move(note));
  return {};
}

// ---- the report ----

void Hunt::add(ReportedFailure finding, const std::string& title, const TestCase* smallest_case) {
  ++found_;
  if (smallest_case != nullptr) {
    TestCase test = *smallest_case;
    test.name = title;
    offered_.push_back(lua_text(test, "  "));
  }
  report_.failures.push_back(std::move(finding));
}

// The smallest cases as the text of a test file.
void Hunt::offer() {
  std::string text = fmt::format("{}{}\nreturn {{\n", first_words, options_.seed);
  for (const std::string& each : offered_) text += "  " + each + ",\n";
  text += "}\n";
  CheckReport::Block block{"the fewest messages that show it, as a test file", {}};
  if (offered_.empty()) {
    block.title = fmt::format("found with --seed {}", options_.seed);
  } else if (options_.write_failing.empty()) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) block.lines.push_back(line);
  } else {
    block.lines.push_back(written(text));
  }
  report_.explanations.push_back(std::move(block));
}

// Where it has been written, or that it could not be.
std::string Hunt::written(const std::string& text) const {
  namespace fs = std::filesystem;
  const fs::path path = fs::path(options_.write_failing) / (trigger_.name + ".test.lua");
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (fs::exists(path, error)) {
    const Result<std::string> there = read_script_file(path);
    // One that is the same is not written, so that nobody who watches it checks it again.
    if (there && *there == text) return path.string();
    if (!there || !there->starts_with(first_words))
      return fmt::format("{} is not from here and was not overwritten", path.string());
  }
  std::ofstream out(path);
  out << text;
  out.close();
  return out ? path.string() : fmt::format("cannot write {}", path.string());
}

}  // namespace

Result<CheckReport> hunt(Stand& here, Stand& elsewhere, const TriggerFiles& trigger,
                         const std::vector<TestCase>& tests, const std::string& folder,
                         const HuntOptions& options) {
  return Hunt(here, elsewhere, trigger, tests, folder, options).run();
}

}  // namespace hastur
