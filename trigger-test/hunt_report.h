#pragma once

// What a hunt has found, as it is told: findings and notes in order, and the smallest cases that
// show them as the text of a test file.

#include <set>
#include <string>
#include <vector>

#include "trigger-test/hunt.h"
#include "trigger-test/report.h"
#include "trigger-test/test_file.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

class HuntReport {
 public:
  // Both outlive it.
  HuntReport(const TriggerFiles& trigger, const HuntOptions& options);

  // False if it was asked before with the same key: a fault is told once.
  bool is_new(const std::string& key) { return seen_.insert(key).second; }

  // `title` names the smallest case.
  void add(ReportedFailure finding, const std::string& title = "",
           const TestCase* smallest_case = nullptr);
  // What is no failure. `found`: a word for tools.
  void note(std::string sentence, FilePlace place, const char* found);

  std::size_t findings() const { return report_.failures.size(); }
  const TriggerFiles& trigger() const { return trigger_; }

  // All of it, with the smallest cases if there are any. Last of all.
  CheckReport finish();

 private:
  void offer();
  Result<std::string> written(const std::string& text) const;

  const TriggerFiles& trigger_;
  const HuntOptions& options_;
  std::set<std::string> seen_;
  std::vector<std::string> offered_;
  CheckReport report_;
};

}  // namespace hastur
