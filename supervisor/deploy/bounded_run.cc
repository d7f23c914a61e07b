#include "supervisor/deploy/bounded_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace hastur {

Result<std::unique_ptr<BoundedRun>> BoundedRun::start(Loop& loop, const Request& request,
                                                      std::function<void(Ended)> ended) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, request.input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, request.output.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&files, request.folder.c_str());
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  for (const std::string& word : request.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::string language = "LANG=C.UTF-8", no_prompt = "GIT_TERMINAL_PROMPT=0";
  char* environment[] = {path.data(), language.data(), no_prompt.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, request.command.front().c_str(), &files, &attributes,
                                argv.data(), environment);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return fail(ErrorCode::failed, fmt::format("{} cannot be started: {}", request.command.front(),
                                               std::generic_category().message(error)));
  }
  const rlimit bytes{request.output_bytes_max, request.output_bytes_max};
  prlimit(pid, RLIMIT_FSIZE, &bytes, nullptr);
  return std::unique_ptr<BoundedRun>(new BoundedRun(loop, pid, request.time_max, std::move(ended)));
}

BoundedRun::BoundedRun(Loop& loop, pid_t pid, Micros time_max, std::function<void(Ended)> ended)
    : loop_(loop),
      pid_(pid),
      time_max_(time_max),
      ended_(std::move(ended)),
      process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {
  watch_ = loop_.watch_readable(process_.get(), [this] { look(); });
  limit_ = loop_.after(time_max_, [this] { out_of_time(); });
}

BoundedRun::~BoundedRun() {
  if (pid_ == 0) return;
  kill(-pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void BoundedRun::look() {
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return;
  // What it started may still run.
  kill(-std::exchange(pid_, 0), SIGKILL);
  if (WIFEXITED(status))
    return end({WEXITSTATUS(status), false, fmt::format("exit code {}", WEXITSTATUS(status))});
  end({std::nullopt, false, fmt::format("signal {}", WTERMSIG(status))});
}

void BoundedRun::out_of_time() {
  kill(-pid_, SIGKILL);
  waitpid(std::exchange(pid_, 0), nullptr, 0);
  end({std::nullopt, true, fmt::format("it did not end in {}", format_span(time_max_))});
}

// The call may end this object: nothing of it is touched after.
void BoundedRun::end(Ended how) {
  watch_.reset();
  limit_.reset();
  const auto call = std::move(ended_);
  call(std::move(how));
}

}  // namespace hastur
