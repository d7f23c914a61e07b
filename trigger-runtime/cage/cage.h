#pragma once

// Takes from the calling process, for good, whatever a trigger-worker does not need (DESIGN §8).
//
// Several walls stand one behind the other: an unprivileged user, an empty network namespace, no
// capabilities, Landlock without a single rule, limits of zero, no descriptors, and an allow-list
// of system calls that kills on the first other one. Where the kernel does not grant one of them
// the rest still stand, and the report says so.

#include <string>
#include <vector>

namespace hastur {

struct CageOptions {
  // The one socket that the process talks through. It and standard error are all that stay open.
  int control = -1;
};

struct CageReport {
  // What could not be had, a sentence each; empty if the cage is complete.
  std::vector<std::string> missing;
};

// Called once, while the process has one thread. The parent's death kills the process from now on.
CageReport enter_cage(const CageOptions& options);

}  // namespace hastur
