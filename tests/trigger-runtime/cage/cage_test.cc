#include "trigger-runtime/cage/cage.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "core/fd.h"
#include "trigger-runtime/cage/walls.h"

namespace hastur {
namespace {

#ifdef HASTUR_SANITIZED
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// Who starts the process: whoever runs the tests, or an ordinary user.
enum class Starter { as_we_are, ordinary };
constexpr uid_t ordinary_user = 65534;

// The starter of the test that runs.
Starter starter = Starter::as_we_are;

void become_starter() {
  if (starter == Starter::as_we_are || geteuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setresgid(ordinary_user, ordinary_user, ordinary_user) != 0 ||
      setresuid(ordinary_user, ordinary_user, ordinary_user) != 0) {
    _exit(9);
  }
}

// How a child process that did `act` ended. It ends with status 7 if it came through.
int status_of(const std::function<void()>& act) {
  const pid_t child = fork();
  if (child == 0) {
    become_starter();
    act();
    _exit(7);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

bool came_through(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 7; }
bool killed_by(int status, int signal) { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }

constexpr int not_refused = 3;

// Runs `attempt` in the cage, which must kill for it. (In sanitizer builds a few calls only fail;
// `attempt` then returns a negative number.)
void expect_refused(const std::function<long()>& attempt) {
  const int status = status_of([&] {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) _exit(4);
    enter_cage({ends[1]});
    if (attempt() >= 0) _exit(not_refused);
    _exit(sanitized ? 0 : not_refused);
  });
  EXPECT_TRUE(killed_by(status, SIGSYS) ||
              (sanitized && WIFEXITED(status) && WEXITSTATUS(status) == 0))
      << "status " << status;
}

// Runs `attempt` behind every wall but the filter of system calls.
void expect_refused_without_filter(const std::function<long()>& attempt) {
  const int status = status_of([&] {
    const pid_t parent = getppid();
    Namespaces namespaces;
    static_cast<void>(namespaces.leave());
    static_cast<void>(become_nobody());
    static_cast<void>(drop_capabilities());
    static_cast<void>(die_with_parent(parent));
    static_cast<void>(forbid_new_privileges());
    static_cast<void>(deny_files());
    static_cast<void>(close_descriptors(STDERR_FILENO));
    static_cast<void>(limit_resources());
    _exit(attempt() >= 0 ? not_refused : 0);
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

long connect_to(int socket) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

long execute() {
  char* const arguments[] = {const_cast<char*>("true"), nullptr};
  return execve("/bin/true", arguments, arguments + 1);
}

class Cage : public ::testing::TestWithParam<Starter> {
 protected:
  void SetUp() override { starter = GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(Starters, Cage, ::testing::Values(Starter::as_we_are, Starter::ordinary),
                         [](const auto& by) {
                           return by.param == Starter::ordinary ? "OrdinaryUser" : "AsWeAre";
                         });

TEST_P(Cage, IsCompleteOnThisMachineOrSaysWhatIsMissing) {
  int report_pipe[2];
  ASSERT_EQ(pipe(report_pipe), 0);
  const int status = status_of([&] {
    const CageReport report = enter_cage({report_pipe[1]});
    for (const std::string& missing : report.missing)
      dprintf(STDERR_FILENO, "%s\n", missing.c_str());
    _exit(report.missing.empty() ? 7 : 8);
  });
  close(report_pipe[0]);
  close(report_pipe[1]);
  // Status 8 would be a kernel without one of the walls; a signal a cage that cannot be lived in.
  EXPECT_TRUE(came_through(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 8))
      << "status " << status;
}

TEST_P(Cage, LetsTalkThroughTheSocketAllocateAndAbort) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  const Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  ASSERT_EQ(send(ours.get(), "hi", 2, 0), 2);
  const int status = status_of([&] {
    enter_cage({theirs.get()});
    char text[2];
    if (recv(theirs.get(), text, 2, 0) != 2) _exit(1);
    std::string large(10u << 20, 'x');
    if (send(theirs.get(), large.data(), 2, 0) != 2) _exit(1);
  });
  EXPECT_TRUE(came_through(status)) << "status " << status;
  char text[2];
  EXPECT_EQ(recv(ours.get(), text, 2, MSG_DONTWAIT), 2);
  EXPECT_TRUE(killed_by(status_of([&] {
                          enter_cage({theirs.get()});
                          abort();
                        }),
                        SIGABRT));
}

TEST_P(Cage, RefusesToOpenFiles) {
  expect_refused([] { return open("/etc/passwd", O_RDONLY); });
  expect_refused([] { return syscall(SYS_open, "/tmp/x", O_CREAT | O_RDWR, 0600); });
  expect_refused([] { return syscall(SYS_creat, "/tmp/x", 0600); });
  expect_refused([] { return unlink("/tmp/x"); });
  expect_refused([] { return rename("/tmp/x", "/tmp/y"); });
  expect_refused([] { return mkdir("/tmp/x", 0700); });
  expect_refused([] { return chmod("/tmp/x", 0777); });
  expect_refused([] { return syscall(SYS_open_by_handle_at, 3, nullptr, 0); });
  expect_refused([] { return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0); });
  expect_refused_without_filter([] { return open("/etc/passwd", O_RDONLY); });
}

TEST_P(Cage, RefusesSockets) {
  expect_refused([] { return socket(AF_INET, SOCK_STREAM, 0); });
  expect_refused([] { return connect_to(3); });
  expect_refused([] {
    int ends[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  });
  // Sanitizers keep a few descriptors to themselves; then the empty namespace is the wall.
  expect_refused_without_filter([] { return connect_to(socket(AF_INET, SOCK_STREAM, 0)); });
}

TEST_P(Cage, RefusesToSendElsewhereOrWithDescriptors) {
  expect_refused([] { return send(STDERR_FILENO, "x", 1, 0); });
  expect_refused([] {
    msghdr message{};
    return sendmsg(3, &message, 0);
  });
  expect_refused([] { return syscall(SYS_sendmmsg, 3, nullptr, 0, 0); });
  // Nor does it take any.
  expect_refused([] {
    msghdr message{};
    return recvmsg(3, &message, 0);
  });
}

TEST_P(Cage, RefusesNewProcesses) {
  expect_refused([] { return execute(); });
  expect_refused([] { return syscall(SYS_fork); });
  expect_refused([] { return syscall(SYS_vfork); });
  expect_refused([] { return syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); });
  expect_refused([] { return syscall(SYS_clone3, nullptr, 0); });
  expect_refused([] { return syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0); });
  expect_refused_without_filter([] { return execute(); });
}

TEST_P(Cage, RefusesToTouchOtherProcesses) {
  expect_refused([] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); });
  expect_refused([] { return kill(getppid(), 0); });
  expect_refused([] { return kill(getpid(), 0); });
  expect_refused([] { return syscall(SYS_tgkill, getppid(), getppid(), 0); });
  expect_refused([] { return ptrace(PTRACE_ATTACH, getppid(), nullptr, nullptr); });
  expect_refused([] { return kill(-1, 0); });
  expect_refused([] { return syscall(SYS_tkill, getppid(), 0); });
  expect_refused([] { return syscall(SYS_rt_sigqueueinfo, getppid(), 0, nullptr); });
  expect_refused([] { return syscall(SYS_pidfd_open, getppid(), 0); });
  expect_refused([] { return syscall(SYS_pidfd_getfd, 3, 0, 0); });
  expect_refused(
      [] { return syscall(SYS_process_vm_writev, getppid(), nullptr, 0, nullptr, 0, 0); });
  expect_refused([] { return syscall(SYS_kcmp, getpid(), getppid(), 0, 0, 0); });
  expect_refused([] { return syscall(SYS_prlimit64, getppid(), RLIMIT_CPU, nullptr, nullptr); });
  const auto read_parent = [] {
    char byte = 0;
    iovec local{&byte, 1};
    iovec remote{&byte, 1};
    return process_vm_readv(getppid(), &local, 1, &remote, 1, 0);
  };
  expect_refused(read_parent);
  expect_refused_without_filter(read_parent);
  // Landlock keeps signals from processes of the same user only on newer kernels.
  if (geteuid() == 0) expect_refused_without_filter([] { return kill(getppid(), 0); });
}

TEST_P(Cage, RefusesExecutableMemory) {
  const auto map = [](int protection) {
    return mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  };
  expect_refused([&] { return map(PROT_READ | PROT_EXEC) == MAP_FAILED ? -1 : 0; });
  expect_refused(
      [&] { return mprotect(map(PROT_READ | PROT_WRITE), 4096, PROT_READ | PROT_EXEC); });
  // Not through writable memory, or a mapping that grows, either.
  expect_refused([&] { return map(PROT_READ | PROT_WRITE | PROT_EXEC) == MAP_FAILED ? -1 : 0; });
  expect_refused(
      [&] { return mprotect(map(PROT_NONE), 4096, PROT_READ | PROT_EXEC | PROT_GROWSDOWN); });
  expect_refused([] { return syscall(SYS_remap_file_pages, nullptr, 4096, 0, 0, 0); });
  expect_refused(
      [&] { return syscall(SYS_pkey_mprotect, map(PROT_READ), 4096, PROT_READ | PROT_EXEC, -1); });
}

TEST_P(Cage, RefusesTheRestOfTheKernel) {
  expect_refused([] {
    io_uring_params parameters{};
    return syscall(SYS_io_uring_setup, 1, &parameters);
  });
  expect_refused([] { return syscall(SYS_io_uring_enter, 3, 1, 0, 0, nullptr, 0); });
  expect_refused([] { return syscall(SYS_bpf, 0, nullptr, 0); });
  expect_refused([] { return syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); });
  expect_refused([] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0); });
  expect_refused([] { return syscall(SYS_add_key, "user", "x", "x", 1, 0); });
  expect_refused([] { return syscall(SYS_init_module, nullptr, 0, ""); });
  expect_refused([] { return syscall(SYS_eventfd2, 0, 0); });
  expect_refused([] { return syscall(SYS_timerfd_create, 0, 0); });
  expect_refused([] { return syscall(SYS_inotify_init1, 0); });
  expect_refused([] { return syscall(SYS_splice, 3, nullptr, 4, nullptr, 1, 0); });
  expect_refused([] { return syscall(SYS_landlock_create_ruleset, nullptr, 0, 1); });
  expect_refused([] { return syscall(SYS_shmat, 0, nullptr, 0); });
  expect_refused([] { return syscall(SYS_msgget, 1, 0); });
  expect_refused([] { return syscall(SYS_clock_settime, 0, nullptr); });
  expect_refused([] { return syscall(SYS_reboot, 0, 0, 0, nullptr); });
  expect_refused([] { return syscall(SYS_userfaultfd, 0); });
  expect_refused([] { return syscall(SYS_memfd_create, "x", 0); });
  expect_refused([] { return syscall(SYS_unshare, 0); });
  expect_refused([] { return syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr); });
  expect_refused([] { return syscall(SYS_shmget, 1, 4096, 0); });
  expect_refused([] { return syscall(SYS_fcntl, 3, F_DUPFD, 5); });
  expect_refused([] { return syscall(SYS_dup, 3); });
}

