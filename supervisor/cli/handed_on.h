#pragma once

// Commands of `hastur` that the programs beside it carry out.

#include <span>
#include <string>

namespace hastur {

struct HandedOn {
  const char* name;
  // For --help.
  const char* about;
  const char* program;
  // The program knows the command by the same name; otherwise it is what the program does.
  bool is_command_there;
};

std::span<const HandedOn> handed_on();

// The path of a program in this one's folder.
std::string program_beside(const std::string& name);

// Runs it in this process's place; `arguments` are those after the command's name and end with
// null. Returns only if it cannot be started, having said so.
int hand_on(const HandedOn& command, char** arguments);

}  // namespace hastur
