#include "supervisor/cli/demo.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>

#include "core/json.h"
#include "supervisor/cli/child.h"
#include "supervisor/cli/demo_screen.h"
#include "supervisor/cli/demo_setup.h"
#include "supervisor/cli/http_client.h"
#include "supervisor/cli/render.h"
#include "supervisor/cli/watch.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

constexpr Micros start_max = std::chrono::seconds{30};
constexpr Micros stop_max = std::chrono::seconds{10};
constexpr Micros answer_max = std::chrono::seconds{2};
constexpr Micros look_period = std::chrono::seconds{1};
constexpr Micros wait_period = std::chrono::milliseconds{20};
constexpr std::size_t log_lines = 10;
// Where the output is no terminal, the status line is printed once in so many looks.
constexpr int plain_status_every = 10;

std::size_t terminal_columns() {
  winsize size{};
  if (isatty(STDOUT_FILENO) == 0) return 0;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// As a person in the current folder would name it.
std::string near_path(const fs::path& path) {
  std::error_code ignored;
  const std::string near = fs::proximate(path, ignored);
  return near.starts_with("..") ? path.string() : near;
}

class Demo {
 public:
  Demo(const DemoOptions& options, Loop& loop, Clock& clock)
      : loop_(loop),
        clock_(clock),
        directory_(fs::absolute(options.directory)),
        triggers_(fs::absolute(options.triggers)),
        terminal_(isatty(STDOUT_FILENO) != 0),
        columns_(terminal_columns()) {
    std::error_code ignored;
    programs_ = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  }

  int run() {
    const auto signals = loop_.on_signals({SIGINT, SIGTERM, SIGHUP}, [this](int) { stop_ = true; });
    const bool started = prepare() && start();
    if (started) {
      show_what_to_try();
      watch();
    }
    return end(started);
  }

 private:
  bool complain(const std::string& sentence) {
    say(fmt::format("hastur: {}", sentence));
    failed_ = true;
    return false;
  }

  // A line of its own; the status line, if one stands there, is taken away.
  void say(const std::string& line) {
    fmt::print("{}{}\n", status_stands_ ? "\r\x1b[K" : "", line);
    status_stands_ = false;
    std::fflush(stdout);
  }

  void say_status(const std::string& status) {
    if (terminal_) {
      fmt::print("\r\x1b[K{}", status);
      status_stands_ = true;
      std::fflush(stdout);
    } else if (looks_ % plain_status_every == 1) {
      say(status);
    }
  }

  // Folder, configuration, addresses.
  bool prepare() {
    std::error_code error;
    fs::create_directories(directory_, error);
    if (error)
      return complain(fmt::format("cannot make {}: {}", near_path(directory_), error.message()));
    if (!fs::is_directory(triggers_, error)) {
      return complain(
          fmt::format("there is no folder {}; --triggers names the one with the triggers",
                      near_path(triggers_)));
    }
    config_ = directory_ / "hastur.toml";
    if (!fs::exists(config_, error)) {
      std::ofstream file(config_);
      file << demo_config({}, directory_, triggers_);
      if (!file.flush()) return complain(fmt::format("cannot write {}", near_path(config_)));
      say(fmt::format("wrote {}", near_path(config_)));
    }
    const auto addresses = read_addresses(config_);
    if (!addresses) return complain(addresses.error().message);
    configured_ = *addresses;
    addresses_ = *addresses;
    const auto changes = avoid_taken_ports(addresses_);
    if (!changes) return complain(changes.error().message);
    for (const std::string& change : *changes) say(change);
    http_ = std::make_unique<HttpClient>(addresses_.http, answer_max);
    return true;
  }

  // The flags for what differs from the file.
  std::vector<std::string> with_addresses(std::vector<std::string> arguments,
                                          bool is_syndicator) const {
    const auto add = [&](const char* flag, const std::string& configured,
                         const std::string& actual) {
      if (configured == actual) return;
      arguments.emplace_back(flag);
      arguments.push_back(actual);
    };
    add("--publish", configured_.publish, addresses_.publish);
    add("--request", configured_.request, addresses_.request);
    if (is_syndicator) {
      add("--udp", configured_.udp, addresses_.udp);
    } else {
      add("--http", configured_.http, addresses_.http);
    }
    return arguments;
  }

  // Starts a program and waits until it is `ready`; says how long that took.
  bool stage(const std::string& name, const std::vector<std::string>& arguments,
             const std::string& what, const std::function<bool()>& ready) {
    const Micros begin = clock_.monotonic();
    if (!arguments.empty()) {
      auto child = Child::start(name, arguments, directory_ / (name + ".log"));
      if (!child) return complain(child.error().message);
      children_.push_back(std::move(*child));
    }
    while (!ready()) {
      if (stop_ || report_the_dead()) return false;
      if (clock_.monotonic() - begin > start_max) {
        complain(fmt::format("{} is not ready after {}", name, format_span(start_max)));
        for (const Child& child : children_) show_log(child);
        return false;
      }
      loop_.run_some(wait_period);
    }
    const double seconds =
        static_cast<double>((clock_.monotonic() - begin).count()) / us_per_second;
    say(fmt::format("  {:<13} {:5.2f} s  {}", name, seconds, what));
    return true;
  }

  bool start() {
    const std::string config = config_.string();
    const auto program = [&](const char* name) { return (programs_ / name).string(); };
    return stage("syndicator", with_addresses({program("syndicator"), "--config", config}, true),
                 fmt::format("numbers what arrives at UDP {}", addresses_.udp),
                 [this] { return accepts_connections(addresses_.request); }) &&
           stage("supervisor", with_addresses({program("supervisor"), "--config", config}, false),
                 fmt::format("runs triggers, answers at http://{}", addresses_.http),
                 [this] {
                   const auto health = http_->get("/healthz");
                   return health && health->status == 200;
                 }) &&
           stage("host-metrics", {program("hastur"), "host-metrics", "--to", addresses_.udp},
                 "sends load, CPU, memory, disk, network each second",
                 [this] {
                   const auto metrics = http_->get("/metrics");
                   return metrics &&
                          metric_sum(parse_metrics(metrics->body), "hastur_received_total") > 0;
                 }) &&
           stage("triggers", {}, fmt::format("of {}", near_path(triggers_)), [this] {
             const auto triggers = http_->get_json("/v1/triggers");
             if (!triggers) return false;
             for (const Json& trigger : triggers->value("items", Json::array())) {
               if (trigger.value("status", "") == "loading") return false;
             }
             return true;
           });
  }

  // On two lines if one would be too long for 80 columns.
  void say_command(const std::string& label, const std::string& command, const std::string& flags) {
    constexpr std::size_t columns_max = 80;
    const std::string line = fmt::format("  {:<17}  {}", label, command);
    if (flags.empty() || line.size() + flags.size() <= columns_max) {
      say(line + flags);
    } else {
      say(line + " \\");
      say(std::string(22, ' ') + flags);
    }
  }

  void show_what_to_try() {
    const std::string hastur = near_path(programs_ / "hastur");
    const std::string to = addresses_.udp == DemoAddresses{}.udp ? "" : " --to " + addresses_.udp;
    const std::string http =
        addresses_.http == DemoAddresses{}.http ? "" : " --http " + addresses_.http;
    const std::string spike = find_script(triggers_, "ots.transcoding.load");
    const std::string any = spike.empty() ? find_script(triggers_, "") : spike;
    say("");
    say("Three things to try, in another terminal:");
    if (!spike.empty()) {
      say_command("make one fire", hastur + " send gauge ots.transcoding.load 12",
                  " --label send_to=load_tester" + to);
    }
    say_command("send one", hastur + " send gauge my.first 42", to);
    say_command("and see such", hastur + " tail --name 'my.*'", http);
    if (any.empty()) {
      say(fmt::format("  write one          save a .lua file in {}", near_path(triggers_)));
    } else {
      say(fmt::format("  edit one and save  {}", near_path(any)));
    }
    say("");
    say("What arrives, what is derived, what would be notified; Ctrl-C stops all of it:");
  }

  void watch() {
    MessageWatch messages(*http_, "", false);
    NotificationWatch notifications(*http_, clock_.now());
    DemoScreen screen(columns_);
    bool answered = true;
    const auto look = [&] {
      ++looks_;
      DemoLook seen;
      const auto error = take(seen, messages, notifications);
      if (error && answered) say("  " + error->message);
      answered = !error;
      if (error) return;
      for (const std::string& line : screen.lines(seen)) say(line);
      say_status(screen.status());
    };
    const auto timer = loop_.every(look_period, look);
    look();
    while (!stop_ && !report_the_dead()) loop_.run_some(look_period);
  }

  std::optional<Error> take(DemoLook& look, MessageWatch& messages,
                            NotificationWatch& notifications) {
    const auto metrics = http_->get("/metrics");
    if (!metrics) return metrics.error();
    const auto counts = parse_metrics(metrics->body);
    look.received_total = metric_sum(counts, "hastur_received_total");
    look.refused_total = metric_sum(counts, "hastur_refused_total");
    look.behind = metric_sum(counts, "hastur_lag_sequences");
    auto triggers = http_->get_json("/v1/triggers");
    if (!triggers) return triggers.error();
    look.triggers = triggers->value("items", Json::array());
    auto new_messages = messages.look(look.passed_over);
    if (!new_messages) return new_messages.error();
    look.messages = std::move(*new_messages);
    auto new_notifications = notifications.look();
    if (!new_notifications) return new_notifications.error();
    look.notifications = std::move(*new_notifications);
    look.now = clock_.now();
    return std::nullopt;
  }

  void show_log(const Child& child) {
    const auto lines = last_lines(child.log(), log_lines);
    say(fmt::format("the last lines of {}:", near_path(child.log())));
    for (const std::string& line : lines) say("  " + line);
  }

  bool report_the_dead() {
    for (Child& child : children_) {
      const auto how = child.how_it_ended();
      if (!how) continue;
      complain(fmt::format("{} {}; the rest is stopped too", child.name(), *how));
      show_log(child);
      return true;
    }
    return false;
  }

  int end(bool started) {
    if (children_.empty()) return failed_ ? 1 : 0;
    say(started && !failed_ ? "stopping …" : "stopping what was started …");
    const Micros begin = clock_.monotonic();
    const auto killed = stop_all(children_, loop_, clock_, stop_max);
    for (const std::string& name : killed) {
      complain(
          fmt::format("{} did not stop within {} and was killed", name, format_span(stop_max)));
    }
    say(fmt::format("stopped in {:.1f} s; databases and logs are in {}",
                    static_cast<double>((clock_.monotonic() - begin).count()) / us_per_second,
                    near_path(directory_)));
    return failed_ ? 1 : 0;
  }

  Loop& loop_;
  Clock& clock_;
  fs::path directory_, triggers_, programs_, config_;
  bool terminal_;
  std::size_t columns_;
  DemoAddresses configured_, addresses_;
  std::unique_ptr<HttpClient> http_;
  std::vector<Child> children_;
  bool stop_ = false;
  bool failed_ = false;
  bool status_stands_ = false;
  int looks_ = 0;
};

}  // namespace

int demo_command(const DemoOptions& options, Loop& loop, Clock& clock) {
  return Demo(options, loop, clock).run();
}

}  // namespace hastur
