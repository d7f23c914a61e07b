#include "supervisor/notify/command_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace hastur {
namespace {

constexpr std::size_t output_bytes_max = 4'096;
constexpr int exit_refused = 65;

struct Pipe {
  Fd read, write;
};

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

void set_nonblocking(const Fd& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// Signals as a new process has them, a process group of its own, no descriptor but three.
class SpawnSettings {
 public:
  SpawnSettings(int input, int output) {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  int spawn(pid_t& pid, const std::vector<std::string>& command, std::vector<std::string> set) {
    std::vector<char*> argv, environment;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    for (std::string& variable : set) environment.push_back(variable.data());
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    return posix_spawn(&pid, command.front().c_str(), &actions_, &attributes_, argv.data(),
                       environment.data());
  }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

CommandRun::CommandRun(const CommandRequest& request, Micros deadline)
    : deadline_(deadline), text_(request.input) {
  auto in = make_pipe();
  auto out = make_pipe();
  int error = errno;
  if (in && out) {
    // Our environment may hold secrets; the command gets none of it.
    error = SpawnSettings(in->read.get(), out->write.get())
                .spawn(pid_, request.command,
                       {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "LANG=C.UTF-8", "HASTUR_NOTIFICATION=" + request.id});
  }
  if (error != 0) {
    start_error_ = fmt::format("{} cannot be started: {}", request.command.front(),
                               std::generic_category().message(error));
    pid_ = 0;
    return;
  }
  input_ = std::move(in->write);
  said_ = std::move(out->read);
  set_nonblocking(input_);
  set_nonblocking(said_);
  process_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
}

CommandRun::~CommandRun() {
  if (pid_ == 0) return;
  kill_group();
  waitpid(pid_, nullptr, 0);
}

void CommandRun::kill_group() { kill(-pid_, SIGKILL); }

std::vector<int> CommandRun::readable() const {
  std::vector<int> fds;
  for (const Fd* fd : {&process_, &said_}) {
    if (fd->is_open()) fds.push_back(fd->get());
  }
  return fds;
}

std::optional<Answer> CommandRun::step(Micros now) {
  if (!start_error_.empty()) return Answer{Answer::Verdict::again, start_error_, {}};
  while (input_.is_open() && !text_.empty()) {
    const ssize_t written = write(input_.get(), text_.data(), text_.size());
    if (written < 0 && errno == EAGAIN) break;
    // A command that does not read on has its reasons.
    if (written < 0) text_.clear();
    if (written > 0) text_.erase(0, static_cast<std::size_t>(written));
  }
  if (text_.empty()) input_.close();
  char bytes[1024];
  while (said_.is_open()) {
    const ssize_t got = read(said_.get(), bytes, sizeof bytes);
    if (got > 0 && output_.size() < output_bytes_max) {
      output_.append(bytes, static_cast<std::size_t>(got));
    }
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) said_.close();
  }
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) {
    pid_ = 0;
    return ended(status);
  }
  if (now < deadline_) return std::nullopt;
  kill_group();
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
  return Answer{Answer::Verdict::again, "the command did not end in time and was killed", {}};
}

Answer CommandRun::ended(int status) const {
  Answer answer;
  if (WIFEXITED(status)) {
    const int code = WEXITSTATUS(status);
    answer.text = fmt::format("exit code {}", code);
    answer.verdict = code == 0              ? Answer::Verdict::arrived
                     : code == exit_refused ? Answer::Verdict::refused
                                            : Answer::Verdict::again;
  } else {
    answer.text = fmt::format("ended by signal {}", WTERMSIG(status));
  }
  if (const std::string line = receiver_line(output_); !line.empty()) answer.text += ": " + line;
  return answer;
}

}  // namespace hastur
