#include "trigger-test/check.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/json.h"
#include "trigger-runtime/protocol/required_modules.h"
#include "trigger-test/hunt.h"
#include "trigger-test/hunt_missing.h"
#include "trigger-test/script_words.h"
#include "trigger-test/source_places.h"
#include "trigger-test/test_file.h"
#include "trigger-test/test_run.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

// What to write in place of a `require` that found nothing though the library is there, or nothing.
std::string remedy_of(const std::string& script, const ScriptError& error) {
  constexpr std::string_view begin = "there is no library '";
  const std::size_t end = error.text.find('\'', begin.size());
  if (!error.text.starts_with(begin) || end == std::string::npos) return {};
  const std::string module = error.text.substr(begin.size(), end - begin.size());
  const std::string file = module_path(module);
  const std::optional<std::string> root = root_of(script);
  std::error_code ignored;
  if (!root || !module.starts_with("lib.") || !fs::exists(fs::path(*root) / file, ignored))
    return {};
  return fmt::format(
      "; {} is there, but what a script requires is found by reading it: write require \"{}\", "
      "with "
      "the name itself between the quotes",
      file, module);
}

class Checker {
 public:
  Checker(Stand& stand, Stand& elsewhere, Clock& clock, const CheckOptions& options,
          TriggerReport& report)
      : stand_(stand), elsewhere_(elsewhere), clock_(clock), options_(options), report_(report) {}

  Result<void> run(const TriggerFiles& trigger) {
    const Result<bool> loads = check_load(trigger);
    if (!loads) return fail(loads.error());
    if (!*loads) return {};
    const std::string base = fs::path(trigger.path).replace_extension().string();
    for (const char* ending : {".test.lua", ".test.json"}) {
      std::error_code ignored;
      if (fs::exists(base + ending, ignored)) HASTUR_TRY(check_file(trigger, base + ending));
    }
    if (options_.coverage_min > 0) check_coverage(trigger);
    return options_.hunt ? check_hunt(trigger) : Result<void>();
  }

 private:
  Result<bool> check_load(const TriggerFiles& trigger) {
    CheckReport check{"load", "loads", {trigger.path, 0}, {}, {}, {}, {}, {}};
    tell("the load");
    const Micros begin = clock_.monotonic();
    const Result<Outcome> outcome = stand_.run(trigger, {});
    if (!outcome) return fail(outcome.error());
    if (outcome->load_error) {
      const ScriptError& error = *outcome->load_error;
      std::string remedy = remedy_of(trigger.path, error);
      if (const std::string missing =
              remedy_of_missing(error.text, source_line(trigger, error.script, error.line));
          remedy.empty() && !missing.empty())
        remedy = ": " + missing;
      check.failures.push_back({"it does not load: " + error.text + remedy,
                                {},
                                {trigger.shown(error.script), error.line},
                                {}});
    } else if (outcome->killed) {
      check.failures.push_back(
          {"it does not load: " + *outcome->killed, {}, {trigger.path, 0}, {}});
    }
    check.took = clock_.monotonic() - begin;
    const bool good = check.failures.empty();
    report_.checks.push_back(std::move(check));
    return good;
  }

  Result<void> check_file(const TriggerFiles& trigger, const std::string& path) {
    TestFile file;
    file.path = path;
    Result<std::optional<TestFileError>> error = read(path, file);
    if (!error) return fail(error.error());
    if (*error) {
      CheckReport check{"test", "is a test file", {path, (*error)->line}, {}, {}, {}, {}, {}};
      check.failures.push_back({(*error)->text, {path, (*error)->line}, {}, {}});
      report_.checks.push_back(std::move(check));
      return {};
    }
    tests_.insert(tests_.end(), file.cases.begin(), file.cases.end());
    for (const TestCase& test : file.cases) {
      report_.all_tests.push_back(test.name);
      if (test.name.find(options_.only_tests) == std::string::npos) continue;
      tell(fmt::format("the test '{}' at {}:{}", test.name, path, test.line));
      const Micros begin = clock_.monotonic();
      Result<CheckReport> check =
          run_test(stand_, trigger, test, path, report_.measured ? &*report_.measured : nullptr);
      if (!check) return fail(check.error());
      check->took = clock_.monotonic() - begin;
      report_.checks.push_back(std::move(*check));
    }
    return {};
  }