TEST_P(Cage, RefusesToChangeWhatItIs) {
  expect_refused([] { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); });
  expect_refused([] { return prctl(PR_SET_PDEATHSIG, 0); });
  expect_refused([] { return prctl(PR_SET_SECCOMP, 0, nullptr); });
  expect_refused([] { return syscall(SYS_seccomp, 0, 0, nullptr); });
  expect_refused([] { return syscall(SYS_arch_prctl, 0x1002, 0); });
  expect_refused([] { return syscall(SYS_personality, 0); });
  expect_refused([] { return syscall(SYS_modify_ldt, 0, nullptr, 0); });
  expect_refused([] { return setuid(0); });
  expect_refused([] { return setgid(0); });
  expect_refused([] { return syscall(SYS_capset, nullptr, nullptr); });
  expect_refused([] { return chroot("/"); });
  expect_refused([] { return chdir("/"); });
  expect_refused([] { return syscall(SYS_setns, 3, 0); });
  expect_refused([] { return syscall(SYS_sched_setaffinity, 0, 0, nullptr); });
  expect_refused([] { return syscall(SYS_setpriority, PRIO_PROCESS, 0, -20); });
  expect_refused_without_filter([] { return setuid(0); });
  // What was given up does not come back.
  expect_refused_without_filter([] {
    const rlimit more{64, 64};
    return setrlimit(RLIMIT_NOFILE, &more);
  });
}

TEST_P(Cage, KeepsOnlyTheSocketAndStandardErrorOpen) {
  const int status = status_of([] {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) _exit(1);
    if (!close_descriptors(ends[1])) _exit(2);
    for (int i = 0; i < 100; ++i) {
      const bool open = fcntl(i, F_GETFD) >= 0;
      if (open != (i == STDERR_FILENO || i == ends[1])) _exit(3);
    }
  });
  EXPECT_TRUE(came_through(status)) << "status " << status;
}

TEST_P(Cage, IsAnUnprivilegedUserWithoutCapabilities) {
  const int status = status_of([] {
    if (!become_nobody() || !drop_capabilities()) _exit(1);
    if (geteuid() == 0 || getuid() == 0) _exit(2);
    if (setuid(0) == 0) _exit(3);
  });
  EXPECT_TRUE(came_through(status)) << "status " << status;
}

}  // namespace
}  // namespace hastur
