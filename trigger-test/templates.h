#pragma once

// What `trigger-test new` writes: rules to begin with, each with a test file that it passes. They
// lie in trigger-test/templates/.

#include <span>
#include <string_view>

namespace hastur {

struct Template {
  // "threshold"
  std::string_view name;
  std::string_view script;
  std::string_view test;
};

// In the order in which they are offered.
std::span<const Template> templates();

}  // namespace hastur
