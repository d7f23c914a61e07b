#pragma once

// A trigger's source, line by line, for those who tell what ran.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trigger-test/calls.h"
#include "trigger-test/local_scopes.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

class ScriptLines {
 public:
  explicit ScriptLines(const TriggerFiles& trigger);
  // Without the white space around it; empty for a place that there is not.
  std::string at(const std::string& script, std::uint32_t line) const;
  std::string at(const CallStep& step) const { return at(step.script, step.line); }
  // Whether a local of this name has a value before that line (LocalScopes).
  bool has_local(const CallStep& step, std::string_view name) const;
  // What stands for ctx.state in the script: "ctx.state", "ctx", locals that are made from it.
  const std::vector<std::string>& state_names() const { return state_names_; }

 private:
  std::map<std::string, std::vector<std::string>> sources_;
  std::map<std::string, LocalScopes> scopes_;
  std::vector<std::string> state_names_;
};

// The paths that follow "NAME." in a source, as far as they are not called: of msg "value",
// "labels.status".
std::vector<std::string> fields_of(const std::string& source, const std::string& name);

// Whether a name stands in the source of a line as a word of its own.
bool mentions(std::string_view source, std::string_view name);

}  // namespace hastur
