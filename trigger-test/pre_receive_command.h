#pragma once

// trigger-test --pre-receive: a git hook that needs no supervisor. It proves what a push changes,
// in a repository without a work tree, and refuses the push otherwise.

#include <istream>
#include <map>
#include <string>
#include <vector>

#include "trigger-test/check_command.h"
#include "trigger-test/exit_code.h"

namespace hastur {

struct PreReceiveCommand {
  // Only pushes to this branch are looked at; empty: to any.
  std::string branch;
  // How the triggers are checked; its paths are found here.
  CheckCommand check;
};

// Runs where git runs a hook, with git's environment; `input` has git's lines, "OLD NEW REF".
// Deletes pass. The report goes to standard output, which is the pusher's terminal.
ExitCode pre_receive(const PreReceiveCommand& command, std::istream& input);

// The scripts of `after` that `before` does not have like this: another text, another library that
// they require, or anything else that their tests rest on (test_sources). Both: texts by path. By
// path.
std::vector<std::string> changed_scripts(const std::map<std::string, std::string>& before,
                                         const std::map<std::string, std::string>& after);

}  // namespace hastur
