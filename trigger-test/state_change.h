#pragma once

// What an input changed in a trigger's state.

#include <string>
#include <vector>

#include "core/json.h"
#include "core/time.h"

namespace hastur {

// Of a tick: for so long before it nothing could be heard. What helpers keep moves by that.
struct DeafSpan {
  Micros span{0};
  Time until;
};

struct StateChange {
  // "total", "hosts.u1.paged", "list[3]"; empty: all of it.
  std::string path;
  // Null: there was none, or there is none any more.
  Json before;
  Json after;
  // Of what a helper keeps: where ("@alert.rate"), and of which key.
  std::string helper;
  std::string key;
  DeafSpan deaf;

  // "total  3 → 4", "keyed hosts[\"u1\"]  touched", "alert rate[\"api\"]  opens at 00:05:00Z …";
  // printable.
  std::string words() const;

 private:
  std::string raw_words() const;
};

// In the order of the keys. What became a value of another kind, or a list of another length, is
// one change; what a helper keeps of a key is one, too.
std::vector<StateChange> state_changes(const Json& before, const Json& after, DeafSpan deaf = {});

}  // namespace hastur
