#pragma once

// What git tells a hook of a repository that is pushed to: a line for each ref.

#include <optional>
#include <string>
#include <string_view>

namespace hastur {

struct RefUpdate {
  // 40 hex digits; all 0: there was no such ref, or there is none any more.
  std::string before, after;
  // "refs/heads/main"
  std::string ref;

  bool is_new() const;
  bool is_delete() const;
  // The branch's name; empty for a tag and its like.
  std::string_view branch() const;
};

// "BEFORE AFTER REF"; nothing for a line that is none.
std::optional<RefUpdate> parse_ref_update(std::string_view line);

}  // namespace hastur
