#pragma once

// Failed calls of the running minute, by line: what is published of them when the minute is over
// (DESIGN §7).

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "core/time.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

class FailureCounts {
 public:
  // Lines that are told apart; what fails at others is counted as one more, which names no line.
  static constexpr std::size_t lines_max = 50;

  struct Line {
    std::uint64_t count = 0;
    // Of the first failure there, shortened.
    std::string text;
    friend bool operator==(const Line&, const Line&) = default;
  };
  // By script and line.
  using Lines = std::map<std::pair<std::string, std::uint32_t>, Line>;

  // `depth` is what a message would have that the failed call had derived.
  void count(Time now, const ScriptError& error, std::uint8_t depth);
  bool empty() const { return lines.empty(); }
  // Something was counted, and that minute is over.
  bool is_due(Time now) const;

  // Minutes since 1970, of stream time. Without `lines` it means nothing.
  std::int64_t minute = 0;
  // The greatest of those counted.
  std::uint8_t depth = 0;
  Lines lines;
  friend bool operator==(const FailureCounts&, const FailureCounts&) = default;
};

// The `error` message for one line: class "trigger", what it says, where, and how often.
std::string failure_message(const FailureCounts& counts, const FailureCounts::Lines::value_type& of,
                            const TriggerName& trigger, std::string_view uuid, Time now);

}  // namespace hastur
