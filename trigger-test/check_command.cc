#include "trigger-test/check_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/printable.h"
#include "trigger-test/paint.h"

namespace hastur {
namespace {

std::unique_ptr<ReportWriter> writer_of(const std::string& format) {
  if (format == "json") return std::make_unique<JsonReport>();
  if (format == "junit") return std::make_unique<JunitReport>();
  if (format == "text") return std::make_unique<TextReport>(wants_colour());
  return nullptr;
}

bool write_out(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

// What is left of a time that was given: of "3s" a microsecond is gone.
std::string rounded_span(Micros span) {
  constexpr Micros step = std::chrono::milliseconds{100};
  return format_span(span < step ? span : (span + step / 2) / step * step);
}

// A filter that neither a trigger nor a test goes by, and what there is to go by.
std::string no_such_test(const std::string& filter, const std::vector<TriggerReport>& all) {
  constexpr std::size_t tests_told = 20;
  std::string text = fmt::format("--filter {}: no trigger's path holds it, and no test's name does",
                                 printable(filter));
  std::size_t count = 0;
  for (const TriggerReport& report : all) {
    for (const std::string& test : report.all_tests) {
      if (count == 0) text += "; the tests are";
      if (++count <= tests_told)
        text += fmt::format("\n  {}: {}", printable(report.name), printable(test));
    }
  }
  if (count > tests_told) text += fmt::format("\n  and {} more", count - tests_told);
  return count == 0 ? text + "; there are no tests" : text;
}

// Checks triggers on several stands at once and hands out the reports in the order of the paths.
class Crew {
 public:
  Crew(const CheckCommand& command, const CheckPlan& plan, ReportWriter& writer,
       const Verdict& verdict)
      : command_(command),
        plan_(plan),
        verdict_(verdict),
        began_(clock_.monotonic()),
        writer_(writer),
        reports_(plan.paths.size()) {}

  void run(std::size_t hands) {
    under_way_.resize(hands);
    std::jthread guard;
    if (command_.time_max > Micros{0}) guard = std::jthread([this] { watch_time(); });
    {
      // A worker dies with the thread that started it, so each thread has a stand of its own.
      std::vector<std::jthread> threads;
      for (std::size_t hand = 1; hand < hands; ++hand)
        threads.emplace_back([this, hand] { work(hand); });
      work(0);
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    end_.notify_all();
  }

  const std::optional<Error>& error() const { return error_; }
  bool written() const { return written_; }
  std::vector<TriggerReport> take() {
    std::vector<TriggerReport> all;
    for (auto& report : reports_) all.push_back(std::move(*report));
    return all;
  }

 private:
  void work(std::size_t hand) {
    auto stand = Stand::make();
    if (!stand) return stop(stand.error());
    auto elsewhere = Stand::make();
    if (!elsewhere) return stop(elsewhere.error());
    CheckOptions options = plan_.options;
    if (command_.time_max > Micros{0}) options.hunts_until = began_ + command_.time_max / 2;
    while (true) {
      const std::size_t index = next_++;
      if (index >= plan_.paths.size() || is_over()) return;
      options.begins = [&](const std::string& what) {
        const std::lock_guard lock(mutex_);
        under_way_[hand] = {plan_.paths[index], what};
      };
      Result<TriggerReport> report =
          check_trigger(**stand, **elsewhere, clock_, plan_.paths[index], options);
      if (!report) return stop(report.error());
      done(hand, index, std::move(*report));
    }
  }

  bool is_over() {
    const std::lock_guard lock(mutex_);
    return error_.has_value();
  }
  void stop(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
  }
  void done(std::size_t hand, std::size_t index, TriggerReport report) {
    const std::lock_guard lock(mutex_);
    under_way_[hand] = {};
    const bool good = report.is_good();
    reports_[index] = std::move(report);
    std::string out;
    for (; told_ < reports_.size() && reports_[told_]; ++told_) {
      // What a filter of tests leaves nothing of is not spoken of.
      const TriggerReport& next = *reports_[told_];
      if (plan_.options.only_tests.empty() || next.tests() > 0 || !next.is_good())
        writer_.trigger(out, next);
    }
    if (!write_out(out)) written_ = false;
    if (verdict_) verdict_(index, good);
  }

  void watch_time() {
    std::unique_lock lock(mutex_);
    if (end_.wait_for(lock, command_.time_max, [this] { return ended_; })) return;
    std::string out;
    std::size_t known = told_;
    for (std::size_t index = told_; index < reports_.size(); ++index) {
      if (!reports_[index]) continue;
      ++known;
      writer_.trigger(out, *reports_[index]);
    }
    for (const UnderWay& each : under_way_) {
      if (each.path.empty()) continue;
      out += fmt::format("FAIL  {}: {} did not end: the time for all is {}\n", printable(each.path),
                         printable(each.what), rounded_span(command_.time_max));
    }
    out +=
        fmt::format("{} of {} triggers were checked in {}; give them more time, or shorter tests\n",
                    known, reports_.size(), rounded_span(command_.time_max));
    // What other formats hold is not whole.
    if (command_.format == "text") {
      write_out(out);
    } else {
      std::fputs(out.c_str(), stderr);
    }
    if (command_.out_of_time) command_.out_of_time();
    // Workers end with their parent.
    std::_Exit(static_cast<int>(ExitCode::trigger_failed));
  }

  const CheckCommand& command_;
  const CheckPlan& plan_;
  const Verdict& verdict_;
  SystemClock system_clock_;
  SharedClock clock_{system_clock_};
  const Micros began_;
  std::atomic<std::size_t> next_{0};

  // Guards what follows.
  std::mutex mutex_;
  ReportWriter& writer_;
  std::vector<std::optional<TriggerReport>> reports_;
  std::size_t told_ = 0;
  std::optional<Error> error_;
  bool written_ = true;
  struct UnderWay {
    std::string path;
    std::string what;
  };
  // Of each hand; an empty path: nothing.
  std::vector<UnderWay> under_way_;
  bool ended_ = false;
  std::condition_variable end_;
};

}  // namespace

Result<CheckPlan> plan_check(const CheckCommand& command) {
  const auto wrong = [](const std::string& sentence) { return fail(ErrorCode::invalid, sentence); };
  if (!writer_of(command.format))
    return wrong(fmt::format("--format takes text, json or junit, not \"{}\"", command.format));
  if (command.coverage_min > 100)
    return wrong(fmt::format("--coverage-min takes a percentage, not {}", command.coverage_min));
  CheckPlan plan;
  for (const std::string& path :
       command.paths.empty() ? std::vector<std::string>{"."} : command.paths) {
    Result<std::vector<std::string>> found = list_triggers(path);
    if (!found) return fail(found.error());
    for (std::string& script : *found) {
      if (std::ranges::find(plan.paths, script) == plan.paths.end())
        plan.paths.push_back(std::move(script));
    }
  }
  plan.options.measure = command.coverage || command.coverage_min > 0;
  plan.options.coverage_min = static_cast<unsigned>(command.coverage_min);
  if (!command.no_hunt) plan.options.hunt = HuntOptions{command.seed, command.write_failing};
  if (!command.filter.empty()) {
    // A filter that names triggers chooses those; otherwise it chooses tests.
    std::vector<std::string> chosen;
    for (const std::string& path : plan.paths) {
      if (path.find(command.filter) != std::string::npos) chosen.push_back(path);
    }
    if (chosen.empty()) {
      plan.options.only_tests = command.filter;
      plan.options.hunt.reset();
    } else {
      plan.paths = std::move(chosen);
    }
  }
  return plan;
}

ExitCode check(const CheckCommand& command, const CheckPlan& plan, const Verdict& verdict) {
  const std::unique_ptr<ReportWriter> writer = writer_of(command.format);
  SystemClock clock;
  const Micros begin = clock.monotonic();
  const std::size_t hands =
      command.jobs != 0 ? command.jobs : std::max(1u, std::thread::hardware_concurrency());
  Crew crew(command, plan, *writer, verdict);
  crew.run(std::min(hands, plan.paths.size()));
  if (crew.error()) return stop(ExitCode::internal, crew.error()->message);
  const std::vector<TriggerReport> all = crew.take();
  const bool all_good = std::ranges::all_of(all, &TriggerReport::is_good);
  const bool any_test = std::ranges::any_of(all, [](const auto& each) { return each.tests() > 0; });
  if (!plan.options.only_tests.empty() && !any_test && all_good)
    return stop(ExitCode::usage, no_such_test(plan.options.only_tests, all));
  std::string out;
  writer->end(out, all, clock.monotonic() - begin);
  if (!write_out(out) || !crew.written())
    return stop(ExitCode::internal, fmt::format("cannot write the report: {}", strerror(errno)));
  return all_good ? ExitCode::good : ExitCode::trigger_failed;
}

void report_nothing(const CheckCommand& command) {
  std::string out;
  writer_of(command.format)->end(out, {}, Micros{0});
  write_out(out);
}

ExitCode check(const CheckCommand& command) {
  const Result<CheckPlan> plan = plan_check(command);
  if (!plan) return stop(ExitCode::usage, plan.error().message);
  if (plan->paths.empty()) return stop(ExitCode::usage, no_triggers);
  return check(command, *plan);
}

}  // namespace hastur
