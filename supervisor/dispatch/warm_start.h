#pragma once

// What helpers of a new version begin with, and how the journal tells of it: with all that is
// needed to begin once more in the same way.

#include <optional>
#include <string>

#include "core/json.h"
#include "core/time.h"
#include "message/ids.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Of a new version: what its helpers remember of the stream before its switch, so that they need
// not begin empty. The end of a backtest.
struct WarmStart {
  // The last input that they have seen, and its stream time.
  Sequence last;
  Time at;
  // As in WarmHelpers.
  std::string helpers;
};

// For a run that begins at the stream time `now`. Nothing if there is nothing to begin with, or if
// it is so old that it says nothing of the stream of now, or not old enough to be of before.
std::optional<WarmHelpers> warm_helpers(const std::optional<WarmStart>& start,
                                        std::optional<Time> now);

// As it stands in the journal, in the detail of a start or switch under "warm", and read from
// there.
Json warm_json(const WarmHelpers& warm);
std::optional<WarmHelpers> warm_from_detail(const Json& detail);

}  // namespace hastur
