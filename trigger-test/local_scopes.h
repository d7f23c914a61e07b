#pragma once

// Where the locals of a Lua file have values, by its lines: what was observed of a local (vm/
// observation.h) stands until it changes, and is none of a line on which there is no such local.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hastur {

class LocalScopes {
 public:
  explicit LocalScopes(std::string_view source);
  // Whether a local of this name has a value when the line begins to run: not on the line of its
  // own `local` or `for`. True of names that the file declares nowhere.
  bool is_alive(std::string_view name, std::uint32_t line) const;

 private:
  struct Lines {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  std::map<std::string, std::vector<Lines>, std::less<>> scopes_;
};

}  // namespace hastur
