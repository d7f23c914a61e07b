#pragma once

// One of our programs as a child, for tests of the real binaries: started, listened to, killed.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/fd.h"

namespace hastur {

// A folder that goes with its object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hastur-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

class StartedProgram {
 public:
  // The program's standard output and error are read as one text.
  explicit StartedProgram(const std::vector<std::string>& arguments) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    output_ = Fd(ends[0]);
    Fd writing(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(writing.get(), STDOUT_FILENO);
      ::dup2(writing.get(), STDERR_FILENO);
      output_.close();
      writing.close();
      std::vector<char*> raw;
      for (const std::string& argument : arguments)
        raw.push_back(const_cast<char*>(argument.c_str()));
      raw.push_back(nullptr);
      ::execv(raw.front(), raw.data());
      ::_exit(127);
    }
  }
  ~StartedProgram() {
    if (pid_ > 0) end(SIGKILL);
  }
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  // The text between `before` and `after` in what it has said, once it has; empty if it ends or
  // says nothing for 20 s.
  std::string says(const std::string& before, const std::string& after) {
    while (true) {
      const std::size_t start = text_.find(before);
      if (start != std::string::npos) {
        const std::size_t from = start + before.size();
        const std::size_t stop = text_.find(after, from);
        if (stop != std::string::npos) return text_.substr(from, stop - from);
      }
      if (!read_some()) return {};
    }
  }
  // The exit code, or minus the signal that ended it. Nothing is sent if `number` is 0.
  int end(int number = 0) {
    if (number != 0) signal(number);
    while (read_some()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  // All that it has said so far and was read.
  const std::string& text() const { return text_; }

 private:
  bool read_some() {
    pollfd wait{output_.get(), POLLIN, 0};
    if (::poll(&wait, 1, 20'000) <= 0) return false;
    std::array<char, 4096> bytes{};
    const auto count = ::read(output_.get(), bytes.data(), bytes.size());
    if (count <= 0) return false;
    text_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
  }

  pid_t pid_ = -1;
  Fd output_;
  std::string text_;
};

}  // namespace hastur
