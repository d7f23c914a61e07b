#include "supervisor/cli/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/fd.h"
#include "supervisor/cli/text.h"

namespace hastur {

Result<Child> Child::start(std::string name, const std::vector<std::string>& arguments,
                           std::string log) {
  if (access(arguments[0].c_str(), X_OK) != 0) {
    return fail(ErrorCode::not_found, fmt::format("cannot start {}: {}: {}", name, arguments[0],
                                                  std::generic_category().message(errno)));
  }
  const Fd input(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd output(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!output.is_open()) {
    return fail(ErrorCode::failed,
                fmt::format("cannot write {}: {}", log, std::generic_category().message(errno)));
  }
  std::vector<char*> words;
  words.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) {
    return fail(ErrorCode::failed,
                fmt::format("cannot start {}: {}", name, std::generic_category().message(errno)));
  }
  if (pid == 0) {
    // Only what is safe between fork and exec.
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(127);
    dup2(input.get(), STDIN_FILENO);
    dup2(output.get(), STDOUT_FILENO);
    dup2(output.get(), STDERR_FILENO);
    execv(words[0], words.data());
    _exit(127);
  }
  return Child(std::move(name), std::move(log), pid);
}

Child::Child(Child&& other) noexcept
    : name_(std::move(other.name_)),
      log_(std::move(other.log_)),
      pid_(std::exchange(other.pid_, -1)),
      ended_(std::move(other.ended_)) {}

Child::~Child() {
  if (pid_ < 0 || how_it_ended()) return;
  signal(SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::optional<std::string> Child::how_it_ended() {
  if (ended_) return ended_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  ended_ = WIFSIGNALED(status) ? fmt::format("was ended by signal {} ({})", WTERMSIG(status),
                                             strsignal(WTERMSIG(status)))
                               : fmt::format("ended with exit code {}", WEXITSTATUS(status));
  return ended_;
}

void Child::signal(int number) {
  // One that has been waited for has no pid any more.
  if (!ended_) kill(pid_, number);
}

std::vector<std::string> stop_all(std::vector<Child>& children, Loop& loop, Clock& clock,
                                  Micros patience) {
  for (auto child = children.rbegin(); child != children.rend(); ++child) child->signal(SIGTERM);
  const auto all_ended = [&] {
    bool all = true;
    for (Child& child : children) all = child.how_it_ended().has_value() && all;
    return all;
  };
  constexpr Micros look_period = std::chrono::milliseconds{20};
  const Micros end = clock.monotonic() + patience;
  while (!all_ended() && clock.monotonic() < end) loop.run_some(look_period);
  std::vector<std::string> killed;
  for (Child& child : children) {
    if (child.how_it_ended()) continue;
    killed.push_back(child.name());
    child.signal(SIGKILL);
  }
  while (!all_ended()) loop.run_some(look_period);
  return killed;
}

std::vector<std::string> last_lines(const std::string& path, std::size_t lines_max) {
  constexpr std::size_t line_bytes_max = 500;
  std::ifstream file(path);
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(printable(std::string_view(line).substr(0, line_bytes_max)));
    if (lines.size() > lines_max) lines.pop_front();
  }
  return {lines.begin(), lines.end()};
}

}  // namespace hastur
