#pragma once

// Asking the supervisor to let a replay take its triggers' place: over HTTP, as POST
// /v1/commands/replay (docs/http.md).

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "supervisor/cli/http_client.h"
#include "supervisor/dispatch/replayed.h"

namespace hastur {

class TakeOver {
 public:
  // `clock` outlives it.
  TakeOver(const std::string& http, std::string token, std::vector<ReplayClaim> claims,
           Clock& clock);

  // Whether it may be, as far as the supervisor can say now.
  Result<void> check();
  // Lets the triggers stand still; returns the last input that they take.
  Result<Sequence> hold();
  // Hands over the file, and waits until its runs have begun.
  Result<void> finish(const std::string& file);
  // They go on as they were.
  void abandon();

 private:
  Result<Json> ask(std::string_view step, const std::string& file = {});

  HttpClient http_;
  std::string token_;
  // By which this replay is known; two may have the same claims.
  std::string replay_;
  std::vector<ReplayClaim> claims_;
  Clock& clock_;
};

}  // namespace hastur
