#pragma once

// A message from words of a command line, and the check that the syndicator will take it.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace hastur {

struct MessageWords {
  std::string type;
  std::string name;
  std::string value;
  // Each "key=value".
  std::vector<std::string> labels;
  // Other fields of the body, each "key=value".
  std::vector<std::string> fields;
};

// The message's JSON. A number, true, false, null, a text in quotes (and as value or field also an
// object or array) is taken as JSON, anything else as text. The second word of a type that has no
// name is what it has instead: a log's subject, an error's text. An event's third word is its
// subject.
Result<std::string> compose_message(const MessageWords& words);

// Decodes it as the syndicator will; the error is the sentence that it would refuse it with.
Result<void> check_message(std::string_view json, Time now);

}  // namespace hastur
