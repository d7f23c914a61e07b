#include "supervisor/cli/watch.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "core/json.h"
#include "core/output.h"
#include "supervisor/cli/render.h"

namespace hastur {
namespace {

constexpr std::uint64_t page_max = 1'000;
constexpr int pages_max = 5;
constexpr Micros look_period = std::chrono::milliseconds{500};

// `next` of a list: a number, a text, or null at the end.
std::string next_of(const Json& answer) {
  const Json next = answer.value("next", Json(nullptr));
  if (next.is_null()) return {};
  return next.is_string() ? next.get<std::string>() : canonical_json(next);
}

std::vector<Json> items_of(const Json& answer) {
  Json items = answer.value("items", Json::array());
  std::vector<Json> out;
  for (Json& item : items) out.push_back(std::move(item));
  return out;
}

}  // namespace

Result<std::vector<Json>> MessageWatch::look(bool& passed_over) {
  passed_over = false;
  std::vector<Json> found;
  HttpClient::Query query;
  if (since_.empty()) {
    query["limit"] = "1";
    const auto newest = http_.get_json("/v1/messages", query);
    if (!newest) return fail(newest.error());
    since_ = next_of(*newest);
    return found;
  }
  if (!name_.empty()) query["name"] = name_;
  if (derived_) query["derived"] = "true";
  query["limit"] = std::to_string(page_max);
  for (int page = 0; page < pages_max; ++page) {
    query["after"] = since_;
    auto answer = http_.get_json("/v1/messages", query);
    if (!answer) return fail(answer.error());
    if (const std::string next = next_of(*answer); !next.empty()) since_ = next;
    std::vector<Json> items = items_of(*answer);
    const bool full = items.size() >= page_max;
    for (Json& item : items) found.push_back(std::move(item));
    if (!full) return found;
  }
  passed_over = true;
  since_.clear();
  return found;
}

Result<std::vector<Json>> NotificationWatch::look() {
  std::vector<Json> found;
  while (true) {
    HttpClient::Query query{{"since", std::to_string(to_us(since_))},
                            {"limit", std::to_string(page_max)}};
    if (!after_.empty()) query["after"] = after_;
    auto answer = http_.get_json("/v1/notifications", query);
    if (!answer) return fail(answer.error());
    const std::string next = next_of(*answer);
    for (Json& item : items_of(*answer)) {
      const Json id = item.value("id", Json(nullptr));
      if (seen_.insert(canonical_json(id)).second) found.push_back(std::move(item));
    }
    if (next.empty() || next == after_) return found;
    // What is before the cursor does not come again.
    after_ = next;
    seen_.clear();
  }
}

int tail_command(HttpClient& http, const TailOptions& options, Loop& loop, Time now) {
  MessageWatch messages(http, options.name, options.derived);
  NotificationWatch notifications(http, now);
  int exit_code = 0;
  std::uint64_t printed = 0;

  const auto look = [&] {
    bool passed_over = false;
    auto found = options.notifications ? notifications.look() : messages.look(passed_over);
    if (!found) {
      print_error("hastur: {}\n", found.error().message);
      exit_code = 1;
      loop.stop();
      return;
    }
    for (const Json& item : *found) {
      const std::string line = options.json            ? canonical_json(item)
                               : options.notifications ? notification_line(item)
                                                       : message_line(item);
      fmt::print("{}\n", line);
      if (++printed == options.count) {
        loop.stop();
        break;
      }
    }
    if (passed_over)
      print_error("hastur: too many to show; some were passed over (--name shows fewer)\n");
    // Whoever reads the lines has gone.
    if (std::fflush(stdout) != 0) loop.stop();
  };
  const auto signals = loop.on_signals({SIGINT, SIGTERM}, [&](int) { loop.stop(); });
  const auto timer = loop.every(look_period, look);
  look();
  loop.run();
  return exit_code;
}

}  // namespace hastur
