#pragma once

// hastur hook: what git runs in a repository of triggers when somebody pushes. All that is written
// goes to the pusher's terminal.

#include <istream>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/json.h"
#include "core/loop.h"
#include "supervisor/cli/http_client.h"
#include "supervisor/cli/patience.h"

namespace hastur {

struct HookOptions {
  // "pre-receive" or "post-receive"
  std::string kind;
  // The one that is gated; pushes to others pass.
  std::string branch = "main";
  std::string token_file = {};
  // Runs the tests where no supervisor can be asked.
  std::string trigger_test = {};
  // With a supervisor that takes what is asked and does nothing.
  Patience patience = {};
};

// Runs in the repository, with git's environment; `input` has the lines. The exit code is the
// hook's: 0 lets the push pass. Without a supervisor pre-receive ends by becoming trigger-test.
int hook_command(HttpClient& http, const HookOptions& options, std::istream& input, Loop& loop,
                 Clock& clock);

// "live at 2026-11-21T16:00:00Z, sequence 12345 (d-12)" and its like: how a deployment stands that
// came of `commit`.
std::string live_line(const Json& deployment, std::string_view commit);

}  // namespace hastur
