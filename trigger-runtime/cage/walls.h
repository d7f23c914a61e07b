#pragma once

// The single walls of the cage, in the order in which they go up. Each needs those before it, or
// could not be built any more after the next ones.

#include <sys/types.h>

#include "core/result.h"

namespace hastur {

// Kills this process when the thread that started it ends. To be renewed after a change of user,
// which clears it.
Result<void> die_with_parent(pid_t parent);

// Started by root: become uid and gid 65534 ("nobody" on Debian), which own no file. Otherwise
// nothing to do.
Result<void> become_nobody();

// A network namespace without an interface, and one for System V IPC: as root directly, else inside
// a user namespace of its own, where the kernel lets ordinary users make one. Called before and
// after become_nobody(): the second call does nothing if the first succeeded.
class Namespaces {
 public:
  Result<void> leave();

 private:
  bool left_ = false;
};

Result<void> drop_capabilities();

// No setuid program can give anything back (needed by the next walls), nobody can read this memory.
Result<void> forbid_new_privileges();

// Landlock: no file, no TCP port, no abstract socket, no signal to others, as far as the kernel
// knows them.
Result<void> deny_files();

// No new descriptor, no core file, no process; a bound on address space.
Result<void> limit_resources();

// Closes every descriptor but standard error and `control`.
Result<void> close_descriptors(int control);

// The allow-list of system calls. Anything else, and mapping memory as executable, kills the
// process.
Result<void> filter_system_calls(int control);

}  // namespace hastur
