#pragma once

// trigger-test new: a trigger and its test file to begin with.

#include <string>

#include "trigger-test/exit_code.h"

namespace hastur {

struct NewCommand {
  // The trigger's path, "billing/load" or "billing/load.lua".
  std::string path;
  // Of a template.
  std::string like = "threshold";
};

// Writes both files or none; overwrites nothing.
ExitCode make_new(const NewCommand& command);

}  // namespace hastur
