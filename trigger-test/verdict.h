#pragma once

// What a test expected against what came: who matches whom, what is missing, what is near it.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "trigger-test/nicknames.h"
#include "trigger-test/stand.h"
#include "trigger-test/test_file.h"

namespace hastur {

// A thing that came out of a test, with the names by which expectations ask for it.
struct Came {
  Expectation::Kind kind = Expectation::Kind::notification;
  Micros at{0};
  Sequence input;
  // Of the input's effects and errors, from 0.
  std::uint32_t ordinal = 0;
  // "page no_heartbeat/u1", as an expectation of it would be titled.
  std::string title;
  // notification: kind key action severity text details options to. message: its fields. log: text.
  // error: text script line.
  Json what;
  // Of a notification whose incident key begins with the trigger's own name: the same key in the
  // other spelling, in full or without that name. Empty: `what` has the only one.
  std::string other_key = {};
};

// uuids of nicknames read as those. Incident keys are without the trigger's own name (DESIGN §11),
// but in full where an expectation of `test` writes them so, and where the short one is another key
// that came: `load/a` and `a` of the trigger `load` are two, and each is asked for as it is.
std::vector<Came> what_came(const Outcome& outcome, const TriggerName& trigger,
                            const TestCase& test, const Nicknames& names);

// One field that is not as wanted.
struct Difference {
  // "labels.app"
  std::string path;
  // JSON; empty: absent.
  std::string wanted;
  std::string got;
  friend bool operator==(const Difference&, const Difference&) = default;
};

// Where `got` is not what `wanted` asks: what wanted does not name may be anything, unless `whole`.
// A text with `*` is a pattern, numbers may differ by a rounding, null is absent.
std::vector<Difference> differences(const Json& wanted, const Json& got, bool whole = false);

// The same between an expectation and what came; an incident key may be asked for in both
// spellings.
std::vector<Difference> differences(const Expectation& expectation, const Came& came);

// The field that names a thing of this kind: what differs there is another thing.
const char* subject_of(Expectation::Kind kind);
// Whether it is what is expected, at a time that is allowed.
bool is_meant(const Expectation& expectation, const Came& came);

// One expectation that did not hold, or one thing too many.
struct Miss {
  enum class What : std::uint8_t { missing, forbidden, unexpected };
  What what = What::missing;
  // Null for what was not asked for.
  const Expectation* expectation = nullptr;
  // What came instead, or too many; null if nothing is near.
  const Came* came = nullptr;
  // Between the two, besides the time.
  std::vector<Difference> differences;

  // Whether what came instead is another thing.
  bool is_of_another() const;
};

// A line of what was expected and came, in order of time.
struct Pairing {
  const Expectation* expectation = nullptr;
  const Came* came = nullptr;
  // They are the same thing; otherwise, if both are set, nearly.
  bool holds = false;
};

struct Verdict {
  std::vector<Miss> misses;
  std::vector<Pairing> pairings;
};

// Expectations of states are for whoever has the states. What came after `end` is beyond the test:
// it only shows how late something was. `test` and `came` outlive the verdict.
Verdict judge(const TestCase& test, const std::vector<Came>& came, Micros end);

// "page spike fired at 00:04:10, expected 00:04:00"
std::string sentence(const Miss& miss);
// "00:00:35", "00:00:30 to 00:01:00", "any time"
std::string when(const Expectation& expectation);

}  // namespace hastur
