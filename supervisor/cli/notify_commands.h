#pragma once

// The commands of `hastur` about notifications: what was asked for, what is open, and orders about
// what may leave. Exit codes as in commands.h.

#include <cstdint>
#include <string>

#include "supervisor/cli/http_client.h"

namespace hastur {

struct NotifyOptions {
  // on, record, off, default; empty: only shows.
  std::string mode;
  std::string channel;
  std::string trigger;
  // A span; empty: until another order.
  std::string span;
  std::string why;
  bool release = false;
  std::string token_file;
};
// Gives the order, and shows what is in force.
int notify_command(HttpClient& http, const NotifyOptions& options);
// `trigger` is TRIGGER or TRIGGER/KEY.
int silence_command(HttpClient& http, const NotifyOptions& options);
int unsilence_command(HttpClient& http, const std::string& id, const NotifyOptions& options);

struct NotificationsOptions {
  // list, show, release, close
  std::string action = "list";
  std::string id;
  std::string status;
  std::string trigger;
  // Not older than this time.
  std::string since;
  // The newest first, older than this one; or from the one after this one on, the oldest first.
  // Both empty: the newest.
  std::string before;
  std::string after;
  std::uint64_t limit = 100;
  std::string why;
  std::string token_file;
  bool json = false;
};
// A list is asked for page by page, until it has `limit` or there are no more.
int notifications_command(HttpClient& http, const NotificationsOptions& options);
int incidents_command(HttpClient& http, const std::string& trigger, bool closed_too, bool json);
// Exit code 1 also when the test did not arrive.
int notify_test_command(HttpClient& http, const NotifyOptions& options);

}  // namespace hastur
