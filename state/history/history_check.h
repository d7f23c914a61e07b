#pragma once

// Whether a History folder is sound: each page, each batch, and its rows against each other.
//
// Nothing is written, and the syndicator may go on meanwhile.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "message/ids.h"

namespace hastur {

struct HistoryCheck {
  // What is wrong, a sentence each that names the file; none if the folder is sound. Of one file at
  // most `findings_max` are told.
  std::vector<std::string> findings;
  std::uint64_t files = 0;
  std::uint64_t batches = 0;
  std::uint64_t messages = 0;
  // Of what can be read; 0 and 0 for a stream without messages.
  Sequence oldest, last;
  // Numbers that History itself says are lost within that: no finding.
  std::uint64_t lost = 0;
  StreamId stream;
};
inline constexpr std::size_t findings_max = 20;

// `look` is called now and then with the last sequence looked at. An error means that the folder
// cannot be read at all.
Result<HistoryCheck> check_history(const std::string& directory,
                                   const std::function<void(Sequence)>& look = {});

struct HistoryEnd {
  StreamId stream;
  // Every number up to here has been given out, or counts as lost.
  Sequence last;
};
// Looks at the newest file alone. Nothing for a folder without one.
Result<std::optional<HistoryEnd>> history_end(const std::string& directory);

}  // namespace hastur
