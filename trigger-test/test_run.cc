#include "trigger-test/test_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/cut_text.h"
#include "core/json.h"
#include "trigger-test/calls.h"
#include "trigger-test/timeline.h"
#include "trigger-test/verdict.h"

namespace hastur {
namespace {

using Mark = DiffLine::Mark;

// Of one test; the first ones tell it.
constexpr std::size_t timelines_max = 3;
constexpr std::size_t same_lines_shown = 3;
// So many are read in a run each.
constexpr std::size_t few_states = 4;
// How far beyond its end a test is looked at when something has not come.
constexpr Micros longer_min = std::chrono::minutes{1};
constexpr Micros longer_max = std::chrono::hours{1};

std::string cut(const std::string& text, std::size_t bytes_max = 160) {
  return cut_text(text, bytes_max);
}

Json json_of(const std::vector<Difference>& differences) {
  Json list = Json::array();
  const auto value = [](const std::string& text) {
    return text.empty() ? Json() : parse_json(text).value_or(Json(text));
  };
  for (const Difference& each : differences) {
    list.push_back({{"path", each.path}, {"wanted", value(each.wanted)}, {"got", value(each.got)}});
  }
  return list;
}

// Under two lines of text: where they differ.
std::string carets(const std::string& wanted, const std::string& got) {
  std::size_t begin = 0;
  while (begin < std::min(wanted.size(), got.size()) && wanted[begin] == got[begin]) ++begin;
  std::size_t same_end = 0;
  while (same_end < std::min(wanted.size(), got.size()) - begin &&
         wanted[wanted.size() - 1 - same_end] == got[got.size() - 1 - same_end])
    ++same_end;
  const std::size_t end = std::max(wanted.size(), got.size()) - same_end;
  // A character of several bytes takes one column.
  const auto columns = [](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  };
  const std::string& longer = wanted.size() > got.size() ? wanted : got;
  return std::string(columns(std::string_view(longer).substr(0, begin)), ' ') +
         std::string(
             std::max<std::size_t>(1, columns(std::string_view(longer).substr(begin, end - begin))),
             '^');
}

class DiffOf {
 public:
  explicit DiffOf(const Verdict& verdict) : verdict_(verdict) {
    for (const Pairing& pairing : verdict.pairings) {
      if (pairing.expectation != nullptr)
        width_ = std::max(width_, when(*pairing.expectation).size());
      if (pairing.came != nullptr)
        width_ = std::max(width_, format_offset(pairing.came->at).size());
    }
  }

  std::vector<DiffLine> lines() {
    std::vector<DiffLine> same;
    for (const Pairing& pairing : verdict_.pairings) {
      if (pairing.holds) {
        same.push_back({Mark::same, row(format_offset(pairing.came->at), pairing.came->title)});
        continue;
      }
      put(same, !lines_.empty());
      add(pairing);
    }
    put(same, true);
    return std::move(lines_);
  }

 private:
  std::string row(const std::string& time, const std::string& title) const {
    return fmt::format("{:<{}}  {}", time, width_, cut(title));
  }

  // What holds stands there for orientation: a few lines of it next to what does not.
  void put(std::vector<DiffLine>& same, bool both_ends) {
    const std::size_t head = both_ends ? std::min(same.size(), same_lines_shown) : 0;
    const std::size_t tail = std::min(same.size() - head, same_lines_shown);
    lines_.insert(lines_.end(), same.begin(), same.begin() + static_cast<std::ptrdiff_t>(head));
    if (const std::size_t between = same.size() - head - tail; between > 0)
      lines_.push_back({Mark::note, fmt::format("… {} as expected", between)});
    lines_.insert(lines_.end(), same.end() - static_cast<std::ptrdiff_t>(tail), same.end());
    same.clear();
  }

  void add(const Pairing& pairing) {
    const auto* wanted = pairing.expectation;
    const auto* came = pairing.came;
    if (wanted != nullptr) lines_.push_back({Mark::missing, row(when(*wanted), wanted->title)});
    if (came != nullptr) lines_.push_back({Mark::extra, row(format_offset(came->at), came->title)});
    if (wanted == nullptr || came == nullptr) return;
    for (const Difference& each : differences(*wanted, *came)) {
      const std::string head = fmt::format("{:<{}}  {} ", "", width_, each.path);
      const std::string indent(head.size(), ' ');
      lines_.push_back({Mark::missing, head + (each.wanted.empty() ? "none" : cut(each.wanted))});
      lines_.push_back({Mark::extra, head + (each.got.empty() ? "absent" : cut(each.got))});
      const bool is_pattern = each.wanted.find('*') != std::string::npos;
      if (!each.wanted.empty() && !each.got.empty() && !is_pattern)
        lines_.push_back({Mark::note, indent + carets(cut(each.wanted), cut(each.got))});
    }
  }

