#include "tests/integration/work_tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace hastur {

namespace fs = std::filesystem;

WorkTree::WorkTree(const fs::path& repo, fs::path folder) : folder_(std::move(folder)) {
  // What a user has configured is no part of the test.
  setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
  setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    setenv(fmt::format("GIT_{}_NAME", who).c_str(), "Ada", 1);
    setenv(fmt::format("GIT_{}_EMAIL", who).c_str(), "ada@example.com", 1);
  }
  fs::create_directories(folder_);
  EXPECT_TRUE(git(fmt::format("clone -q {} .", repo.string()))) << said_;
}

bool WorkTree::git(const std::string& words) {
  const std::string out = folder_.string() + ".said";
  const int status =
      std::system(fmt::format("cd {} && git {} >{} 2>&1", folder_.string(), words, out).c_str());
  std::ifstream file(out);
  said_.assign(std::istreambuf_iterator<char>(file), {});
  return status == 0;
}

void WorkTree::save(const std::string& path, const std::string& text) {
  fs::create_directories((folder_ / path).parent_path());
  std::ofstream(folder_ / path) << text;
}

bool WorkTree::commit(const std::string& message) {
  return git("add -A") && git(fmt::format("commit -q -m '{}'", message));
}

bool WorkTree::push(const std::string& message) {
  return commit(message) && git("push origin HEAD:main");
}

void WorkTree::forget() { EXPECT_TRUE(git("fetch -q") && git("reset -q --hard origin/main")); }

std::string WorkTree::head() {
  EXPECT_TRUE(git("rev-parse HEAD"));
  return said_.substr(0, said_.find('\n'));
}

}  // namespace hastur
