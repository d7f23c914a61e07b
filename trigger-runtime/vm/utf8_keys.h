#pragma once

// Keys as they will stand in JSON, in which a key that stood twice would be read as either.

#include <algorithm>
#include <deque>
#include <string>

#include "core/json.h"

namespace hastur {

// Of `entries`, sorted by their `key` (a view): bytes that are not UTF-8 become U+FFFD, and of keys
// that become the same the first one stays. What was changed is kept in `repaired`, into which the
// keys then point.
template <class Entries>
void make_keys_utf8(Entries& entries, std::deque<std::string>& repaired) {
  const auto key_of = [](const auto& entry) { return entry.key; };
  repaired.clear();
  for (auto& entry : entries) {
    if (is_utf8(entry.key)) continue;
    append_utf8(repaired.emplace_back(), entry.key);
    entry.key = repaired.back();
  }
  if (repaired.empty()) return;
  std::ranges::stable_sort(entries, {}, key_of);
  const auto same = std::ranges::unique(entries, {}, key_of);
  entries.erase(same.begin(), same.end());
}

}  // namespace hastur
