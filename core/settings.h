#pragma once

// Reading hastur.toml and the flags that override it (DESIGN §14), without knowing what the keys
// mean.
//
// Each program declares its sections' keys with a type, a default and a sentence of help; from that
// come the reading of the file, the flags of the same names (core/command_line.h), `--help`, and
// the error for an unknown key with the nearest known one. The one wrapper of toml++ is
// settings.cc.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace hastur {

// One [section] of the file. Declared keys are bound to variables, which keep their value as the
// default and outlive the Settings.
class Section {
 public:
  // `name` is the key in the file; the flag is the same with '-' for '_', unless `flag` is false.
  // Each name is declared once.
  void text(std::string name, std::string* value, std::string help, bool flag = true);
  void list(std::string name, std::vector<std::string>* value, std::string help, bool flag = true);
  void number(std::string name, std::uint64_t* value, std::string help, bool flag = true);
  void truth(std::string name, bool* value, std::string help, bool flag = true);
  // Written as parse_span takes it.
  void span(std::string name, Micros* value, std::string help, bool flag = true);
  // Written as a number of bytes or with KiB, MiB, GiB.
  void bytes(std::string name, std::uint64_t* value, std::string help, bool flag = true);
  // One of these words.
  void choice(std::string name, std::string* value, std::vector<std::string> words,
              std::string help, bool flag = true);

  struct Key {
    std::string name;
    std::string help;
    bool flag = true;
    std::vector<std::string> words;
    std::variant<std::string*, std::vector<std::string>*, std::uint64_t*, bool*, Micros*> target;
    bool is_bytes = false;

    // The bound variable's value, as a flag would give it.
    std::string current() const;
    // What it takes, for help: "TEXT", "SPAN", "on|record|off" …
    std::string takes() const;
  };
  const std::vector<Key>& keys() const { return keys_; }

 private:
  void add(Key key);
  std::vector<Key> keys_;
};

class Settings {
 public:
  // The section that this program reads by this name; made empty the first time. "limits",
  // "notify.oncall".
  Section& section(const std::string& name);
  const std::map<std::string, Section>& sections() const { return sections_; }
  // Sections of other programs: allowed in the file, not read. "notify.*" allows every subsection.
  void allow(std::vector<std::string> names);

  // Sections whose names the file chooses: [notify.oncall], [notify.mail]. For each that stands
  // below `parent`, before anything is read, `declare` is given its name ("oncall") and the text at
  // its key `by` (empty if there is none), and declares the keys that such a section takes, `by`
  // too. Its error is given the section's place in the file. A file is read once by Settings with a
  // family.
  using Declare = std::function<Result<void>(const std::string& name, const std::string& word,
                                             Section& section)>;
  void family(std::string parent, std::string by, Declare declare);

  // For a program that reads a few keys of sections that belong to others: what is not declared is
  // passed over.
  void pass_over_unknown() { pass_over_unknown_ = true; }

  // Reads the file into the bound variables: all of it, or on an error nothing. The error names
  // file, line, key and what was expected; for an unknown key or section also the nearest known
  // one. `not_found` for a file that does not exist.
  Result<void> read_file(const std::string& path);
  Result<void> read_text(std::string_view text, const std::string& source);

  // Sets one declared key from a flag's text ("udp" = "127.0.0.1:9000"); a list is written with
  // commas. The error names the flag and what it takes.
  Result<void> set(const std::string& section, const std::string& key, std::string_view value);

 private:
  struct Family {
    std::string parent;
    std::string by;
    Declare declare;
  };

  std::map<std::string, Section> sections_;
  std::vector<Family> families_;
  std::vector<std::string> allowed_;
  bool pass_over_unknown_ = false;
};

// "16MiB", "512KiB", "1GiB", "4096". Fails for anything else, naming the forms allowed.
Result<std::uint64_t> parse_bytes(std::string_view text);
// The largest unit that leaves a whole number: parse_bytes reads it back.
std::string format_bytes(std::uint64_t bytes);

}  // namespace hastur
