#pragma once

// Follows what the supervisor sees: asks for what came since the last look. `hastur tail` and
// `hastur demo` look through it.

#include <set>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/time.h"
#include "supervisor/cli/http_client.h"

namespace hastur {

class MessageWatch {
 public:
  // `name` may hold '*'; empty for all.
  MessageWatch(HttpClient& http, std::string name, bool derived)
      : http_(http), name_(std::move(name)), derived_(derived) {}

  // What came since the last look, in order; nothing at the first, which only finds the stream's
  // end. After `pages_max` full pages the rest is passed over and `passed_over` set: who looks is
  // too slow for the stream.
  Result<std::vector<Json>> look(bool& passed_over);

 private:
  HttpClient& http_;
  std::string name_;
  bool derived_;
  // Everything up to here has been looked at; empty before the first look.
  std::string since_;
};

class NotificationWatch {
 public:
  // From those of `since` on.
  NotificationWatch(HttpClient& http, Time since) : http_(http), since_(since) {}

  // Each notification once, in order.
  Result<std::vector<Json>> look();

 private:
  HttpClient& http_;
  Time since_;
  std::string after_;
  std::set<std::string> seen_;
};

struct TailOptions {
  std::string name;
  bool derived = false;
  bool notifications = false;
  bool json = false;
  // Ends after so many lines; 0 for never.
  std::uint64_t count = 0;
};
// Prints a line each, until SIGINT or SIGTERM. Returns the exit code.
int tail_command(HttpClient& http, const TailOptions& options, Loop& loop, Time now);

}  // namespace hastur
