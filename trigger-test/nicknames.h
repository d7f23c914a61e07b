#pragma once

// Short uuids of test files: "u1" stands for a fixed uuid, and reads as "u1" in what comes out.

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"

namespace hastur {

class Nicknames {
 public:
  // The uuid that `text` stands for: its own, if it is one. Those of nicknames of at most 16
  // characters sort as the nicknames do, so that a script walks them in the order in which a
  // reader expects. Fails for a text that is neither.
  Result<std::string> uuid_of(const std::string& text);

  // `text` with each uuid that stood for a nickname replaced by it.
  std::string read(std::string_view text) const;

 private:
  std::map<std::string, std::string, std::less<>> uuids_;      // by nickname
  std::map<std::string, std::string, std::less<>> nicknames_;  // by uuid
};

}  // namespace hastur