  void check_coverage(const TriggerFiles& trigger) {
    CheckReport check;
    check.kind = "coverage";
    check.name = "its tests run enough of it";
    check.at = {trigger.path, 0};
    const Measured& measured = *report_.measured;
    if (report_.tests() == 0) {
      check.failures.push_back({fmt::format("it has no tests, so none of its lines are known to "
                                            "work, wanted {} %",
                                            options_.coverage_min),
                                {},
                                {trigger.path, 0},
                                {}});
    } else if (measured.percent() < options_.coverage_min) {
      check.failures.push_back(
          {fmt::format("its tests run {} % of its lines, wanted {} %: never {}", measured.percent(),
                       options_.coverage_min, measured.missed_words()),
           {},
           {trigger.path, 0},
           {}});
    }
    report_.checks.push_back(std::move(check));
  }

  Result<void> check_hunt(const TriggerFiles& trigger) {
    if (options_.hunts_until && clock_.monotonic() >= *options_.hunts_until) {
      report_.is_hunt_left_out = true;
      return {};
    }
    tell("the hunt");
    const Micros begin = clock_.monotonic();
    Result<CheckReport> check = hunt(stand_, elsewhere_, trigger, tests_,
                                     fs::path(trigger.path).parent_path().string(), *options_.hunt);
    if (!check) return fail(check.error());
    check->took = clock_.monotonic() - begin;
    report_.checks.push_back(std::move(*check));
    return {};
  }

  Result<std::optional<TestFileError>> read(const std::string& path, TestFile& file) {
    using Answer = std::optional<TestFileError>;
    const Result<std::string> text = read_script_file(path);
    if (!text) return Answer(TestFileError{text.error().message, 0});
    if (path.ends_with(".json")) {
      const Result<Json> data = parse_json(*text);
      if (!data) return Answer(TestFileError{data.error().message, 0});
      return read_test_file(*data, SourcePlaces::of_json(*text), file);
    }
    tell(path);
    const auto libraries = libraries_of(path, *text);
    if (!libraries) return Answer(TestFileError{libraries.error().message, 0});
    auto data = stand_.evaluate({path, *text}, *libraries);
    if (!data) return fail(data.error());
    if (const auto* error = std::get_if<ScriptError>(&*data))
      return Answer(TestFileError{error->text + remedy_of(path, *error), error->line});
    return read_test_file(std::get<Json>(*data), SourcePlaces::of_lua(*text), file);
  }

  void tell(const std::string& what) const {
    if (options_.begins) options_.begins(what);
  }

  Stand& stand_;
  Stand& elsewhere_;
  Clock& clock_;
  const CheckOptions& options_;
  TriggerReport& report_;
  // Of all test files that could be read.
  std::vector<TestCase> tests_;
};

}  // namespace

Result<TriggerReport> check_trigger(Stand& stand, Stand& elsewhere, Clock& clock,
                                    const std::string& path, const CheckOptions& options) {
  TriggerReport report;
  report.path = path;
  report.name = path;
  const Micros begin = clock.monotonic();
  const Result<TriggerFiles> trigger = find_trigger_files(path);
  if (!trigger) {
    CheckReport check{"load", "is a trigger", {path, 0}, {}, {}, {}, {}, {}};
    std::string sentence = trigger.error().message;
    const std::string base = fs::path(path).replace_extension().string();
    for (const char* ending : {".test.lua", ".test.json"}) {
      std::error_code ignored;
      if (!fs::exists(path, ignored) && fs::exists(base + ending, ignored))
        sentence = fmt::format("{}{} tests a trigger that is not there: {}", base, ending, path);
    }
    check.failures.push_back({std::move(sentence), {}, {}, {}});
    report.checks.push_back(std::move(check));
    return report;
  }
  report.name = trigger->name;
  if (options.measure) report.measured.emplace();
  HASTUR_TRY(Checker(stand, elsewhere, clock, options, report).run(*trigger));
  report.took = clock.monotonic() - begin;
  return report;
}

}  // namespace hastur
