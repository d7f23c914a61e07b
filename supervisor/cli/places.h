#pragma once

// Where the daemons are, for the commands that speak to them.

#include <string>

#include "core/result.h"

namespace hastur {

struct Places {
  // Where the supervisor answers, and where the syndicator hears datagrams.
  std::string http = "127.0.0.1:8127";
  std::string udp = "127.0.0.1:8125";
};

// As the daemons' `file` has it; the above for what it does not say, and if there is no such file.
// The error says what is wrong with the file.
Result<Places> read_places(const std::string& file = "hastur.toml");

}  // namespace hastur