  const Verdict& verdict_;
  std::size_t width_ = 0;
  std::vector<DiffLine> lines_;
};

class TestRun {
 public:
  TestRun(Stand& stand, const TriggerFiles& trigger, const TestCase& test, const std::string& file,
          Measured* measured)
      : stand_(stand), trigger_(trigger), test_(test), file_(file), measured_(measured) {
    report_.kind = "test";
    report_.name = test.name;
    report_.at = {file, test.line};
  }

  Result<CheckReport> run() {
    const std::string folder = std::filesystem::path(file_).parent_path();
    auto made = make_test_stream(test_, folder);
    if (const auto* error = std::get_if<TestFileError>(&made)) {
      report_.failures.push_back({error->text, {file_, error->line}, {}, {}});
      return std::move(report_);
    }
    stream_ = std::get<TestStream>(std::move(made));
    RunOptions how;
    if (measured_ != nullptr) how.observe = ObserveCommand::What::lines;
    Result<Outcome> outcome = stand_.run(trigger_, stream_.stream, how);
    if (!outcome) return fail(outcome.error());
    if (outcome->load_error) {
      const ScriptError& error = *outcome->load_error;
      report_.failures.push_back({error.text, {}, {trigger_.shown(error.script), error.line}, {}});
      return std::move(report_);
    }
    if (measured_ != nullptr) measured_->add(trigger_, *outcome, stream_.messages.size());
    if (outcome->killed) report_.failures.push_back({*outcome->killed, {}, {trigger_.path, 0}, {}});

    const std::vector<Came> came = what_came(*outcome, trigger_.name, test_, stream_.names);
    const Verdict verdict = judge(test_, came, stream_.end);
    if (outcome->cost.effects_cut > 0) HASTUR_TRY(tell_cut(*outcome));
    if (!verdict.misses.empty()) HASTUR_TRY(tell(verdict));
    HASTUR_TRY(check_states(*outcome));
    return std::move(report_);
  }

 private:
  // Effects that were over a counted limit. The call stands, so there is no error to tell.
  Result<void> tell_cut(const Outcome& outcome) {
    RunOptions looking;
    looking.observe = ObserveCommand::What::calls;
    const Result<Outcome> looked = stand_.run(trigger_, stream_.stream, looking);
    if (!looked) return fail(looked.error());
    const ScriptPlace place =
        place_of_most_effects(observed_calls(looked->observed, stream_.names));
    FilePlace at{trigger_.path, 0};
    if (place.line > 0) at = {trigger_.shown(place.script), place.line};
    report_.failures.push_back({words_of_cut(outcome), {}, std::move(at), {}});
    return {};
  }

  // The states at the times that are asked for; each is that at the end of a stream that ends
  // there.
  Result<std::map<Micros, std::string>> states_at_times(const Outcome& outcome) {
    std::map<Micros, std::string> states;
    for (const Expectation& each : test_.expect) {
      if (each.kind == Expectation::Kind::state && each.from) states[*each.from] = "";
    }
    if (states.size() > few_states && all_in_one_run(outcome, states)) return states;
    for (auto& [at, state] : states) {
      Result<Outcome> part = stand_.run(trigger_, cut_after(stream_.stream, test_.start + at));
      if (!part) return fail(part.error());
      state = std::move(part->state);
    }
    return states;
  }

  // Many are read in one run, which is judged at each. That may change it only where a state is
  // refused; then something else comes out, and false is returned.
  bool all_in_one_run(const Outcome& outcome, std::map<Micros, std::string>& states) {
    std::vector<Time> times;
    for (const auto& [at, state] : states) times.push_back(test_.start + at);
    const Stream parts = cut_at(stream_.stream, times);
    RunOptions how;
    how.states_after_batches = true;
    Result<Outcome> judged = stand_.run(trigger_, parts, how);
    if (!judged || judged->killed || judged->states.size() != parts.batches.size() ||
        judged->seen != outcome.seen)
      return false;
    std::size_t batch = 0;
    for (auto& [at, state] : states) {
      while (batch + 1 < parts.batches.size() &&
             parts.batches[batch + 1]->stream_times.back() <= to_us(test_.start + at))
        ++batch;
      state = judged->states[batch];
    }
    return true;
  }

  Result<void> check_states(const Outcome& outcome) {
    const auto states = states_at_times(outcome);
    if (!states) return fail(states.error());
    for (const Expectation& each : test_.expect) {
      if (each.kind != Expectation::Kind::state) continue;
      std::string state = outcome.state;
      if (each.from) state = states->at(*each.from);
      const std::string moment = each.from ? "at " + when(each) : "at the end";
      if (each.state_bytes_max) {
        const std::uint64_t bytes = state.size();
        if ((bytes <= *each.state_bytes_max) != each.never) continue;
        report_.failures.push_back(
            {fmt::format("the state {} has {} bytes, expected {} {}", moment, bytes,
                         each.never ? "more than" : "at most", *each.state_bytes_max),
             {file_, each.line},
             {},
             {}});
        continue;
      }
      const Result<Json> got = parse_json(stream_.names.read(state));
      if (!got) continue;
      const auto differ = differences(each.wanted, *got, each.whole);
      if (differ.empty() != each.never) continue;
      if (each.never) {
        report_.failures.push_back({fmt::format("the state {} is what it must never be", moment),
                                    {file_, each.line},
                                    {},
                                    {}});
      }
      for (const Difference& one : differ) {
        report_.failures.push_back({fmt::format("state.{} {} is {}, expected {}", one.path, moment,
                                                one.got.empty() ? "absent" : cut(one.got),
                                                one.wanted.empty() ? "absent" : cut(one.wanted)),
                                    {file_, each.line},
                                    {},
                                    json_of({one})});
      }
    }
    return {};
  }

