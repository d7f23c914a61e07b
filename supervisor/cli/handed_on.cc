#include "supervisor/cli/handed_on.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "core/output.h"

namespace hastur {
namespace {

// Neither "no" nor "wrong usage" of either program.
constexpr int cannot_start = 3;

constexpr HandedOn commands[] = {
    {"test", "Prove triggers: load them, run their test files, hunt for what review misses",
     "trigger-test", false},
    {"run", "Run one trigger on a recording and print what it does", "trigger-test", true},
    {"trace", "The same as run, with each input and what it changed", "trigger-test", true},
    {"diff", "What a change of a trigger changes, on a recording", "trigger-test", true},
    {"explain", "Why a trigger fired at a moment of a recording, or did not", "trigger-test", true},
    {"new", "Write a trigger and its test file, to begin with", "trigger-test", true},
    {"replay", "Show what triggers would have done on History", "supervisor", true},
    {"export", "Write messages of History, by time, type and name, as JSON Lines", "supervisor",
     true},
    {"import", "Make a new History from JSON Lines", "syndicator", true},
};

}  // namespace

std::span<const HandedOn> handed_on() { return commands; }

std::string program_beside(const std::string& name) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / name;
}

int hand_on(const HandedOn& command, char** arguments) {
  std::string program = program_beside(command.program);
  std::string name = command.name;
  std::vector<char*> words = {program.data()};
  if (command.is_command_there) words.push_back(name.data());
  for (; *arguments != nullptr; ++arguments) words.push_back(*arguments);
  words.push_back(nullptr);
  execv(program.c_str(), words.data());
  print_error("hastur: cannot start {}: {}{}\n", program, strerror(errno),
              errno == ENOENT ? "; hastur and the programs that it starts lie in one folder, as "
                                "./dev build makes them"
                              : "");
  return cannot_start;
}

}  // namespace hastur
