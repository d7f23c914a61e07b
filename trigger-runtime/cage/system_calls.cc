#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "trigger-runtime/cage/walls.h"

namespace hastur {
namespace {

// What the C++ and Lua runtimes need while triggers run. None takes a path, a descriptor or another
// process.
constexpr int allowed[] = {
    SCMP_SYS(munmap),        SCMP_SYS(mremap),       SCMP_SYS(brk),
    SCMP_SYS(madvise),       SCMP_SYS(futex),        SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(getpid),       SCMP_SYS(gettid),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),   SCMP_SYS(restart_syscall),
};

#ifdef HASTUR_SANITIZED
// What the sanitizers' runtimes need besides: their own stacks and threads, their reports, and
// pipes, through which they see whether memory may be read.
constexpr int allowed_to_sanitizers[] = {
    SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getrusage),   SCMP_SYS(pipe),        SCMP_SYS(pipe2),     SCMP_SYS(read),
    SCMP_SYS(write),       SCMP_SYS(close),
};
// What a report tries and does without: it then has fewer names in it.
constexpr int refused_to_sanitizers[] = {
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),
    SCMP_SYS(ioctl),
    SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),
    SCMP_SYS(sched_getaffinity),
};
#endif

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

class Rules {
 public:
  Rules() : filter_(seccomp_init(SCMP_ACT_KILL_PROCESS), seccomp_release) {}

  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    add(SCMP_ACT_ALLOW, call, conditions...);
  }
  template <class... Conditions>
  void add(std::uint32_t action, int call, Conditions... conditions) {
    if (error_ != 0) return;
    error_ = -seccomp_rule_add(filter_.get(), action, call,
                               static_cast<unsigned>(sizeof...(conditions)), conditions...);
  }
  // 0, or the error of the first step that failed.
  int load() {
    if (!filter_) return ENOMEM;
    if (error_ == 0) error_ = -seccomp_load(filter_.get());
    return error_;
  }

 private:
  Filter filter_;
  int error_ = 0;
};

scmp_arg_cmp argument_is(unsigned index, std::uint64_t value) {
  return {index, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp argument_lacks(unsigned index, std::uint64_t bits) {
  return {index, SCMP_CMP_MASKED_EQ, bits, 0};
}

}  // namespace

Result<void> filter_system_calls(int control) {
  Rules rules;
  for (const int call : allowed) rules.allow(call);
  // No memory is ever executable: with the JIT off nothing needs it.
  rules.allow(SCMP_SYS(mmap), argument_lacks(2, PROT_EXEC));
  rules.allow(SCMP_SYS(mprotect), argument_lacks(2, PROT_EXEC));
  // Only through the one socket, and never with a descriptor attached (that would take sendmsg).
  const auto socket = static_cast<std::uint64_t>(control);
  rules.allow(SCMP_SYS(recvfrom), argument_is(0, socket));
  rules.allow(SCMP_SYS(sendto), argument_is(0, socket), argument_is(4, 0));
  rules.allow(SCMP_SYS(writev), argument_is(0, STDERR_FILENO));
  // abort() signals the process itself.
  rules.allow(SCMP_SYS(tgkill), argument_is(0, static_cast<std::uint64_t>(getpid())));
#ifdef HASTUR_SANITIZED
  for (const int call : allowed_to_sanitizers) rules.allow(call);
  for (const int call : refused_to_sanitizers) rules.add(SCMP_ACT_ERRNO(EPERM), call);
#else
  rules.allow(SCMP_SYS(write), argument_is(0, STDERR_FILENO));
#endif
  if (const int error = rules.load(); error != 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("no filter of system calls: {}", strerror(error)));
  }
  return {};
}

}  // namespace hastur
