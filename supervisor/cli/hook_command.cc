#include "supervisor/cli/hook_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "core/fd.h"
#include "supervisor/cli/commands.h"
#include "supervisor/cli/text.h"
#include "trigger-runtime/sources/commit_json.h"
#include "trigger-runtime/sources/ref_update.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {
namespace {

// A trigger that is behind comes to the switch on its own; nobody waits longer for it.
constexpr Micros live_max = std::chrono::seconds{10};
constexpr Micros look_every = std::chrono::milliseconds{50};

std::string short_of(std::string_view commit) { return std::string(commit.substr(0, 10)); }

void say(std::string_view text) {
  fmt::print("{}", printable_lines(text));
  std::fflush(stdout);
}

// trigger-test in this one's place, told of the same update.
int run_tests_alone(const HookOptions& options, const RefUpdate& update, const std::string& why) {
  say(fmt::format(
      "{}\nthe supervisor judges nothing now: the tests are run here alone, without what "
      "runs and without the stream of late\n",
      why));
  const std::string line = fmt::format("{} {} {}\n", update.before, update.after, update.ref);
  int ends[2];
  if (pipe(ends) != 0 ||
      write(ends[1], line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    say(fmt::format("cannot hand on what is pushed: {}\n", strerror(errno)));
    return 1;
  }
  dup2(ends[0], STDIN_FILENO);
  close(ends[0]);
  close(ends[1]);
  std::vector<std::string> words = {options.trigger_test, "--pre-receive", "--branch",
                                    options.branch};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  say(fmt::format("cannot start {}: {}\n", options.trigger_test, strerror(errno)));
  return 1;
}

int judge(HttpClient& http, const HookOptions& options, const RefUpdate& update) {
  if (update.is_delete()) {
    say(
        fmt::format("the branch {} says which triggers run: it cannot be deleted; remove the files "
                    "of those that are to end\n",
                    options.branch));
    return 1;
  }
  const auto repository = GitRepository::open_from_environment();
  const auto commit = repository ? repository->read(update.after) : fail(repository.error());
  if (!commit) {
    say(commit.error().message + "\n");
    return 1;
  }
  const auto token = read_token_file(options.token_file);
  if (!token) return run_tests_alone(options, update, token.error().message);
  Json body = commit_to_json(*commit);
  body["branch"] = options.branch;
  const auto verdict = http.post_json("/v1/commands/judge", body, *token);
  if (!verdict) return run_tests_alone(options, update, verdict.error().message);
  say(verdict->value("report", ""));
  const bool accepted = verdict->value("accepted", false);
  if (!accepted) say(fmt::format("{} is refused: what runs stays\n", short_of(update.after)));
  return accepted ? 0 : 1;
}

bool is_pending(const Json& deployment) {
  const auto changes = deployment.find("changes");
  return changes != deployment.end() && std::ranges::any_of(*changes, [](const Json& change) {
           return change.value("outcome", "") == "pending";
         });
}

// The push has been taken already: whatever comes, the exit code changes nothing.
int tell_when_live(HttpClient& http, const HookOptions& options, const RefUpdate& update,
                   Loop& loop, Clock& clock) {
  const auto token = read_token_file(options.token_file);
  auto decided =
      token ? http.post_json("/v1/commands/follow",
                             {{"commit", update.after}, {"branch", options.branch}}, *token)
            : fail(token.error());
  if (!decided) {
    say(fmt::format("{} is not live yet: {}\n", short_of(update.after), decided.error().message));
    return 0;
  }
  const std::string commit = decided->value("commit", update.after);
  const std::string path = "/v1/deployments/" + url_path(decided->value("id", ""));
  const Micros start = clock.monotonic();
  while (is_pending(*decided) && clock.monotonic() - start < live_max) {
    loop.run_some(look_every);
    auto now = http.get_json(path);
    if (!now) break;
    decided = std::move(now);
  }
  say(live_line(*decided, update.after));
  return 0;
}

}  // namespace

std::string live_line(const Json& deployment, std::string_view commit) {
  const std::string id = deployment.value("id", "");
  const auto sequence = deployment.find("sequence");
  if (sequence == deployment.end() || !sequence->is_number_integer()) {
    return fmt::format("{} is not live: it was refused ({})\n{}", short_of(commit), id,
                       deployment.value("report", ""));
  }
  const std::string at = format_time(time_from_us(deployment.value("time", std::int64_t{0})));
  const std::string taken = deployment.value("commit", "");
  std::string out = fmt::format("live at {}, sequence {} ({})", at, sequence->dump(), id);
  if (!taken.empty() && taken != commit) out += fmt::format(", as part of {}", short_of(taken));
  out += "\n";
  for (const Json& change : deployment.value("changes", Json::array())) {
    const std::string outcome = change.value("outcome", "");
    if (outcome == "live" || outcome == "gone") continue;
    out += fmt::format(
        "  {}: {}\n", change.value("trigger", ""),
        outcome == "pending" ? "is behind, and has yet to come to that sequence" : outcome);
  }
  return out;
}

int hook_command(HttpClient& http, const HookOptions& options, std::istream& input, Loop& loop,
                 Clock& clock) {
  std::optional<RefUpdate> ours;
  for (std::string line; std::getline(input, line);) {
    const auto update = parse_ref_update(line);
    if (!update) {
      say("hastur hook reads the lines that git hands to a hook: OLD NEW REF\n");
      return 1;
    }
    if (update->branch() == options.branch) ours = update;
  }
  if (!ours) return 0;
  const bool judges = options.kind == "pre-receive";
  wait_patiently(http, options.patience, say,
                 judges ? "the supervisor has not judged it yet, and goes on"
                        : "the push is taken, and not decided yet: what was decided before comes "
                          "first, and a trigger that is behind holds up what changes it again");
  if (judges) return judge(http, options, *ours);
  return ours->is_delete() ? 0 : tell_when_live(http, options, *ours, loop, clock);
}

}  // namespace hastur
