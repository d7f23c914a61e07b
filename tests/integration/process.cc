#include "tests/integration/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "core/result.h"
#include "tests/integration/waiting.h"

namespace hastur {
namespace {

std::string read_from(const std::string& path, std::size_t offset) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

// Only calls that are safe after a fork of a program with threads.
[[noreturn]] void become(char* const* arguments, const char* log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  const int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0) _exit(126);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

Process::Process(std::vector<std::string> command, std::string log)
    : command_(std::move(command)), log_(std::move(log)) {}

Process::~Process() {
  if (is_running()) kill_9();
}

void Process::start() {
  HASTUR_CHECK(!is_running(), "a process was started twice");
  log_start_ = whole_log().size();
  std::vector<char*> arguments;
  for (std::string& word : command_) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  HASTUR_CHECK(pid_ >= 0, "no process can be made");
  if (pid_ == 0) become(arguments.data(), log_.c_str(), parent);
}

void Process::kill_9() {
  if (!is_running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
  pid_ = 0;
}

void Process::pause() {
  kill(pid_, SIGSTOP);
  waitpid(pid_, &status_, WUNTRACED);
}

void Process::resume() { kill(pid_, SIGCONT); }

std::optional<int> Process::stop(Micros limit) {
  if (!is_running()) return std::nullopt;
  kill(pid_, SIGTERM);
  if (!wait_until([this] { return !is_running(); }, limit)) {
    kill_9();
    return std::nullopt;
  }
  return WIFEXITED(status_) ? std::optional(WEXITSTATUS(status_)) : std::nullopt;
}

bool Process::is_running() {
  if (pid_ == 0) return false;
  if (waitpid(pid_, &status_, WNOHANG) != pid_) return true;
  pid_ = 0;
  return false;
}

std::vector<pid_t> Process::children() const {
  std::vector<pid_t> found;
  if (pid_ == 0) return found;
  std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", pid_));
  for (pid_t child = 0; file >> child;) {
    if (is_alive(child)) found.push_back(child);
  }
  std::ranges::sort(found);
  return found;
}

std::string Process::log_since_start() const { return read_from(log_, log_start_); }
std::string Process::whole_log() const { return read_from(log_, 0); }

bool is_alive(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return false;
  // The state stands after the name, which is in brackets and may hold anything.
  const auto name_end = line.rfind(')');
  return name_end != std::string::npos && name_end + 2 < line.size() && line[name_end + 2] != 'Z';
}

}  // namespace hastur
