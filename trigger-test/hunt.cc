#include "trigger-test/hunt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/hash.h"
#include "core/json.h"
#include "trigger-test/hunt_cases.h"
#include "trigger-test/hunt_findings.h"
#include "trigger-test/hunt_growth.h"
#include "trigger-test/hunt_report.h"
#include "trigger-test/hunt_runs.h"

namespace hastur {
namespace {

// The first ones tell it.
constexpr std::size_t findings_max = 4;
constexpr int rounds_max = 6;
constexpr std::size_t examples_max = 60;
// Nobody waits longer to be told that nothing came.
constexpr Micros wait_max = std::chrono::days{366};
constexpr std::size_t waits_max = 1'000;
// In steps of HuntRuns, besides those of the search: a trigger for which each second of the streams
// that are made costs something has its growth and its own tests looked at, too.
constexpr std::uint64_t growth_steps_max = 120'000'000;
constexpr std::uint64_t tests_steps_max = 60'000'000;
constexpr std::uint64_t many_senders_steps_max = 40'000'000;

// No sender has to do with it.
bool feeds_itself(const CallError& error) {
  const std::string& text = error.error.text;
  return text.find("derived") != std::string::npos && text.find("times over") != std::string::npos;
}

// Adds the spans that the script declared when it was loaded (vm/observation.h), however it came to
// their lengths.
void add_waits(std::vector<Micros>& spans, const Json& observed) {
  if (!observed.is_object()) return;
  const Json waits = observed.value("waits", Json::array());
  if (!waits.is_array() || waits.size() > waits_max) return;
  for (const Json& wait : waits) {
    if (!wait.is_number_integer()) continue;
    const Micros span{wait.get<std::int64_t>()};
    if (span > Micros{0} && span <= wait_max) spans.push_back(span);
  }
  std::ranges::sort(spans);
  spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
}

// What is fed, and what is looked for in it. What comes of it is told by HuntFindings.
class Hunt {
 public:
  Hunt(Stand& here, Stand& elsewhere, const TriggerFiles& trigger,
       const std::vector<TestCase>& tests, const std::string& folder, const HuntOptions& options)
      : trigger_(trigger),
        tests_(tests),
        options_(options),
        runs_(here, elsewhere, trigger, folder),
        words_(words_of(trigger)),
        report_(trigger, options),
        findings_(runs_, words_, report_) {}

  Result<CheckReport> run() {
    RunOptions looking;
    looking.observe = ObserveCommand::What::calls;
    const Result<Outcome> loaded = runs_.run(Stream{}, looking);
    if (!loaded) return fail(loaded.error());
    if (loaded->load_error || loaded->killed) return report_.finish();
    add_waits(words_.spans, loaded->observed);
    prepare_tests();
    const MessageMaker messages(loaded->loaded.subscriptions, words_, examples_);
    note_what_never_runs(loaded->loaded, messages);
    HASTUR_TRY(search(messages));
    return report_.finish();
  }

 private:
  void prepare_tests();
  void note_what_never_runs(const Loaded& loaded, const MessageMaker& messages);
  Result<void> search(const MessageMaker& messages);
  Result<void> search_growth(const CaseMaker& cases, Dice& dice);
  Result<void> search_tests();
  Result<void> search_many_senders(const CaseMaker& cases, Dice dice);
  Result<void> search_by_few_senders(const CaseMaker& cases, Dice dice);
  void note_what_is_left_out();
  bool is_done() const { return is_dead_ || report_.findings() >= findings_max || runs_.is_over(); }

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
  std::optional<HuntCase> begin_of(const HuntCase& one, const Outcome& cut);
  void note_limits(const Outcome& outcome);
  bool is_expected(const CallError& error) const;

  const TriggerFiles& trigger_;
  const std::vector<TestCase>& tests_;
  const HuntOptions& options_;
  HuntRuns runs_;
  ScriptWords words_;
  HuntReport report_;
  HuntFindings findings_;
  std::vector<HuntCase> own_;
  std::vector<Json> examples_;
  bool is_dead_ = false;
  // Of some cases only the begin was compared.
  bool is_begun_ = false;
  // What the hunt had no steps left for, why, and what to do about it.
  struct LeftOut {
    std::string why;
    std::vector<std::string> what;
    std::string remedy;
  };
  void leave_out(const HuntRuns::Budget& budget, std::vector<std::string> what,
                 const char* why_if_fast, const char* remedy_if_fast);
  std::vector<LeftOut> left_out_;
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
      if (made->test.messages[i].is_tick()) continue;
      if (known.size() < examples_max && known.insert(canonical_json(fields)).second)
        examples_.push_back(fields);
    }
    own_.push_back(std::move(*made));
  }
}

