#pragma once

// Why what says which triggers run, a folder or a branch, cannot be followed now. What runs goes on
// running meanwhile.

#include <string>

#include "core/time.h"

namespace hastur {

struct SourceTrouble {
  // A sentence for whoever is to put it right.
  std::string text;
  Time since{};
};

}  // namespace hastur
