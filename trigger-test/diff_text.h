#pragma once

// How a diff is written.

#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/time.h"
#include "trigger-test/diff.h"
#include "trigger-test/paint.h"

namespace hastur {

struct DiffTitle {
  std::string old_path;
  std::string new_path;
  std::uint64_t messages = 0;
  // The stream times of the first input and of the last; nothing if there was none.
  std::optional<Time> from = std::nullopt;
  std::optional<Time> to = std::nullopt;
};

// For people.
std::string diff_text(const EffectDiff& diff, const DiffTitle& title, const Paint& paint);

// One JSON object a line, a difference each, and last the counts (docs/testing.md).
std::string diff_json(const EffectDiff& diff, const DiffTitle& title);

// The last of these lines.
Json diff_totals(const EffectDiff& diff, const DiffTitle& title);

// The first differences of notifications, a line each, with a mark: "+ 2024-… pager_duty a: text".
std::vector<std::string> notification_lines(const EffectDiff& diff, std::size_t lines_max);

}  // namespace hastur
