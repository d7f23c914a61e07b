#pragma once

// What a script's text tells about the messages that matter to it: the numbers and texts that it
// compares with, the spans that it waits, the fields that it reads.
//
// It is read as words, not understood: a name too many costs a useless message, never a verdict.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "trigger-test/trigger_files.h"

namespace hastur {

// Each list is sorted, without doubles.
struct ScriptWords {
  // Plain numbers and products of two, up to 1e9 in size.
  std::vector<double> numbers;
  std::vector<std::string> texts;
  // Names of entries in table constructors, { NAME = … }: a script may look up there what it reads.
  std::vector<std::string> keys;
  // Of texts like "30s", names of periods, and numbers that are whole seconds in µs; up to a week.
  std::vector<Micros> spans;
  // Names that stand after `labels.`; those that stand next to a comparison or a calculation.
  std::vector<std::string> labels;
  std::vector<std::string> counted_labels;
  // Names that stand after the first parameter of a subscription's function: msg.NAME.
  std::vector<std::string> fields;
  // What a field or a label is compared with, or searched for, by its name.
  using Texts = std::map<std::string, std::set<std::string>, std::less<>>;
  Texts field_texts;
  Texts label_texts;
  // Locals that stand for a field or a label: "env" for `local env = msg.labels.env`, with the path
  // "labels.env".
  std::map<std::string, std::string, std::less<>> aliases;
  // The same for entries of tables: "s" for { s = msg.subject } and it.s = msg.subject.
  std::map<std::string, std::string, std::less<>> entries;
  // Paths of fields and labels that something is looked up by, t[msg.labels.shard + 1].
  std::vector<std::string> places;
  // Times of day: at = "07:30".
  std::vector<Micros> times_of_day;
};

// Of the script and of the libraries that it names.
ScriptWords words_of(const TriggerFiles& trigger);

// A line of the script or of one of its libraries, without the spaces around it; empty if there is
// no such line.
std::string_view source_line(const TriggerFiles& trigger, const std::string& script,
                             std::uint32_t line);

// Whether a letter may stand in a name.
bool is_name_letter(char c);
// Where `name` stands in `line` as a word of its own; npos if it does not.
std::size_t find_word(std::string_view line, std::string_view name, std::size_t from = 0);

}  // namespace hastur
