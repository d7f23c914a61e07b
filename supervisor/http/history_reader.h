#pragma once

// Reads History through the syndicator for those who ask over HTTP, without holding up the loop.

#include <functional>
#include <map>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "message/batch.h"
#include "syndicator/client/protocol.h"

namespace hastur {

class HistoryReader {
 public:
  // Ids below are other people's.
  static constexpr std::uint64_t first_id = 1ull << 62;

  // `send` carries a request to the syndicator.
  explicit HistoryReader(std::function<void(RequestFrame)> send) : send_(std::move(send)) {}

  // Called batch by batch in order; false ends the read early.
  using Each = std::function<bool(const BatchView&)>;
  // Called once: the read has come to its end, or to the stream's, or was ended by `each`; or why
  // it could not. `unavailable`, at once, while there is no connection; when the syndicator does
  // not answer; when too many reads are under way.
  using Done = std::function<void(Result<void>)>;
  void read(ReadRequest request, Each each, Done done, Micros now_monotonic);

  // False if the reply is to somebody else's request.
  bool replied(const ReplyFrame& frame, Micros now_monotonic);
  // To be called each second: reads that have not been answered for `answer_max` end with an error.
  void turn(Micros now_monotonic);
  // There is a connection, and it is new: nothing that was asked for before will be answered.
  void connected();
  void disconnected();

 private:
  static constexpr std::size_t reads_max = 32;
  static constexpr Micros answer_max = std::chrono::seconds{10};
  struct Reading {
    Each each;
    Done done;
    Micros last_heard{0};
  };
  void finish(std::uint64_t id, Result<void> how);
  void finish_all();

  bool connected_ = false;
  std::function<void(RequestFrame)> send_;
  std::map<std::uint64_t, Reading> readings_;
  std::uint64_t next_id_ = first_id;
};

}  // namespace hastur
