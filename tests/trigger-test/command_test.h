#pragma once

// Runs the real trigger-test, which runs the real trigger-worker, in a folder of its own.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "core/json.h"
#include "tests/trigger-runtime/host/driver.h"

namespace hastur::testing {

class TriggerTestCommand : public ::testing::Test {
 protected:
  TriggerTestCommand() {
    char name[] = "/tmp/hastur-trigger-test-XXXXXX";
    HASTUR_CHECK(mkdtemp(name) != nullptr, "no folder for a test");
    folder_ = name;
    std::filesystem::create_directories(folder_ / "lib");
  }
  ~TriggerTestCommand() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text;
  }

  // Runs `trigger-test ARGUMENTS` in the folder.
  void run(const std::string& arguments) {
    const std::string command =
        fmt::format("cd {} && {} {} 2>{}/stderr", folder_.string(),
                    testing::beside_us("trigger-test"), arguments, folder_.string());
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    output_.clear();
    char part[4096];
    for (std::size_t bytes = 0; (bytes = fread(part, 1, sizeof(part), pipe)) > 0;) {
      output_.append(part, bytes);
    }
    const int status = pclose(pipe);
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    std::ifstream in(folder_ / "stderr");
    error_.assign(std::istreambuf_iterator<char>(in), {});
  }

  // What it printed, one JSON value a line.
  std::vector<Json> lines() const {
    std::vector<Json> lines;
    std::istringstream in(output_);
    for (std::string line; std::getline(in, line);) {
      const auto json = parse_json(line);
      EXPECT_TRUE(json) << line;
      if (json) lines.push_back(*json);
    }
    return lines;
  }

  std::filesystem::path folder_;
  std::string output_;
  std::string error_;
  int exit_code_ = -1;
};

}  // namespace hastur::testing
