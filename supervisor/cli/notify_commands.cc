#include "supervisor/cli/notify_commands.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "core/output.h"
#include "core/time.h"
#include "supervisor/cli/commands.h"
#include "supervisor/cli/text.h"

namespace hastur {
namespace {

std::string time_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return "";
  return format_time(time_from_us(found->get<std::int64_t>()));
}

Json items_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : Json::array();
}

void print_incidents(const Json& items) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& item : items) {
    rows.push_back({shown(item, "state"), shown(item, "trigger"), cut(shown(item, "key"), 80),
                    shown(item, "channel"), time_of(item, "opened"), time_of(item, "last_sent"),
                    shown(item, "newest")});
  }
  fmt::print("{}", table({"STATE", "TRIGGER", "KEY", "CHANNEL", "OPENED", "SENT", "NEWEST"}, rows));
}

void print_overview(const Json& overview) {
  fmt::print("mode {}\n", shown(overview, "mode"));
  for (const Json& each : items_of(overview, "orders")) {
    const bool silence = shown(each, "scope") == "silence";
    const std::string key = shown(each, "key");
    const std::string what =
        silence ? fmt::format("{} silence of {}", shown(each, "id"),
                              key.empty() ? shown(each, "name") : shown(each, "name") + "/" + key)
                : fmt::format("{} {}: {}", shown(each, "scope"), shown(each, "name"),
                              shown(each, "mode"));
    const std::string until = time_of(each, "until");
    fmt::print("{}{}, {}\n", what, until.empty() ? "" : " until " + until, shown(each, "why"));
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& channel : items_of(overview, "channels")) {
    rows.push_back({shown(channel, "name"), shown(channel, "kind"), shown(channel, "mode"),
                    shown(channel, "waiting"), shown(channel, "sent"), shown(channel, "failed"),
                    shown(channel, "trouble")});
  }
  if (!rows.empty()) {
    fmt::print("\n{}",
               table({"CHANNEL", "KIND", "MODE", "WAITING", "SENT", "FAILED", "TROUBLE"}, rows));
  }
  if (const Json untold = items_of(overview, "untold"); !untold.empty()) {
    fmt::print("\nopen, and nobody was told (--release sends them):\n");
    print_incidents(untold);
  }
}

constexpr std::uint64_t page_max = 1'000;

// All pages of a list in one, until it has `limit` or there are no more. `cursor` is the argument
// that takes what `next` gives.
Result<Json> listed(HttpClient& http, const std::string& path, HttpClient::Query query,
                    const char* cursor, std::uint64_t limit) {
  Json all = Json::array();
  while (true) {
    const std::uint64_t left = limit - all.size();
    query["limit"] = std::to_string(std::min(std::max<std::uint64_t>(left, 1), page_max));
    auto page = http.get_json(path, query);
    if (!page) return page;
    for (const Json& item : items_of(*page, "items")) {
      if (all.size() < limit) all.push_back(item);
    }
    const Json next = page->value("next", Json());
    if (!next.is_number_unsigned() || all.size() >= limit)
      return Json{{"items", std::move(all)}, {"next", next}};
    query[cursor] = next.dump();
  }
}

Result<Json> listed(HttpClient& http, const NotificationsOptions& options) {
  if (!options.before.empty() && !options.after.empty())
    return fail(ErrorCode::invalid, "--before and --after are both given; keep one");
  const bool rises = !options.after.empty();
  HttpClient::Query query{{"order", rises ? "oldest" : "newest"}};
  if (rises) query["after"] = options.after;
  if (!options.before.empty()) query["before"] = options.before;
  if (!options.status.empty()) query["status"] = options.status;
  if (!options.trigger.empty()) query["trigger"] = options.trigger;
  if (!options.since.empty()) query["since"] = options.since;
  return listed(http, "/v1/notifications", std::move(query), rises ? "after" : "before",
                options.limit);
}

}  // namespace

