#include "supervisor/cli/deploy_commands.h"

#include <fmt/format.h>

#include <map>

#include "core/clock.h"
#include "core/json.h"
#include "core/loop.h"
#include "core/output.h"
#include "core/time.h"
#include "supervisor/cli/commands.h"
#include "supervisor/cli/text.h"

namespace hastur {
namespace {

// Of a commit's or a version's hash: what tells it from others.
constexpr std::size_t short_hash = 10;

std::string hash_of(const Json& object, const char* key) {
  return shown(object, key).substr(0, short_hash);
}

std::string time_of(const Json& deployment) {
  const auto found = deployment.find("time");
  if (found == deployment.end() || !found->is_number_integer()) return "";
  return format_time(time_from_us(found->get<std::int64_t>()));
}

Json changes_of(const Json& deployment) {
  const auto found = deployment.find("changes");
  return found != deployment.end() && found->is_array() ? *found : Json::array();
}

// "new", "changed", "removed", "was old/name"; "refused" of one that came late and could not.
std::string what_changed(const Json& change) {
  if (shown(change, "outcome").starts_with("refused")) return "refused";
  if (const std::string was = shown(change, "was"); !was.empty()) return "was " + was;
  if (shown(change, "version").empty()) return "removed";
  if (shown(change, "before").empty()) return "new";
  const std::string why = shown(change, "why");
  return why == "deploy" ? "changed" : why;
}

std::string summary(const Json& deployment) {
  std::map<std::string, int> counts;
  for (const Json& change : changes_of(deployment)) {
    const std::string what = what_changed(change);
    ++counts[what.starts_with("was ") ? "renamed" : what];
  }
  std::string out;
  for (const auto& [what, count] : counts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, what);
  return out.empty() ? "nothing" : out;
}

constexpr Micros asked_every = std::chrono::milliseconds{200};
// A supervisor that starts again goes on with a replay.
constexpr Micros silent_max = std::chrono::seconds{60};

bool replay_is_open(const std::string& replay) {
  return replay == "waiting" || replay == "running";
}

// Asks until the replay of the deployment has come to its end: what has become of it.
Result<std::string> await_replay(HttpClient& http, const std::string& id) {
  SystemClock clock;
  Loop loop;
  Micros heard = clock.monotonic();
  while (true) {
    const auto now = http.get_json("/v1/deployments/" + url_path(id));
    if (now) {
      heard = clock.monotonic();
      if (std::string replay = shown(*now, "replay"); !replay_is_open(replay)) return replay;
    } else if (now.error().code == ErrorCode::not_found ||
               clock.monotonic() - heard >= silent_max) {
      return fail(now.error());
    }
    loop.run_some(asked_every);
  }
}

std::string shown_report(const Json& deployment) {
  const auto found = deployment.find("report");
  return found != deployment.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string deployment_table(const Json& items) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& item : items) {
    const Json changes = changes_of(item);
    const std::string subject = shown(item, "subject");
    rows.push_back({shown(item, "id"), time_of(item), shown(item, "kind"), shown(item, "verdict"),
                    shown(item, "sequence"), hash_of(item, "commit"), shown(item, "author"),
                    changes.size() == 1 ? fmt::format("{} {}", shown(changes[0], "trigger"),
                                                      what_changed(changes[0]))
                                        : summary(item),
                    cut(subject, 50)});
  }
  if (rows.empty()) return "nothing was deployed yet\n";
  return table(
      {"ID", "TIME", "KIND", "VERDICT", "SEQUENCE", "COMMIT", "AUTHOR", "CHANGED", "SUBJECT"},
      rows);
}

std::string deployment_page(const Json& deployment) {
  std::string out = fmt::format("{}  {}  {}\n", shown(deployment, "id"), shown(deployment, "kind"),
                                shown(deployment, "verdict"));
  for (const char* key : {"commit", "author", "subject", "sequence", "replay"}) {
    if (const std::string value = shown(deployment, key); !value.empty())
      out += fmt::format("{:<9} {}\n", key, value);
  }
  out += fmt::format("{:<9} {}\n", "time", time_of(deployment));
  std::vector<std::vector<std::string>> rows;
  for (const Json& change : changes_of(deployment)) {
    rows.push_back({shown(change, "trigger"), what_changed(change), hash_of(change, "before"),
                    hash_of(change, "version"), shown(change, "outcome")});
  }
  if (!rows.empty()) out += "\n" + table({"TRIGGER", "WHAT", "BEFORE", "AFTER", "OUTCOME"}, rows);
  const auto report = deployment.find("report");
  if (report != deployment.end() && report->is_string() && !report->empty()) {
    out += "\n" + printable_lines(report->get_ref<const std::string&>());
  }
  return out;
}

int deployments_command(HttpClient& http, const DeployOptions& options) {
  if (!options.deployment.empty()) {
    const auto one = http.get_json("/v1/deployments/" + url_path(options.deployment));
    if (!one) return complain(one.error());
    fmt::print("{}", options.json ? canonical_json(*one) + "\n" : deployment_page(*one));
    return 0;
  }
  std::string path = fmt::format("/v1/deployments?limit={}", options.limit);
  if (!options.trigger.empty()) path += "&trigger=" + url_path(options.trigger);
  const auto answer = http.get_json(path);
  if (!answer) return complain(answer.error());
  fmt::print("{}", options.json ? canonical_json(*answer) + "\n"
                                : deployment_table(answer->value("items", Json::array())));
  return 0;
}

int rollback_command(HttpClient& http, const DeployOptions& options) {
  const auto answer = order(http, "rollback",
                            {{"trigger", options.trigger},
                             {"before", options.deployment},
                             {"replay", !options.no_replay},
                             {"why", options.why}},
                            options.token_file);
  if (!answer) return complain(answer.error());
  const std::string id = shown(*answer, "id");
  fmt::print(
      "{} is back at its version and state of before, from sequence {} on ({})\n"
      "it stays there until its file changes, or: hastur unpin {}\n",
      options.trigger, shown(*answer, "sequence"), id, options.trigger);
  if (!replay_is_open(shown(*answer, "replay"))) return 0;
  fmt::print("History since then is replayed; it goes on without you, too (Ctrl-C)\n");
  std::fflush(stdout);
  const auto replay = await_replay(http, id);
  if (!replay) {
    print_error("hastur: {}\nhastur deployments {} shows what becomes of the replay\n",
                printable_lines(replay.error().message), id);
    return 1;
  }
  if (*replay == "done") {
    fmt::print("done: its state is as if it had never been another\n");
    return 0;
  }
  const Json changes = changes_of(*answer);
  print_error(
      "hastur: the replay {}\n"
      "it goes on without what History holds since then; to try again:\n"
      "  hastur replay --trigger {} --from {} --into live --notify pending --yes\n",
      printable_lines(*replay), options.trigger,
      changes.empty() ? "" : shown(changes.front(), "snapshot"));
  return 1;
}

int deploy_command(HttpClient& http, const DeployOptions& options) {
  const auto answer = order(
      http, "deploy", {{"only", options.trigger}, {"commit", options.commit}, {"why", options.why}},
      options.token_file);
  if (!answer) {
    print_error("hastur: {}", printable_lines(answer.error().message));
    return 1;
  }
  fmt::print(
      "{}{} runs as of {}, from sequence {} on ({})\n"
      "it stays there until its file changes, or: hastur unpin {}\n",
      printable_lines(shown_report(*answer)), options.trigger, hash_of(*answer, "commit"),
      shown(*answer, "sequence"), shown(*answer, "id"), options.trigger);
  return 0;
}

int unpin_command(HttpClient& http, const DeployOptions& options) {
  const auto answer = order(http, "unpin", {{"trigger", options.trigger}}, options.token_file);
  if (!answer) return complain(answer.error());
  fmt::print("{} follows its file again\n", options.trigger);
  return 0;
}

}  // namespace hastur
