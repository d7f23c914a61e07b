#pragma once

// On which line of a test file each of its values stands.
//
// Test files are data; what is wrong with one is said with its line. A .test.lua is evaluated by a
// worker, which hands back JSON without lines, so its text is read a second time here, loosely: the
// table constructor after the last `return` of the file. What was made by a loop or a function has
// no place of its own; then that of what holds it is given.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace hastur {

class SourcePlaces {
 public:
  static SourcePlaces of_lua(std::string_view text);
  static SourcePlaces of_json(std::string_view text);

  // The 1-based line of the value at a path of keys and positions from 0, "/0/expect/2"; "" is the
  // whole. If it has no place, that of the nearest that holds it; 0 if nothing has one.
  std::uint32_t line(std::string_view path) const;

 private:
  friend class PlaceReader;
  std::map<std::string, std::uint32_t, std::less<>> lines_;
};

}  // namespace hastur