// What is made may not come through a filter that only its senders know to pass: these are notes.
void Hunt::note_what_never_runs(const Loaded& loaded, const MessageMaker& messages) {
  constexpr int attempts = 8;
  Dice dice(hash64(trigger_.name, options_.seed));
  for (std::size_t i = 0; i < loaded.subscriptions.size(); ++i) {
    const SubscriptionSpec& spec = loaded.subscriptions[i];
    const Json filter = parse_json(spec.filter).value_or(Json());
    if (filter.is_object() && filter.contains("attn") && !spec.types.empty() &&
        std::ranges::find(spec.types, MessageType::event) == spec.types.end()) {
      report_.note("this filter takes nothing: only events have attn", {trigger_.path, spec.line},
                   "never runs");
      continue;
    }
    bool runs = false;
    for (int attempt = 0; attempt < attempts && !runs; ++attempt)
      runs = messages.make(i, MessageMaker::Kind::odd, dice).has_value();
    if (runs) continue;
    report_.note(
        "no message that the hunt makes comes through this filter: may it be that none can? "
        "A test with a message that does shows it",
        {trigger_.path, spec.line}, "never runs");
  }
  if (loaded.subscriptions.empty() && loaded.periodic == 0) {
    report_.note("nothing of it ever runs: it subscribes to no messages and has no ctx:every",
                 {trigger_.path, 0}, "never runs");
  }
}

Result<void> Hunt::search(const MessageMaker& messages) {
  const CaseMaker cases(messages, words_);
  const std::uint64_t seed = hash64(trigger_.name, options_.seed);
  using Kind = MessageMaker::Kind;
  for (int round = 0; round < rounds_max && !is_done(); ++round) {
    Dice dice(seed + static_cast<std::uint64_t>(round));
    // Each day of the week has its turn, the last two in the first round.
    const auto on_day = [&](int first, TestCase test) {
      test.start += std::chrono::days{(first + 2 * round) % 7};
      return test;
    };
    for (const Kind kind : {Kind::real, Kind::odd}) {
      const auto one = runs_.prepare(
          on_day(kind == Kind::real ? 5 : 0, cases.flow(kind, Dice(dice.next()))), dice.next());
      if (one && !is_done())
        HASTUR_TRY(examine(*one, kind == Kind::real ? Counts::all : Counts::limits));
    }
    const auto broken = runs_.prepare(on_day(6, cases.interrupted(Dice(dice.next()))), dice.next());
    if (broken && !is_done()) HASTUR_TRY(examine(*broken, Counts::all));
    if (round == 0) {
      HASTUR_TRY(search_growth(cases, dice));
      HASTUR_TRY(search_tests());
      HASTUR_TRY(search_many_senders(cases, Dice(seed)));
    }
    // What math.random draws goes with the place in the stream.
    const bool draws = trigger_.script.text.find("math.random") != std::string::npos;
    if (messages.subscriptions() > 0 && !draws) {
      const auto tied = runs_.prepare(on_day(0, cases.ties(Dice(dice.next()))), dice.next());
      if (tied && !is_done()) HASTUR_TRY(findings_.examine_order(*tied));
    }
  }
  note_what_is_left_out();
  return {};
}

void Hunt::leave_out(const HuntRuns::Budget& budget, std::vector<std::string> what,
                     const char* why_if_fast, const char* remedy_if_fast) {
  // The clock has a note of its own.
  if (what.empty() || runs_.is_over_by_the_clock()) return;
  const bool slow = budget.are_calls_slow();
  left_out_.push_back({slow ? "its calls take so long" : why_if_fast, std::move(what),
                       slow ? "do less in one call" : remedy_if_fast});
}

