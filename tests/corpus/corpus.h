#pragma once

// Hostile scripts and the verdict that is due to each.
//
// A file of tests/corpus/scripts is one trigger; files of its lib/ are what they may require. The
// comment lines at its beginning say, a field each:
//
//   -- tries: what it attempts, in words
//   -- verdict: refused | raised | instructions | memory | judgement | killed | harmless
//   -- line: where, of the first error; only where one is due
//   -- text: a part of the first error's text
//   -- script: the file of that line, where it is not the script itself
//   -- state: the state at the end, as canonical JSON
//   -- effects: how many come out in all
//   -- waits: for what is not built yet; it is not run
//   -- header: is no part of the script
//
// Two verdicts with a | between them: either is right. `refused` is at load; `raised` to
// `judgement` are the kinds of CallError; `killed` is a worker that had to be; `harmless` is no
// error at all. They act on the gauges named "hostile".

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "trigger-runtime/protocol/commands.h"

namespace hastur {

struct HostileScript {
  std::string name;
  std::string text;
  std::string tries;
  std::vector<std::string> verdicts;
  std::optional<std::uint32_t> line;
  std::string error;
  std::string script;
  std::optional<std::string> state;
  std::optional<std::uint64_t> effects;
  std::string waits;

  bool is_due(const std::string& verdict) const;
};

// GoogleTest names a case with this.
inline void PrintTo(const HostileScript& script, std::ostream* out) { *out << script.name; }

// Sorted by name. Checks that every file is well-formed.
std::vector<HostileScript> hostile_scripts();
// lib/, as it stands beside them.
std::vector<ScriptFile> hostile_libraries();

// "raised" and so on.
std::string verdict_of(CallError::Kind kind);

}  // namespace hastur
