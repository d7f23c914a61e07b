#pragma once

// The lines of a callback that ran, each with what it saw.

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "message/message.h"
#include "trigger-test/calls.h"
#include "trigger-test/script_lines.h"

namespace hastur {

// The state of a call, as it was before each of its lines.
class StateAtLines {
 public:
  // `lines` outlives it.
  StateAtLines(const ObservedCall& call, const ScriptLines& lines);
  // Steps in their order.
  void advance(const CallStep& step);
  // Keys of the state that a line reads, by the names that it has for them, and their values as
  // JSON.
  std::vector<std::pair<std::string, std::string>> mentioned(const std::string& source) const;

 private:
  const ScriptLines& lines_;
  Json state_;
  // Keys whose values were too large to be told.
  std::set<std::string, std::less<>> unknown_;
};

// A line that ran, with what it saw.
struct RanLine {
  std::string script;
  std::uint32_t line = 0;
  std::string source;
  // What the source mentions, as it was before the line ran: locals, fields of the message, keys of
  // the state. Values are JSON or a word ("a function").
  std::vector<std::pair<std::string, std::string>> values;
  // Locals with values there that are texts, whether the source mentions them or not.
  std::vector<std::pair<std::string, std::string>> texts;
  // What it said to alerts, and how many effects it caused.
  std::vector<CallStep::Said> said;
  std::uint32_t effects = 0;
};

// `message` is the input's.
std::vector<RanLine> ran_lines(const ObservedCall& call, const MessageView& message,
                               const ScriptLines& lines);

}  // namespace hastur
