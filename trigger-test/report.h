#pragma once

// What trigger-test found out, as values, and how it is written.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/time.h"
#include "trigger-test/measure.h"

namespace hastur {

// A place in a file; an empty path or line 0: nowhere in particular.
struct FilePlace {
  std::string path;
  std::uint32_t line = 0;

  bool is_known() const { return !path.empty(); }
  // "load.lua:12"
  std::string text() const;
};

struct ReportedFailure {
  // One sentence: what is wrong and, if it is not plain, what to do.
  std::string sentence;
  // Where a test file asked for it, and where the script is at fault.
  FilePlace expected_at;
  FilePlace caused_at;
  // For tools: [{"path":…,"wanted":…,"got":…}], or what a hunt found.
  Json details;
};

// A line of an aligned diff; the columns stand as they are given.
struct DiffLine {
  enum class Mark : std::uint8_t { same, missing, extra, note };
  Mark mark = Mark::same;
  std::string text;
};

// One thing that was looked at: the load, a test, a hunt.
struct CheckReport {
  // "load", "test", "hunt", "coverage"
  std::string kind;
  std::string name;
  FilePlace at;
  std::vector<ReportedFailure> failures;
  // What an author should know; it does not fail the check.
  std::vector<ReportedFailure> notes = {};
  std::vector<DiffLine> diff;
  // Title and lines of each.
  struct Block {
    std::string title;
    std::vector<std::string> lines;
  };
  std::vector<Block> explanations;
  Micros took{0};
};

struct TriggerReport {
  std::string name;
  // Of the script.
  std::string path;
  std::vector<CheckReport> checks;
  // The names of all its tests, also of those that were not asked for.
  std::vector<std::string> all_tests = {};
  // What its tests run of it and what it costs, if that was asked for.
  std::optional<Measured> measured = std::nullopt;
  Micros took{0};
  // There was no time for it.
  bool is_hunt_left_out = false;

  bool is_good() const;
  std::size_t tests() const;
};

class ReportWriter {
 public:
  virtual ~ReportWriter() = default;
  // Appends what stands for one trigger, in order, and at the end what stands for all.
  virtual void begin(std::string& /*out*/) {}
  virtual void trigger(std::string& out, const TriggerReport& report) = 0;
  virtual void end(std::string& out, const std::vector<TriggerReport>& all, Micros took) = 0;
};

// For people; `colour`: for a terminal.
class TextReport final : public ReportWriter {
 public:
  explicit TextReport(bool colour) : colour_(colour) {}
  void trigger(std::string& out, const TriggerReport& report) override;
  void end(std::string& out, const std::vector<TriggerReport>& all, Micros took) override;

  // What failed of one check, with its diff and explanations.
  void check(std::string& out, const CheckReport& check) const;

 private:
  std::string painted(const char* code, const std::string& text) const;

  const bool colour_;
};

// One JSON object for all (docs/testing.md).
class JsonReport final : public ReportWriter {
 public:
  void trigger(std::string& out, const TriggerReport& report) override;
  void end(std::string& out, const std::vector<TriggerReport>& all, Micros took) override;
};

// JUnit's XML, as CI servers read it: a suite a trigger, a case a check. The first failure of a
// case has all that is said of it to people, the others their place.
class JunitReport final : public ReportWriter {
 public:
  void trigger(std::string& out, const TriggerReport& report) override;
  void end(std::string& out, const std::vector<TriggerReport>& all, Micros took) override;
};

}  // namespace hastur
