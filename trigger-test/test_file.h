#pragma once

// Test files: what they say, whichever form they have (docs/testing.md; the JSON form has a schema,
// docs/formats/test.schema.json).
//
// A file is one test or a list of tests. A test has messages, which are the input, and
// expectations of what comes out. Times count from the test's start.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "core/time.h"
#include "trigger-test/source_places.h"

namespace hastur {

// 2024-01-01T00:00:00Z, where tests begin that do not say otherwise.
inline constexpr std::int64_t test_start_us = 1'704'067'200'000'000;

// One entry of `messages`: a message, several alike, a tick or a recording.
struct MessageSpec {
  // The message's fields but for its times; of a tick its type alone.
  Json fields = Json::object();
  // When the first is received; the others follow `every` so much later.
  Micros at{0};
  Micros every{0};
  std::uint64_t times = 1;
  // One each; repeated if there are fewer than `times`.
  std::vector<Json> values;
  // The sender's own time of the first, also before the start; nothing: when it is received.
  std::optional<Micros> timestamp;
  // A file of messages, beside the test file; its first stands at `at`.
  std::string recording;
  // Of a tick, for how long before it there is none: the platform could not hear, or the trigger
  // did not run (it was paused, or History has lost that span) and is told of no deafness.
  Micros deaf{0};
  Micros lost{0};
  std::uint32_t line = 0;

  bool is_tick() const {
    const auto type = fields.find("type");
    return type != fields.end() && *type == "tick";
  }
};

// One entry of `expect`.
struct Expectation {
  enum class Kind : std::uint8_t { notification, message, log, error, state };
  Kind kind = Kind::notification;
  // As its author names it: `page "spike"`.
  std::string title;
  // What must be in what is seen, by the same names (what_is_seen.h). A text may have `*` for any
  // run of characters.
  Json wanted = Json::object();
  // Nothing: at any time; of a state: after the last input.
  std::optional<Micros> from;
  std::optional<Micros> to;
  // It must not come at all.
  bool never = false;
  // A state must be `wanted` and no more.
  bool whole = false;
  // Of a state: its JSON has at most so many bytes, whatever it is.
  std::optional<std::uint64_t> state_bytes_max;
  std::uint32_t line = 0;
};

struct TestCase {
  std::string name;
  Time start = time_from_us(test_start_us);
  // Ticks run to here at least.
  Micros ends{0};
  std::vector<MessageSpec> messages;
  // In the order of the file; one that repeats stands as often.
  std::vector<Expectation> expect;
  bool nothing_else = false;
  std::uint32_t line = 0;
};

struct TestFile {
  // As its author sees it.
  std::string path;
  std::vector<TestCase> cases;
};

// A fault of the file, with the line where it stands (0: none).
struct TestFileError {
  std::string text;
  std::uint32_t line = 0;
};

// Reads the model from `data`, what the file holds. The error says what a key takes, and for an
// unknown key which are known.
std::optional<TestFileError> read_test_file(const Json& data, const SourcePlaces& places,
                                            TestFile& file);

// "35s" or "1h5m"; "0" or "0s" is the start. Also a number of seconds. At most as long as a test
// may be. `may_be_before`: also "-1h", before the start.
Result<Micros> parse_offset(const Json& text, bool may_be_before = false);
// "00:04:10", "00:00:00.25", and days before it if there are any.
std::string format_offset(Micros offset);

}  // namespace hastur