// Once, and with a budget of its own.
Result<void> Hunt::search_growth(const CaseMaker& cases, Dice& dice) {
  const HuntRuns::Budget budget(runs_, growth_steps_max);
  const std::uint64_t seed = dice.next();
  const std::uint64_t seed_of_case = dice.next();
  if (is_done()) return {};
  const auto is_meant = [this](const CallError& error) {
    return error.kind == CallError::Kind::raised && is_expected(error);
  };
  auto growth = find_growth(runs_, trigger_, cases, words_, is_meant, seed);
  if (!growth) return fail(growth.error());
  if (growth->found) {
    Growth& found = *growth->found;
    const FilePlace& at = found.finding.caused_at;
    if (found.finding.details.value("found", "") == "effects") report_.is_new("cut");
    if (report_.is_new(fmt::format("{}:{}", at.path, at.line)))
      report_.add(std::move(found.finding), found.title, found.test ? &*found.test : nullptr);
  }
  if (growth->unsure && report_.findings() == 0) {
    ReportedFailure& unsure = *growth->unsure;
    report_.note(std::move(unsure.sentence), unsure.caused_at, "left out");
  }
  const std::size_t before = report_.findings();
  for (TestCase& suspicious : growth->suspicious) {
    const auto one = runs_.prepare(std::move(suspicious), seed_of_case);
    if (one && !is_done() && report_.findings() == before) HASTUR_TRY(examine(*one, Counts::all));
  }
  if (growth->is_cut_short) {
    leave_out(budget, {"whether its state grows without end"},
              "its inputs have so many effects, or a state so large,",
              "derive, notify and keep less at each input");
  }
  return {};
}

// The same.
Result<void> Hunt::search_tests() {
  const HuntRuns::Budget budget(runs_, tests_steps_max);
  std::vector<std::string> left;
  // The short ones first: more of them are looked at.
  std::ranges::stable_sort(
      own_, {}, [](const HuntCase& one) { return one.stream.stream.row_messages.size(); });
  for (const HuntCase& one : own_) {
    if (is_done()) {
      left.push_back(fmt::format("the messages of the test '{}'", one.test.name));
    } else {
      HASTUR_TRY(examine(one, Counts::states));
    }
  }
  leave_out(budget, std::move(left), "its tests span so much time, with a tick for each second,",
            "tests over minutes instead of hours are hunted whole");
  own_.clear();
  return {};
}

// What is done for each of all senders with each of all is too much for one call once they are
// many. Whether they are is for its author to know: it is a note.
Result<void> Hunt::search_many_senders(const CaseMaker& cases, Dice dice) {
  const HuntRuns::Budget budget(runs_, many_senders_steps_max);
  // What fails is hunted again once it is mended.
  if (is_done() || report_.findings() > 0) return {};
  const auto one = runs_.prepare(cases.of_many_senders(dice), 0);
  if (!one || one->test.messages.empty()) return {};
  const Result<Outcome> outcome = runs_.run(*one, Way::straight);
  if (!outcome) return fail(outcome.error());
  for (const Seen& seen : outcome->seen) {
    if (!seen.error || seen.error->kind != CallError::Kind::instructions) continue;
    const ScriptError& error = seen.error->error;
    report_.note(fmt::format("with {} senders {}: {}", CaseMaker::senders_many, error.text,
                             "if there may be so many, keep sums instead of walking all of them "
                             "for each of them"),
                 {trigger_.shown(error.script), error.line}, "near a limit");
    return {};
  }
  return outcome->cut ? search_by_few_senders(cases, dice) : Result<void>();
}

// What is done for each with each at each message takes too long to be seen with so many; fewer
// show how it goes on with their number.
Result<void> Hunt::search_by_few_senders(const CaseMaker& cases, Dice dice) {
  constexpr std::array<std::size_t, 2> senders{40, 80};
  std::array<std::uint64_t, 2> taken{};
  for (std::size_t i = 0; i < senders.size(); ++i) {
    const auto one = runs_.prepare(cases.of_many_senders(dice, senders[i]), 0);
    if (!one) return {};
    const Result<Outcome> outcome = runs_.run(*one, Way::straight);
    if (!outcome) return fail(outcome.error());
    if (outcome->cut) return {};
    taken[i] = outcome->cost.instructions;
  }
  // One call that walks all takes as much as there are of them, and all calls four times as much
  // for twice as many; what walks all for each of all, eight times.
  const double times = static_cast<double>(CaseMaker::senders_many) / senders[1];
  const double last = 3.0 * static_cast<double>(taken[1]) / senders[1];
  const std::uint64_t limit = CountedLimits{}.instructions_max;
  if (taken[1] < 6 * taken[0] || last * times * times < static_cast<double>(limit)) return {};
  report_.note(
      fmt::format("the messages of {} senders take {} instructions, those of {} {}: with {} "
                  "senders it would be more than {} in one call. If there may be so many, keep "
                  "sums instead of walking all of them for each of them",
                  senders[0], taken[0], senders[1], taken[1], CaseMaker::senders_many, limit),
      {trigger_.path, 0}, "near a limit");
  return {};
}

