#include "trigger-runtime/host/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>

#include "core/clock.h"
#include "core/fd.h"
#include "trigger-runtime/protocol/descriptors.h"

namespace hastur {
namespace {

// libm picks variants of exp, pow, sin … that use fused multiply-add where the CPU has it, and
// those differ in the last bit. Without FMA and FMA4 every x86-64 CPU takes the same ones
// (glibc 2.36, sysdeps/x86_64/fpu/multiarch).
constexpr const char* libm_of_every_cpu = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4";

// A gsub callback that calls gsub takes 200 C calls with large frames: 8 MB overflow, 64 MB give
// Lua's own error.
constexpr rlim_t stack_bytes = 64u << 20;

struct Plan {
  const char* binary;
  ChildProcess::Handed handed;
  int null;
  pid_t parent;
  sigset_t blocked;
  // Written by the child, whose memory is ours until it has exec'd.
  volatile int error = 0;
};

// Runs between vfork and exec, on our memory: system calls only.
[[gnu::noinline]] void become_worker(Plan& plan) {
  const auto stop = [&plan] {
    plan.error = errno;
    _exit(127);
  };
  const rlimit stack{stack_bytes, stack_bytes};
  if (setrlimit(RLIMIT_STACK, &stack) != 0) stop();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) stop();
  if (getppid() != plan.parent) _exit(127);

  // First out of the way of the final numbers, which ours may happen to have.
  constexpr int targets = 6;
  static_assert(control_descriptor == 3 && inputs_descriptor == 4 && output_descriptor == 5);
  const int sources[targets] = {plan.null,           plan.null,          plan.handed.last_words,
                                plan.handed.control, plan.handed.inputs, plan.handed.output};
  int moved[targets];
  for (int i = 0; i < targets; ++i) {
    moved[i] = fcntl(sources[i], F_DUPFD, targets);
    if (moved[i] < 0) stop();
  }
  for (int i = 0; i < targets; ++i) {
    if (dup2(moved[i], i) < 0) stop();
  }
  if (close_range(targets, UINT_MAX, 0) != 0) stop();

  char* const arguments[] = {const_cast<char*>("trigger-worker"), nullptr};
  char* const environment[] = {const_cast<char*>(libm_of_every_cpu), const_cast<char*>("LC_ALL=C"),
                               nullptr};
  if (sigprocmask(SIG_SETMASK, &plan.blocked, nullptr) != 0) stop();
  execve(plan.binary, arguments, environment);
  stop();
}

// Signals that a fault of the worker's own raises.
constexpr std::array own_faults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

// Those stay unblocked; everything else is the parent's to deal with.
sigset_t blocked_in_worker() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : own_faults) sigdelset(&set, fault);
  return set;
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const std::string& binary, const Handed& handed) {
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.is_open()) {
    return fail(ErrorCode::failed, fmt::format("cannot open /dev/null: {}", strerror(errno)));
  }
  Plan plan{binary.c_str(), handed, null.get(), getpid(), blocked_in_worker()};

  // No handler of ours may run in the child while it uses our memory.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = vfork();
  if (pid == 0) become_worker(plan);
  const int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (pid < 0) {
    return fail(ErrorCode::failed,
                fmt::format("cannot start {}: {}", binary, strerror(fork_error)));
  }
  ChildProcess child(pid);
  if (plan.error != 0) {
    return fail(ErrorCode::not_found,
                fmt::format("cannot start {}: {}", binary, strerror(plan.error)));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  kill();
  static_cast<void>(reap());
}

void ChildProcess::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

ChildProcess::End ChildProcess::reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return {"ended in a way that cannot be told", false};
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return {fmt::format("killed by signal {} ({})", signal, strsignal(signal)),
            std::ranges::find(own_faults, signal) != own_faults.end()};
  }
  return {fmt::format("ended with status {}", WEXITSTATUS(status)), WEXITSTATUS(status) != 0};
}

std::optional<Micros> ChildProcess::cpu() const {
  return pid_ > 0 ? cpu_time_of(pid_) : std::nullopt;
}

Result<std::string> worker_binary_beside_us() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) {
    return fail(ErrorCode::failed,
                fmt::format("cannot tell where this program lies: {}", strerror(errno)));
  }
  const std::string_view ours(path.data(), static_cast<std::size_t>(length));
  return std::string(ours.substr(0, ours.rfind('/') + 1)) + "trigger-worker";
}

}  // namespace hastur
