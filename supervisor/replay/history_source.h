#pragma once

// History as a replay reads it: through the syndicator, batch after batch, while that goes on
// serving everybody else. The next batches are on their way while one is worked on.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "syndicator/client/connection.h"
#include "syndicator/client/protocol.h"

namespace hastur {

class HistorySource {
 public:
  // `clock` outlives the source.
  static Result<std::unique_ptr<HistorySource>> open(const std::string& request, Clock& clock);

  // Where the stream stands. `unavailable` if nobody answers.
  Result<PositionReply> position();

  // The first input whose stream time is `time` or later; after the last one if there is none yet.
  Result<Sequence> first_at(Time time);

  // Reads from `from` on; what an earlier read has not brought yet is given up.
  void read(Sequence from, std::optional<Sequence> until);
  // Its next part, in order; nothing at the end of what was asked for, or of the stream.
  using Part = std::variant<Batch, LostReply>;
  Result<std::optional<Part>> next();

 private:
  explicit HistorySource(Clock& clock, std::string request);
  // Until a reply to `read_` or `asked_` is there.
  Result<Reply> answer();
  Result<void> send(Request request);

  Clock& clock_;
  std::string request_;
  Loop loop_;
  ZmqContext zmq_;
  std::unique_ptr<SyndicatorConnection> connection_;
  std::deque<Reply> replies_;
  std::uint64_t last_id_ = 0;
  RequestId asked_;
  bool broke_ = false;
  bool ended_ = true;
  std::optional<Error> refused_;
};

}  // namespace hastur
