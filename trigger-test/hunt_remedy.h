#pragma once

// What an author must do about what a hunt found.

#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "trigger-runtime/protocol/commands.h"
#include "trigger-test/script_words.h"

namespace hastur {

// The call that failed.
struct FailedCall {
  // At which it happened, and the filter that took it; null if there is none.
  Json message;
  Json filter;
  // Of the script or a library, that failed or wrote what is wrong; empty if it is not known.
  std::string_view line;
  // The lines that ran in it, in order; `place` for people, "lib/q.lua:11".
  struct Ran {
    std::string place;
    std::string_view line;
  };
  std::vector<Ran> ran;
};

// A sentence part that follows a colon.
std::string remedy_of(const CallError& error, const FailedCall& call, const ScriptWords& words,
                      const TriggerFiles& trigger);

// "a gauge \"system.load\" without the label 'mount'": a message in the words that matter to an
// error.
std::string described(const Json& message);

// What an error has in common with others that are the same fault: place and text; of a state that
// is no JSON its first key.
std::string kind_of(const CallError& error);
// The same as a word for tools: "error", "instructions", "memory", "state".
std::string_view found_by(CallError::Kind kind);

}  // namespace hastur