// So much of a case of which a run was ended early that all ways can be compared.
std::optional<HuntCase> Hunt::begin_of(const HuntCase& one, const Outcome& cut) {
  constexpr int times_shorter = 4;
  const Micros end = (cut.cut_at - one.test.start) / times_shorter;
  is_begun_ = true;
  if (end < std::chrono::seconds{2}) return std::nullopt;
  TestCase begin = one.test;
  std::erase_if(begin.messages, [&](const MessageSpec& spec) { return spec.at > end; });
  begin.ends = end;
  return runs_.prepare(std::move(begin), one.seed);
}

// A trigger that fails is hunted again once it is mended.
void Hunt::note_what_is_left_out() {
  if (report_.findings() > 0) return;
  if (runs_.is_over_by_the_clock()) {
    report_.note(
        fmt::format("the hunt took {} CPU-seconds and was ended by the clock: another machine may "
                    "find more, so do less in one call",
                    HuntRuns::cpu_max / std::chrono::seconds{1}),
        {trigger_.path, 0}, "left out");
  }
  if (is_begun_) {
    left_out_.push_back({"its calls take so long, or its state is so large and changes so often,",
                         {"the later parts of its streams"},
                         "do less in one call, keep less or change it more seldom"});
  }
  for (const LeftOut& each : left_out_) {
    report_.note(fmt::format("{} that the hunt left out {}: {}", each.why,
                             fmt::join(each.what, ", "), each.remedy),
                 {trigger_.path, 0}, "left out");
  }
}

// ---- what is looked for ----

Result<void> Hunt::examine(const HuntCase& one, Counts counts) {
  const Result<Outcome> straight = runs_.run(one, Way::straight);
  if (!straight) return fail(straight.error());
  if (straight->killed) {
    is_dead_ = true;
    report_.add({*straight->killed + ": bound what one call does", {}, {trigger_.path, 0}, {}});
    return {};
  }
  bool comparable = !straight->cut;
  for (const Seen& seen : straight->seen) {
    if (!seen.error) continue;
    const CallError::Kind kind = seen.error->kind;
    comparable = comparable && kind == CallError::Kind::raised;
    const bool is_finding =
        kind == CallError::Kind::raised
            ? (counts == Counts::all && !is_expected(*seen.error)) || feeds_itself(*seen.error)
        : kind == CallError::Kind::judgement ? counts != Counts::limits
                                             : true;
    if (is_finding) HASTUR_TRY(findings_.found_error(one, seen, Way::straight));
    if (is_done()) return {};
  }
  note_limits(*straight);
  if (straight->cost.effects_cut > 0 && counts == Counts::all) HASTUR_TRY(findings_.found_cut(one));
  // Runs that end early do not end at the same input.
  if (straight->cut) {
    const auto begin = begin_of(one, *straight);
    if (begin && counts != Counts::limits && !is_done()) return examine(*begin, counts);
    return {};
  }
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
      return counts == Counts::limits ? Result<void>() : findings_.found_error(one, seen, way);
  }
  note_limits(*other);
  if (other->cut || !disagreement(straight, *other)) return {};
  return findings_.found_disagreement(one, way);
}

// Half of a limit is near it: real streams are longer than ours.
void Hunt::note_limits(const Outcome& outcome) {
  const auto note = [&](std::string sentence) {
    report_.note(std::move(sentence), {trigger_.path, 0}, "near a limit");
  };
  const std::uint64_t instructions = outcome.cost.instructions_most;
  const std::uint64_t most = CountedLimits{}.instructions_max;
  if (instructions > most / 2 && report_.is_new("near instructions")) {
    note(
        fmt::format("one call took {} instructions, and {} is the most: with more senders or "
                    "messages it may fail, so do less in one call",
                    instructions, most));
  }
  const std::uint64_t bytes_max = outcome.loaded.state_bytes_max;
  if (bytes_max > 0 && outcome.state.size() > bytes_max / 2 && report_.is_new("near state")) {
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

}  // namespace

Result<CheckReport> hunt(Stand& here, Stand& elsewhere, const TriggerFiles& trigger,
                         const std::vector<TestCase>& tests, const std::string& folder,
                         const HuntOptions& options) {
  return Hunt(here, elsewhere, trigger, tests, folder, options).run();
}

}  // namespace hastur
