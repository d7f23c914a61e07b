#pragma once

// The triggers that a tree of files holds (DESIGN §7, §12), be it a folder on disk or a commit.
//
// Every `*.lua` is a trigger, named by its path without the ending, but for what lies below `lib/`,
// `*.test.*`, and whatever has a part that begins with a dot. Below `hastur/` are the platform's.
// To a trigger belong the library files that it requires, found by reading the literal `require
// "lib.x"` in it and in them: a change of another library is no change of it.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "message/ids.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

struct TreeScript {
  TriggerName name;
  ScriptFile script;
  // By path. One that is required and missing is not here: that is the script's load error.
  std::vector<ScriptFile> libraries;
  friend bool operator==(const TreeScript&, const TreeScript&) = default;
};

struct ScriptTree {
  // By path.
  std::vector<TreeScript> scripts;
  // Files that were left out, each with a sentence that names the file and why.
  std::vector<std::string> problems;
};

// `files`: texts by path. What is no script is passed over; a name that no trigger may have is a
// problem, and so is a test file whose script is not there: it must not go by as good.
ScriptTree read_script_tree(const std::map<std::string, std::string>& files);

// A name that a script of an author may have: check_trigger_name, and none of the platform's own.
Result<void> check_script_name(std::string_view name);

// x.json, x.jsonl: what a repository's tests may read as a recording.
bool is_recording_name(std::string_view path);
// billing.test.lua, billing.test.json
bool is_test_path(std::string_view path);
// Those of a script, whether they are there or not.
std::vector<std::string> test_paths(std::string_view script);
// The files by which a script is tested, and which recordings they read.
class TestReaders {
 public:
  TestReaders(std::string_view script, const std::map<std::string, std::string>& files);

  // Its test files and the libraries that they require, by path, with the text.
  const std::map<std::string, std::string>& files() const { return readers_; }
  // Whether one of them may read this recording: it has its name, or makes a recording's name up.
  bool reads(std::string_view path) const;

 private:
  std::map<std::string, std::string> readers_;
  bool reads_any_ = false;
};

// What of `files` the verdict of a script's tests rests on besides the script: its test files, the
// libraries that they require, and the recordings that these name; all recordings if one of them
// makes a recording's name up. By path, with the text.
std::map<std::string, std::string> test_sources(std::string_view script,
                                                const std::map<std::string, std::string>& files);

}  // namespace hastur
