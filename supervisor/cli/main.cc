// hastur: the one command that people type. It holds nothing; it asks the supervisor or starts the
// other programs.

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/command_line.h"
#include "core/log.h"
#include "core/loop.h"
#include "core/output.h"
#include "supervisor/cli/commands.h"
#include "supervisor/cli/demo.h"
#include "supervisor/cli/deploy_commands.h"
#include "supervisor/cli/handed_on.h"
#include "supervisor/cli/hook_command.h"
#include "supervisor/cli/host_metrics_command.h"
#include "supervisor/cli/init_repo.h"
#include "supervisor/cli/notify_commands.h"
#include "supervisor/cli/patience.h"
#include "supervisor/cli/places.h"
#include "supervisor/cli/watch.h"

namespace {

using namespace hastur;

constexpr Micros answer_max = std::chrono::seconds{10};
// What waits for a commit to be judged, or for a deployment to be decided.
constexpr Micros verdict_max = std::chrono::minutes{30};

// The folder that the syndicator names in the same file, if it can be read; it is the one that says
// what is wrong with it.
std::string history_folder(const std::string& config) {
  std::string history = "hastur/history";
  Settings settings;
  settings.pass_over_unknown();
  settings.section("syndicator").text("history", &history, "", false);
  (void)settings.read_file(config.empty() ? "hastur.toml" : config);
  return history;
}

// Both databases, one after the other: 0 if both are sound.
int check_both(const std::string& config) {
  int exit_code = 0;
  for (const std::string name : {"syndicator", "supervisor"}) {
    std::vector<std::string> words = {program_beside(name), "check"};
    if (!config.empty()) words.insert(words.begin() + 1, {"--config", config});
    if (name == "supervisor") words.insert(words.end(), {"--history", history_folder(config)});
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = 0;
    int status = 0;
    const int error =
        posix_spawn(&child, words[0].c_str(), nullptr, nullptr, arguments.data(), environ);
    if (error != 0 || waitpid(child, &status, 0) != child) {
      print_error("hastur: cannot start {}: {}\n", words[0], strerror(error != 0 ? error : errno));
      return 1;
    }
    exit_code = std::max(exit_code, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  return exit_code;
}

int run(int argc, char** argv) {
  CommandLine line("hastur", "Triggers on the stream of everything that systems report.");
  // What is not given stands in hastur.toml, or is as always.
  const std::string udp_help = "the syndicator's UDP address [of hastur.toml, else 127.0.0.1:8125]";
  const std::string http_help =
      "the supervisor's HTTP address [of hastur.toml, else 127.0.0.1:8127]";
  std::string http;

  CommandLine& send =
      line.command("send", "Send a message, or with TYPE \"-\" each line of standard input");
  SendOptions send_options;
  send.required_text("TYPE", &send_options.words.type, "gauge, counter, mark, event, log … or -");
  send.text("NAME", &send_options.words.name, "what it is called");
  send.text("VALUE", &send_options.words.value, "its value");
  send.list("--label", &send_options.words.labels, "key=value; may be given again");
  send.list("--field", &send_options.words.fields,
            "any other field, key=value; may be given again");
  send.text("--to", &send_options.to, udp_help);

  const auto asks = [&](CommandLine& command) { command.text("--http", &http, http_help); };
  bool json = false;
  CommandLine& list = line.command("list", "List the triggers");
  asks(list);
  list.flag("--json", &json, "print the answer as JSON");

  CommandLine& show = line.command("show", "Show one trigger and its state");
  std::string name;
  asks(show);
  show.required_text("NAME", &name, "the trigger, as list shows it");
  show.flag("--json", &json, "print the answer as JSON");

  CommandLine& status =
      line.command("status", "Say how the supervisor is doing; exit code 1 if badly");
  asks(status);

  CommandOptions act_options;
  const auto acts = [&](CommandLine& command) {
    asks(command);
    command.required_text("NAME", &act_options.trigger, "the trigger, as list shows it");
    command.text("--why", &act_options.why, "the reason, kept with the decision");
    command.text(
        "--token-file", &act_options.token_file,
        "holds the supervisor's token; else $HASTUR_TOKEN_FILE, hastur/token or build/run/token");
  };
  CommandLine& pause = line.command("pause", "Give a trigger no more inputs");
  acts(pause);
  CommandLine& resume = line.command("resume", "Let a paused trigger go on from now");
  acts(resume);

  CommandLine& snapshots =
      line.command("snapshots", "List the memories of a trigger that are kept");
  asks(snapshots);
  snapshots.required_text("NAME", &name, "the trigger, as list shows it");
  snapshots.flag("--json", &json, "print the answer as JSON");
  CommandLine& restore =
      line.command("restore", "Let a trigger go on from now with a memory of before");
  acts(restore);
  restore.required_text("SNAPSHOT", &act_options.snapshot, "the memory, as snapshots shows it");

  DeployOptions deploy_options;
  CommandLine& deployments =
      line.command("deployments", "List what changed the set of triggers; with an ID show it");
  asks(deployments);
  deployments.text("ID", &deploy_options.deployment, "as the list shows it: d-12");
  deployments.text("--trigger", &deploy_options.trigger, "only what changed this trigger");
  deployments.number("--limit", &deploy_options.limit, "at most so many");
  deployments.flag("--json", &deploy_options.json, "print the answer as JSON");
  const auto goes_back = [&](CommandLine& command) {
    asks(command);
    command.required_text("NAME", &deploy_options.trigger, "the trigger, as list shows it");
    command.text("--token-file", &deploy_options.token_file, "holds the supervisor's token");
  };
  CommandLine& rollback =
      line.command("rollback", "Take a trigger back to its code and state of before");
  goes_back(rollback);
  rollback.text("--before", &deploy_options.deployment,
                "the deployment to undo, d-12; else the one that brought what runs");
  rollback.text("--why", &deploy_options.why, "the reason, kept with the decision");
  rollback.flag("--no-replay", &deploy_options.no_replay,
                "do not run History since through it: it goes on with the state of before");
  CommandLine& deploy = line.command("deploy", "Run one trigger as a commit has it, and pin it");
  asks(deploy);
  deploy.required_text("--only", &deploy_options.trigger,
                       "the trigger; its libraries come with it");
  deploy.required_text("COMMIT", &deploy_options.commit, "a hash, a branch or a tag of the repo");
  deploy.text("--why", &deploy_options.why, "the reason, kept with the decision");
  deploy.text("--token-file", &deploy_options.token_file, "holds the supervisor's token");
  CommandLine& unpin = line.command("unpin", "Let a trigger follow its file again");
  goes_back(unpin);

  CommandLine& init_repo =
      line.command("init-repo", "Make a git repository of triggers, with the gate installed");
  InitRepoOptions init_options;
  init_repo.required_text("PATH", &init_options.path, "where; nothing may be there yet");
  init_repo.text("--branch", &init_options.branch, "the branch that says what runs");
  init_repo.text("--config", &init_options.config,
                 "the daemons' file, which says where the supervisor is [hastur.toml]");
  init_repo.text("--http", &init_options.http, "the supervisor's HTTP address");
  init_repo.text("--token-file", &init_options.token_file, "holds the supervisor's token");
  CommandLine& hook = line.command("hook", "What git runs in such a repository on a push");
  HookOptions hook_options;
  asks(hook);
  hook.required_text("KIND", &hook_options.kind, "pre-receive or post-receive");
  hook.text("--branch", &hook_options.branch, "the branch that says what runs");
  hook.text("--token-file", &hook_options.token_file, "holds the supervisor's token");

  NotifyOptions notify_options;
  const auto orders = [&](CommandLine& command) {
    asks(command);
    command.text("--token-file", &notify_options.token_file, "holds the supervisor's token");
  };
  const auto gives_reason = [&](CommandLine& command) {
    command.text("--why", &notify_options.why, "the reason, kept with the order");
  };
  CommandLine& notify = line.command("notify", "Say what happens to notifications, and show it");
  orders(notify);
  gives_reason(notify);
  notify.text("MODE", &notify_options.mode, "on, record, off, or default: as configured");
  notify.text("--channel", &notify_options.channel, "only of this channel");
  notify.text("--trigger", &notify_options.trigger, "only of this trigger");
  notify.text("--for", &notify_options.span, "so long, as 2h; else until another order");
  notify.flag("--release", &notify_options.release,
              "send what is open and was only recorded until now");
  CommandLine& silence = line.command("silence", "Hold back what a trigger asks for, for a while");
  orders(silence);
  gives_reason(silence);
  silence.required_text("TRIGGER", &notify_options.trigger,
                        "TRIGGER, or TRIGGER/KEY: one incident of it");
  silence.required_text("SPAN", &notify_options.span, "how long, as 2h");
  CommandLine& unsilence = line.command("unsilence", "End a silence");
  std::string silence_id;
  orders(unsilence);
  gives_reason(unsilence);
  unsilence.required_text("ID", &silence_id, "as notify shows it: q-3");
  CommandLine& notify_test = line.command("notify-test", "Send a test on a channel");
  orders(notify_test);
  notify_test.required_text("CHANNEL", &notify_options.channel, "as notify shows it");

  NotificationsOptions notifications_options;
  CommandLine& notifications =
      line.command("notifications", "List notifications; show, release or close one");
  asks(notifications);
  notifications.text("ACTION", &notifications_options.action, "list, show, release or close");
  notifications.text("ID", &notifications_options.id, "n-4f21");
  notifications.text("--status", &notifications_options.status,
                     "recorded, waiting, sent, pending, closed or failed");
  notifications.text("--trigger", &notifications_options.trigger, "only of this trigger");
  notifications.text("--since", &notifications_options.since,
                     "not older than this time, as 2024-01-31T12:00:00Z");
  notifications.text("--before", &notifications_options.before,
                     "those before this one, the newest first [the newest of all]");
  notifications.text("--after", &notifications_options.after,
                     "those after this one, the oldest first");
  notifications.number("--limit", &notifications_options.limit, "at most so many");
  notifications.text("--why", &notifications_options.why, "the reason to close one");
  notifications.text("--token-file", &notifications_options.token_file,
                     "holds the supervisor's token");
  notifications.flag("--json", &notifications_options.json, "print the answer as JSON");
  CommandLine& incidents = line.command("incidents", "List incidents that are open");
  bool closed_too = false;
  asks(incidents);
  incidents.text("--trigger", &notify_options.trigger, "only of this trigger");
  incidents.flag("--closed", &closed_too, "those that have closed, too");
  incidents.flag("--json", &json, "print the answer as JSON");

  CommandLine& tail = line.command("tail", "Show messages as they come");
  TailOptions tail_options;
  asks(tail);
  tail.text("--name", &tail_options.name, "only messages of this name; * stands for anything");
  tail.flag("--derived", &tail_options.derived, "only what triggers derived");
  tail.flag("--notifications", &tail_options.notifications, "notifications instead of messages");
  tail.flag("--json", &tail_options.json, "print each as JSON");
  tail.number("--count", &tail_options.count, "end after so many; 0 for never");

  CommandLine& metrics = line.command("host-metrics", "Send what this host says of itself");
  std::string to;
  Micros period = std::chrono::seconds{1};
  metrics.text("--to", &to, udp_help);
  metrics.span("--every", &period, "how often, at least 1s", std::chrono::seconds{1});

  CommandLine& demo =
      line.command("demo", "Run everything on this host's own metrics, and show it");
  DemoOptions demo_options;
  demo.text("--directory", &demo_options.directory,
            "where configuration, databases and logs are kept");
  demo.text("--triggers", &demo_options.triggers, "the folder of triggers");

  CommandLine& check = line.command("check", "Say whether History and the state file are sound");
  std::string config;
  check.text("--config", &config, "the daemons' file [hastur.toml]");

  // The other programs know their flags.
  for (const HandedOn& other : handed_on()) {
    line.command(other.name, fmt::format("{}; see {} --help", other.about, other.name));
    if (argc > 1 && std::string_view(argv[1]) == other.name) return hand_on(other, argv + 2);
  }

  if (const auto code = line.parse(argc, argv)) return *code;

  if (check.chosen()) return check_both(config);
  SystemClock clock;
  const bool sends = send.chosen() || metrics.chosen();
  const bool knows = init_repo.chosen() || demo.chosen();
  if (!knows && (sends ? send_options.to + to : http).empty()) {
    const auto places = read_places();
    if (!places) {
      print_error("hastur: {}\n", places.error().message);
      return 2;
    }
    http = places->http;
    send_options.to = to = places->udp;
  }
  if (send.chosen()) return send_command(send_options, std::cin, clock.now());
  if (init_repo.chosen())
    return init_repo_command(init_options, program_beside("hastur"), clock.now());
  const bool changes_versions = deploy.chosen() || rollback.chosen() || restore.chosen();
  HttpClient client(http, changes_versions || hook.chosen() ? verdict_max : answer_max);
  if (changes_versions) {
    wait_patiently(
        client, {}, [](std::string_view said) { print_error("hastur: {}", said); },
        "it is not decided yet; that goes on without you, too (Ctrl-C)");
  }
  if (deploy.chosen()) return deploy_command(client, deploy_options);
  if (list.chosen()) return list_command(client, json);
  if (show.chosen()) return show_command(client, name, json);
  if (pause.chosen()) return trigger_command(client, "pause", act_options);
  if (resume.chosen()) return trigger_command(client, "resume", act_options);
  if (snapshots.chosen()) return snapshots_command(client, name, json);
  if (restore.chosen()) return trigger_command(client, "restore", act_options);
  if (deployments.chosen()) return deployments_command(client, deploy_options);
  if (rollback.chosen()) return rollback_command(client, deploy_options);
  if (unpin.chosen()) return unpin_command(client, deploy_options);
  if (notify.chosen()) return notify_command(client, notify_options);
  if (silence.chosen()) return silence_command(client, notify_options);
  if (unsilence.chosen()) return unsilence_command(client, silence_id, notify_options);
  if (notify_test.chosen()) return notify_test_command(client, notify_options);
  if (notifications.chosen()) return notifications_command(client, notifications_options);
  if (incidents.chosen())
    return incidents_command(client, notify_options.trigger, closed_too, json);
  if (status.chosen()) return status_command(client);
  Loop loop;
  if (hook.chosen()) {
    hook_options.trigger_test = program_beside("trigger-test");
    return hook_command(client, hook_options, std::cin, loop, clock);
  }
  if (tail.chosen()) return tail_command(client, tail_options, loop, clock.now());
  if (metrics.chosen()) {
    start_log("host-metrics", LogLevel::info);
    return host_metrics_command(to, period, loop, clock);
  }
  return demo_command(demo_options, loop, clock);
}

}  // namespace

int main(int argc, char** argv) {
  hastur::expect_full_files();
  return hastur::end_output("hastur", run(argc, argv));
}
