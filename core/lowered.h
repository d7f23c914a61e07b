#pragma once

// Names that are equal whatever the case of their letters: of hosts, schemes, HTTP headers.

#include <string>

namespace hastur {

// A to Z become a to z; other bytes stay, in every locale.
inline std::string lowered(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace hastur
