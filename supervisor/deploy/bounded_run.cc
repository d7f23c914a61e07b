#include "supervisor/deploy/bounded_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

namespace hastur {

Result<std::unique_ptr<BoundedRun>> BoundedRun::start(Loop& loop, const Request& request,
                                                      std::function<void(Ended)> ended) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(ErrorCode::failed, fmt::format("{} cannot be started: {}", request.command.front(),
                                               std::generic_category().message(errno)));
  }
  Fd output(ends[0]);
  const Fd for_child(ends[1]);
  fcntl(output.get(), F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  if (request.input_fd >= 0) {
    posix_spawn_file_actions_adddup2(&files, request.input_fd, STDIN_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, request.input.c_str(), O_RDONLY, 0);
  }
  posix_spawn_file_actions_adddup2(&files, for_child.get(), STDERR_FILENO);
  posix_spawn_file_actions_adddup2(
      &files, request.output_fd >= 0 ? request.output_fd : STDERR_FILENO, STDOUT_FILENO);
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
  // Nothing may wait for somebody to type.
  std::vector<std::string> variables = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
      "GIT_TERMINAL_PROMPT=0", "GIT_SSH_COMMAND=ssh -o BatchMode=yes"};
  for (const std::string& name : request.keep) {
    if (const char* value = std::getenv(name.c_str()))
      variables.push_back(fmt::format("{}={}", name, value));
  }
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, request.command.front().c_str(), &files, &attributes,
                                argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return fail(ErrorCode::failed, fmt::format("{} cannot be started: {}", request.command.front(),
                                               std::generic_category().message(error)));
  }
  return std::unique_ptr<BoundedRun>(
      new BoundedRun(loop, pid, std::move(output), request, std::move(ended)));
}

BoundedRun::BoundedRun(Loop& loop, pid_t pid, Fd output, const Request& request,
                       std::function<void(Ended)> ended)
    : loop_(loop),
      pid_(pid),
      time_max_(request.time_max),
      half_max_(request.output_bytes_max / 2),
      ended_(std::move(ended)),
      process_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
      output_(std::move(output)) {
  watch_ = loop_.watch_readable(process_.get(), [this] { look(); });
  readable_ = loop_.watch_readable(output_.get(), [this] { read_output(); });
  limit_ = loop_.after(time_max_, [this] { out_of_time(); });
}

// What is there now; of one that writes without end a part.
void BoundedRun::read_output() {
  constexpr int reads_max = 64;
  char bytes[16 << 10];
  for (int reads = 0; reads < reads_max; ++reads) {
    const ssize_t count = read(output_.get(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    // At its end there is nothing to wait for but the process.
    if (count == 0) readable_.reset();
    if (count <= 0) return;
    std::string_view fresh(bytes, static_cast<std::size_t>(count));
    const std::size_t first = std::min(fresh.size(), half_max_ - beginning_.size());
    beginning_ += fresh.substr(0, first);
    end_ += fresh.substr(first);
    if (end_.size() <= half_max_) continue;
    left_out_ += end_.size() - half_max_;
    end_.erase(0, end_.size() - half_max_);
  }
}

std::string BoundedRun::output() const {
  if (left_out_ == 0) return beginning_ + end_;
  return fmt::format("{}\n… {} bytes are left out …\n{}", beginning_, left_out_, end_);
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
    return end({WEXITSTATUS(status), false, fmt::format("exit code {}", WEXITSTATUS(status)), {}});
  end({std::nullopt, false, fmt::format("signal {}", WTERMSIG(status)), {}});
}

void BoundedRun::out_of_time() {
  kill(-pid_, SIGKILL);
  waitpid(std::exchange(pid_, 0), nullptr, 0);
  end({std::nullopt, true, fmt::format("it did not end in {}", format_span(time_max_)), {}});
}

// The call may end this object: nothing of it is touched after.
void BoundedRun::end(Ended how) {
  read_output();
  how.output = output();
  readable_.reset();
  watch_.reset();
  limit_.reset();
  const auto call = std::move(ended_);
  call(std::move(how));
}

}  // namespace hastur
