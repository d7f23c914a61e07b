#pragma once

// POST /v1/commands/replay: what `supervisor replay --into live` asks while it takes its triggers'
// place (docs/replay.md). Nobody else needs it.

#include <string>

#include "core/json.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/http/http_server.h"

namespace hastur {

class ReplayApi {
 public:
  // `dispatcher` outlives it. The replay's file is named after `state_file` and lies beside it.
  ReplayApi(Dispatcher& dispatcher, std::string state_file)
      : dispatcher_(dispatcher), state_file_(std::move(state_file)) {}

  HttpResponse command(const Json& body);

 private:
  Result<void> finish(const std::string& file);

  Dispatcher& dispatcher_;
  std::string state_file_;
  // Two replays of the same triggers claim the same: each bears a token that it made up. Who has
  // the triggers held, and who has handed over last, whose runs may have begun since; empty: nobody
  // since the start.
  std::string holder_, handed_over_;
};

}  // namespace hastur
