#pragma once

// A program's command line: flags, operands, commands of its own, and for daemons one flag for each
// key of their settings. The one wrapper of CLI11 is command_line.cc.
//
// Every program has --help and --version. Wrong usage ends it with exit code 2 and one sentence.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "core/time.h"

namespace hastur {

// Variables that flags are bound to outlive it, and keep their value if the flag is not given.
class CommandLine {
 public:
  // `about` is one sentence for --help.
  CommandLine(std::string program, std::string about);
  ~CommandLine();
  CommandLine(CommandLine&&) noexcept;
  CommandLine& operator=(CommandLine&&) noexcept;

  // `names` is "--name", or "-n,--name", or "NAME" for an operand. A flag may be given once, the
  // flag of a list many times; a list as operand takes all operands that are left. "-5" is a value,
  // never a flag.
  void flag(const std::string& names, bool* value, const std::string& help);
  void text(const std::string& names, std::string* value, const std::string& help);
  void list(const std::string& names, std::vector<std::string>* value, const std::string& help);
  void number(const std::string& names, std::uint64_t* value, const std::string& help);
  // A span shorter than `min` is wrong usage.
  void span(const std::string& names, Micros* value, const std::string& help,
            Micros min = Micros{0});
  // The same, but must be given.
  void required_text(const std::string& names, std::string* value, const std::string& help);

  // A command ("replay") with flags of its own; the returned line lives as long as this one. Once
  // there is a command, one must be given unless optional_command() was called. It takes the
  // program's own flags and operands, too.
  CommandLine& command(const std::string& name, const std::string& about);
  void optional_command();
  // Once all commands are there: the program's own flags and operands are refused with one.
  void commands_stand_alone();
  // Whether parse() met this command.
  bool chosen() const;

  // Makes it a daemon's: adds --config, --check-config and a flag for each key of `settings`, which
  // outlives this and has all its sections. `check` says what is wrong with values that are right
  // by themselves; it runs once file and flags are read. A key whose name stands in two sections
  // has the section before it: --limits-state.
  void daemon(Settings* settings, std::function<Result<void>()> check = {});

  // Reads the arguments, then the file (--config, or hastur.toml in the current folder if there is
  // one), then sets what flags say over it. Returns the exit code if the program must end now,
  // having printed why.
  std::optional<int> parse(int argc, const char* const* argv);

  // Reads the same file and the same flags again into `settings` (of the same sections): for
  // SIGHUP.
  Result<void> read_again(Settings& settings) const;
  // The file that was read; empty if there was none.
  const std::string& config_path() const;

 private:
  struct Parser;
  explicit CommandLine(std::unique_ptr<Parser> parser);
  std::unique_ptr<Parser> parser_;
};

// "hastur 0.1.0"
std::string version_line(const std::string& program);

}  // namespace hastur