int notify_command(HttpClient& http, const NotifyOptions& options) {
  if (options.mode.empty()) {
    const auto overview = http.get_json("/v1/notify");
    if (!overview) return complain(overview.error());
    print_overview(*overview);
    return 0;
  }
  const auto answer = order(http, "notify",
                            {{"mode", options.mode},
                             {"channel", options.channel},
                             {"trigger", options.trigger},
                             {"for", options.span},
                             {"why", options.why},
                             {"release", options.release}},
                            options.token_file);
  if (!answer) return complain(answer.error());
  if (options.release) fmt::print("{} released\n", shown(*answer, "released"));
  print_overview(*answer);
  return 0;
}

int silence_command(HttpClient& http, const NotifyOptions& options) {
  const auto answer = order(
      http, "silence", {{"trigger", options.trigger}, {"for", options.span}, {"why", options.why}},
      options.token_file);
  if (!answer) return complain(answer.error());
  fmt::print("{} until {}\n", shown(*answer, "id"), time_of(*answer, "until"));
  return 0;
}

int unsilence_command(HttpClient& http, const std::string& id, const NotifyOptions& options) {
  const auto answer =
      order(http, "unsilence", {{"id", id}, {"why", options.why}}, options.token_file);
  if (!answer) return complain(answer.error());
  fmt::print("{} has ended\n", id);
  return 0;
}

int notifications_command(HttpClient& http, const NotificationsOptions& options) {
  const bool acts = options.action == "release" || options.action == "close";
  if (options.action == "list") {
    const auto answer = listed(http, options);
    if (!answer) return complain(answer.error());
    if (options.json) {
      fmt::print("{}\n", canonical_json(*answer));
      return 0;
    }
    std::vector<std::vector<std::string>> rows;
    for (const Json& item : items_of(*answer, "items")) {
      rows.push_back({shown(item, "id"), time_of(item, "time"), shown(item, "status"),
                      shown(item, "trigger"), shown(item, "channel"), shown(item, "key"),
                      cut(shown(item, "text"), 60), cut(shown(item, "reason"), 60)});
    }
    fmt::print("{}",
               table({"ID", "TIME", "STATUS", "TRIGGER", "CHANNEL", "KEY", "TEXT", "WHY"}, rows));
    if (const Json next = answer->value("next", Json()); next.is_number_unsigned()) {
      print_error("there are more: {} n-{:04x}\n", options.after.empty() ? "--before" : "--after",
                  next.get<std::uint64_t>());
    }
    return 0;
  }
  if (!acts && options.action != "show") {
    return complain({ErrorCode::invalid, fmt::format("notifications has no '{}'; there are list, "
                                                     "show, release and close",
                                                     options.action)});
  }
  if (options.id.empty())
    return complain({ErrorCode::invalid,
                     fmt::format("say which, as in: notifications {} n-4f21", options.action)});
  const auto answer = acts ? order(http, options.action, {{"id", options.id}, {"why", options.why}},
                                   options.token_file)
                           : http.get_json("/v1/notifications/" + url_path(options.id));
  if (!answer) return complain(answer.error());
  if (acts) {
    fmt::print("{} is {}\n", options.id, shown(*answer, "status"));
  } else {
    fmt::print("{}\n", options.json ? canonical_json(*answer) : answer->dump(2));
  }
  return 0;
}

int incidents_command(HttpClient& http, const std::string& trigger, bool closed_too, bool json) {
  HttpClient::Query query;
  if (!trigger.empty()) query["trigger"] = trigger;
  if (closed_too) query["closed"] = "true";
  const auto answer = listed(http, "/v1/incidents", std::move(query), "after", UINT64_MAX);
  if (!answer) return complain(answer.error());
  if (json) {
    fmt::print("{}\n", canonical_json(*answer));
  } else {
    print_incidents(items_of(*answer, "items"));
  }
  return 0;
}

int notify_test_command(HttpClient& http, const NotifyOptions& options) {
  const auto answer =
      order(http, "notify-test", {{"channel", options.channel}}, options.token_file);
  if (!answer) return complain(answer.error());
  const std::string verdict = shown(*answer, "verdict");
  fmt::print("{}: {}\n", verdict, shown(*answer, "answer"));
  return verdict == "arrived" ? 0 : 1;
}

}  // namespace hastur
