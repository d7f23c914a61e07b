#include "trigger-runtime/cage/walls.h"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

namespace hastur {
namespace {

constexpr uid_t nobody = 65534;

// A last bound for what the VM's own limits do not see. States of all triggers of a worker are in
// it.
constexpr rlim_t address_space_max = rlim_t{16} << 30;

Failure cannot(const char* what) {
  return fail(ErrorCode::unavailable, fmt::format("{}: {}", what, strerror(errno)));
}

}  // namespace

Result<void> die_with_parent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return cannot("no death with the parent");
  // It may have died before that.
  if (getppid() != parent) _exit(1);
  return {};
}

Result<void> become_nobody() {
  if (geteuid() != 0) return {};
  if (setgroups(0, nullptr) != 0 || setresgid(nobody, nobody, nobody) != 0 ||
      setresuid(nobody, nobody, nobody) != 0) {
    return cannot("no unprivileged user");
  }
  return {};
}

Result<void> Namespaces::leave() {
  if (left_) return {};
  constexpr int spaces = CLONE_NEWNET | CLONE_NEWIPC;
  if (unshare(spaces) != 0 && unshare(CLONE_NEWUSER | spaces) != 0) {
    return cannot("no empty network namespace");
  }
  left_ = true;
  return {};
}

Result<void> drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  if (syscall(SYS_capset, &header, none) != 0) return cannot("capabilities are kept");
  return {};
}

Result<void> forbid_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return cannot("no no_new_privs");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return cannot("memory stays readable for debuggers");
  return {};
}

Result<void> limit_resources() {
  const auto limit = [](__rlimit_resource resource, rlim_t most) {
    const rlimit both{most, most};
    return setrlimit(resource, &both) == 0;
  };
  bool ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_NPROC, 0) && limit(RLIMIT_MEMLOCK, 0) &&
            limit(RLIMIT_MSGQUEUE, 0);
#ifdef HASTUR_SANITIZED
  // Sanitizers reserve terabytes of addresses, and look at memory through a pipe.
  constexpr rlim_t descriptors_max = 16;
#else
  constexpr rlim_t descriptors_max = 0;
  ok = ok && limit(RLIMIT_AS, address_space_max);
#endif
  ok = ok && limit(RLIMIT_NOFILE, descriptors_max);
  if (!ok) return cannot("no resource limits");
  return {};
}

Result<void> close_descriptors(int control) {
  const auto close_between = [](int from, int to) {
    return from > to || close_range(static_cast<unsigned>(from), static_cast<unsigned>(to), 0) == 0;
  };
  const int low = std::min(STDERR_FILENO, control);
  const int high = std::max(STDERR_FILENO, control);
  if (!close_between(0, low - 1) || !close_between(low + 1, high - 1) ||
      !close_between(high + 1, INT_MAX)) {
    return cannot("descriptors stay open");
  }
  return {};
}

}  // namespace hastur
