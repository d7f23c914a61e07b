#pragma once

// Carries requests to receivers, on threads of its own: whatever a receiver does, nobody else waits
// for it. One thread serves all but mail; each mail server has another, because libcurl waits for a
// server's goodbye.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "supervisor/notify/request.h"

namespace hastur {

class Transfers {
 public:
  // Called once for each start(), on a thread of the transfers.
  using Done = std::function<void(std::uint64_t attempt, Answer answer)>;

  explicit Transfers(Done done);
  // Breaks off what is under way; `done` is not called any more. Takes a second at most.
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  // By its owner only. Ends soon after the request's timeout, whatever happens.
  void start(std::uint64_t attempt, OutgoingRequest request);

 private:
  class Thread;
  Done done_;
  std::unique_ptr<Thread> thread_;
  std::map<std::string, std::unique_ptr<Thread>> mail_threads_;
};

}  // namespace hastur