  // Runs it once more and looks on, for a while longer: where things came from, why others did not,
  // and what came too late. `at_end` is the verdict as it stands: what the judgement at the end
  // found comes later, or not at all, in a run that goes on.
  Result<void> tell(const Verdict& at_end) {
    TestCase longer = test_;
    longer.ends = stream_.end + std::clamp<Micros>(stream_.end, longer_min, longer_max);
    auto made = make_test_stream(longer, std::filesystem::path(file_).parent_path());
    if (const auto* error = std::get_if<TestFileError>(&made))
      return fail(ErrorCode::unavailable, error->text);
    const Micros end = std::exchange(stream_, std::get<TestStream>(std::move(made))).end;

    RunOptions looking;
    looking.observe = ObserveCommand::What::calls;
    const Result<Outcome> looked = stand_.run(trigger_, stream_.stream, looking);
    if (!looked) return fail(looked.error());
    const std::vector<Came> came = what_came(*looked, trigger_.name, test_, stream_.names);
    const Verdict verdict = judge(test_, came, end);
    const std::vector<ObservedCall> calls = observed_calls(looked->observed, stream_.names);
    const TimelineOf of{trigger_, stream_, *looked, came, calls, test_.start};
    for (const Miss& miss : verdict.misses) {
      add(miss, calls);
      // What came in time, but otherwise than wanted, is told by its differences; another thing
      // says nothing of why this one did not come.
      const bool is_told = miss.came != nullptr && !miss.differences.empty();
      if (miss.what == Miss::What::missing && (!is_told || miss.is_of_another()) &&
          report_.explanations.size() < timelines_max)
        explain(*miss.expectation, of);
    }
    for (const Miss& miss : at_end.misses) {
      const auto says_so = [&](const Miss& other) {
        return other.came != nullptr && miss.came != nullptr &&
               other.came->title == miss.came->title;
      };
      if (miss.what == Miss::What::unexpected && std::ranges::none_of(verdict.misses, says_so))
        add(miss, calls);
    }
    report_.diff = DiffOf(verdict.misses.empty() ? at_end : verdict).lines();
    return {};
  }

  void add(const Miss& miss, const std::vector<ObservedCall>& calls) {
    ReportedFailure failure;
    failure.sentence = sentence(miss);
    if (miss.expectation != nullptr) failure.expected_at = {file_, miss.expectation->line};
    if (miss.came != nullptr) failure.caused_at = place_of(*miss.came, calls);
    if (!miss.differences.empty()) failure.details = json_of(miss.differences);
    report_.failures.push_back(std::move(failure));
  }

  FilePlace place_of(const Came& came, const std::vector<ObservedCall>& calls) const {
    if (came.kind == Expectation::Kind::error) {
      const std::string script = came.what["script"];
      return script.empty() ? FilePlace{} : FilePlace{trigger_.shown(script), came.what["line"]};
    }
    const ScriptPlace place = place_of_effect(calls, came.input, came.ordinal);
    return place.line == 0 ? FilePlace{} : FilePlace{trigger_.shown(place.script), place.line};
  }

  void explain(const Expectation& expectation, const TimelineOf& of) {
    if (expectation.kind == Expectation::Kind::log || expectation.kind == Expectation::Kind::error)
      return;
    const auto key = expectation.wanted.find(
        expectation.kind == Expectation::Kind::notification ? "key" : "name");
    const std::string about = key != expectation.wanted.end() && key->is_string() ? *key : "";
    const std::string title =
        fmt::format("timeline of {}", about.empty() ? expectation.title : about);
    if (std::ranges::find(report_.explanations, title, &CheckReport::Block::title) !=
        report_.explanations.end())
      return;
    report_.explanations.push_back({title, timeline(of, about, expectation.from.value_or(Micros{0}),
                                                    expectation.to.value_or(stream_.end))});
  }

  Stand& stand_;
  const TriggerFiles& trigger_;
  const TestCase& test_;
  const std::string& file_;
  Measured* const measured_;
  TestStream stream_;
  CheckReport report_;
};

}  // namespace

Result<CheckReport> run_test(Stand& stand, const TriggerFiles& trigger, const TestCase& test,
                             const std::string& file, Measured* measured) {
  return TestRun(stand, trigger, test, file, measured).run();
}

}  // namespace hastur
