#include "trigger-test/check_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "trigger-test/check.h"
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

// Checks triggers on several stands at once and hands out the reports in the order of the paths.
class Crew {
 public:
  Crew(const std::vector<std::string>& paths, const CheckOptions& options, ReportWriter& writer)
      : paths_(paths), options_(options), writer_(writer), reports_(paths.size()) {}

  void run(std::size_t hands) {
    // A worker dies with the thread that started it, so each thread has a stand of its own.
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < hands; ++i) threads.emplace_back([this] { work(); });
    work();
  }

  const std::optional<Error>& error() const { return error_; }
  bool written() const { return written_; }
  std::vector<TriggerReport> take() {
    std::vector<TriggerReport> all;
    for (auto& report : reports_) all.push_back(std::move(*report));
    return all;
  }

 private:
  void work() {
    auto stand = Stand::make();
    if (!stand) return stop(stand.error());
    auto elsewhere = Stand::make();
    if (!elsewhere) return stop(elsewhere.error());
    while (true) {
      const std::size_t index = next_++;
      if (index >= paths_.size() || is_over()) return;
      Result<TriggerReport> report =
          check_trigger(**stand, **elsewhere, clock_, paths_[index], options_);
      if (!report) return stop(report.error());
      done(index, std::move(*report));
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
  void done(std::size_t index, TriggerReport report) {
    const std::lock_guard lock(mutex_);
    reports_[index] = std::move(report);
    std::string out;
    for (; told_ < reports_.size() && reports_[told_]; ++told_)
      writer_.trigger(out, *reports_[told_]);
    if (!write_out(out)) written_ = false;
  }

  const std::vector<std::string>& paths_;
  const CheckOptions& options_;
  SystemClock system_clock_;
  SharedClock clock_{system_clock_};
  std::atomic<std::size_t> next_{0};

  // Guards what follows.
  std::mutex mutex_;
  ReportWriter& writer_;
  std::vector<std::optional<TriggerReport>> reports_;
  std::size_t told_ = 0;
  std::optional<Error> error_;
  bool written_ = true;
};

}  // namespace

ExitCode check(const CheckCommand& command) {
  const std::unique_ptr<ReportWriter> writer = writer_of(command.format);
  if (!writer) {
    return stop(ExitCode::usage,
                fmt::format("--format takes text, json or junit, not \"{}\"", command.format));
  }
  std::vector<std::string> paths;
  for (const std::string& path :
       command.paths.empty() ? std::vector<std::string>{"."} : command.paths) {
    Result<std::vector<std::string>> found = list_triggers(path);
    if (!found) return stop(ExitCode::usage, found.error().message);
    paths.insert(paths.end(), found->begin(), found->end());
  }
  if (command.coverage_min > 100) {
    return stop(ExitCode::usage,
                fmt::format("--coverage-min takes a percentage, not {}", command.coverage_min));
  }
  CheckOptions options;
  options.measure = command.coverage || command.coverage_min > 0;
  options.coverage_min = static_cast<unsigned>(command.coverage_min);
  if (!command.no_hunt) options.hunt = HuntOptions{command.seed, command.write_failing};
  if (!command.filter.empty()) {
    // A filter that names triggers chooses those; otherwise it chooses tests.
    std::vector<std::string> chosen;
    for (const std::string& path : paths) {
      if (path.find(command.filter) != std::string::npos) chosen.push_back(path);
    }
    if (chosen.empty()) {
      options.only_tests = command.filter;
    } else {
      paths = std::move(chosen);
    }
  }
  if (paths.empty()) return stop(ExitCode::usage, "there are no triggers here");

  SystemClock clock;
  const Micros begin = clock.monotonic();
  const std::size_t hands =
      command.jobs != 0 ? command.jobs : std::max(1u, std::thread::hardware_concurrency());
  Crew crew(paths, options, *writer);
  crew.run(std::min(hands, paths.size()));
  if (crew.error()) return stop(ExitCode::internal, crew.error()->message);
  const std::vector<TriggerReport> all = crew.take();
  std::string out;
  writer->end(out, all, clock.monotonic() - begin);
  if (!write_out(out) || !crew.written())
    return stop(ExitCode::internal, fmt::format("cannot write the report: {}", strerror(errno)));
  return std::ranges::all_of(all, &TriggerReport::is_good) ? ExitCode::good
                                                           : ExitCode::trigger_failed;
}

}  // namespace hastur
