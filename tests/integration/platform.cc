#include "tests/integration/platform.h"

#include <fmt/format.h>

#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "core/clock.h"
#include "core/json.h"
#include "supervisor/cli/http_client.h"
#include "supervisor/cli/init_repo.h"
#include "tests/integration/waiting.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

constexpr Micros start_max = std::chrono::seconds{30};
constexpr Micros settle_max = std::chrono::seconds{90};
constexpr Micros stop_max = std::chrono::seconds{20};
constexpr Micros answer_max = std::chrono::seconds{5};
constexpr std::size_t log_lines_shown = 40;

// What stands in `text` between the first `before` and the next `after`.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const auto start = text.find(before);
  if (start == std::string::npos) return "";
  const auto from = start + before.size();
  return text.substr(from, text.find(after, from) - from);
}

std::string last_lines(const std::string& text, std::size_t lines) {
  std::size_t at = text.size();
  for (; lines > 0 && at != std::string::npos && at > 0; --lines) at = text.rfind('\n', at - 1);
  return at == std::string::npos ? text : text.substr(at);
}

fs::path programs() { return fs::read_symlink("/proc/self/exe").parent_path(); }

}  // namespace

Platform::Platform() {
  std::string name = fs::temp_directory_path() / "hastur-XXXXXX";
  HASTUR_CHECK(mkdtemp(name.data()) != nullptr, "no folder for a test");
  folder_ = name;
  scripts_ = folder_ / "triggers";
  fs::create_directory(scripts_);
  const std::string config = folder_ / "hastur.toml";
  syndicator_ = std::make_unique<Process>(
      std::vector<std::string>{programs() / "syndicator", "--config", config},
      folder_ / "syndicator.log");
  supervisor_ = std::make_unique<Process>(
      std::vector<std::string>{programs() / "supervisor", "--config", config},
      folder_ / "supervisor.log");
}

Platform::~Platform() {
  supervisor_->kill_9();
  syndicator_->kill_9();
  if (!testing::Test::HasFailure()) {
    fs::remove_all(folder_);
    return;
  }
  fmt::print("kept: {}\n", folder_.string());
  for (const auto* process : {syndicator_.get(), supervisor_.get()}) {
    fmt::print("---- log ----{}\n", last_lines(process->whole_log(), log_lines_shown));
  }
}

void Platform::save_script(const std::string& name, const std::string& text) {
  const fs::path path = scripts_ / (name + ".lua");
  const fs::path fresh = scripts_ / (name + ".new");
  std::ofstream(fresh) << text;
  fs::rename(fresh, path);
}

void Platform::configure(std::string supervisor_keys, std::string sections) {
  supervisor_keys_ = std::move(supervisor_keys);
  sections_ = std::move(sections);
}

void Platform::reconfigure(std::string supervisor_keys, std::string sections) {
  configure(std::move(supervisor_keys), std::move(sections));
  write_whole_config();
  kill(supervisor_->pid(), SIGHUP);
}

void Platform::copy_repo_scripts() {
  for (const auto& entry : fs::directory_iterator(HASTUR_TRIGGERS)) {
    // Test files lie beside the triggers.
    if (entry.path().extension() != ".lua" || entry.path().stem().extension() == ".test") continue;
    fs::copy_file(entry.path(), scripts_ / entry.path().filename());
  }
}

void Platform::write_config(const std::string& syndicator, const std::string& supervisor) {
  std::ofstream(folder_ / "hastur.toml")
      << fmt::format("[syndicator]\nhistory = \"{}\"\n{}\n[supervisor]\n{}\n", history_folder(),
                     syndicator, supervisor);
}

bool Platform::wait_for_log(Process& process, const std::string& text) {
  const bool there = wait_until(
      [&] {
        return process.log_since_start().find(text) != std::string::npos || !process.is_running();
      },
      start_max);
  if (there && process.is_running()) return true;
  ADD_FAILURE() << "a daemon did not start: no \"" << text << "\" in its log";
  return false;
}

bool Platform::start_syndicator() {
  // The kernel chooses the ports at the first start; after that they stay.
  if (syndicator_section_.empty()) {
    write_config(
        "udp = \"127.0.0.1:0\"\npublish = \"tcp://127.0.0.1:*\"\nrequest = \"tcp://127.0.0.1:*\"",
        "");
  }
  syndicator_->start();
  if (!wait_for_log(*syndicator_, " stands at ")) return false;
  if (!syndicator_section_.empty()) return true;

  const std::string log = syndicator_->log_since_start();
  const std::string udp = between(log, "receiving on UDP ", ",");
  publish_ = between(log, "publishing on ", ",");
  request_ = between(log, "answering on ", ";");
  const std::string port = udp.substr(udp.rfind(':') + 1);
  std::from_chars(port.data(), port.data() + port.size(), udp_port_);
  syndicator_section_ =
      fmt::format("udp = \"{}\"\npublish = \"{}\"\nrequest = \"{}\"", udp, publish_, request_);
  write_whole_config();
  return udp_port_ != 0;
}

void Platform::write_whole_config() {
  write_config(
      syndicator_section_,
      fmt::format("publish = \"{}\"\nrequest = \"{}\"\nhttp = \"127.0.0.1:0\"\nstate = \"{}\"\n"
                  "workers = 2\n{}\n[triggers]\n{} = \"{}\"\n{}",
                  publish_, request_, state_file(), supervisor_keys_,
                  follows_repo_ ? "repo" : "directory",
                  follows_repo_ ? repo().string() : scripts_.string(), sections_));
}

bool Platform::start_supervisor() {
  write_whole_config();
  supervisor_->start();
  if (!wait_for_log(*supervisor_, "HTTP on port ")) return false;
  const std::string log = supervisor_->log_since_start();
  http_ = "127.0.0.1:" + between(log, "HTTP on port ", ",");
  if (follows_repo_) install_hooks();
  const bool healthy = wait_until(
      [this] {
        const auto answer = get("/healthz");
        return answer && answer->value("status", "") == "ok";
      },
      start_max);
  if (!healthy) ADD_FAILURE() << "the supervisor does not come to serve";
  return healthy;
}

Platform::Said Platform::run_supervisor(const std::string& command) {
  return run("supervisor", "--http " + (http_.empty() ? "127.0.0.1:0" : http_) + " " + command);
}

void Platform::follow_repo() {
  follows_repo_ = true;
  const auto made =
      std::system(fmt::format("cd {} && {} init-repo {} >init.log 2>&1", folder_.string(),
                              (programs() / "hastur").string(), repo().string())
                      .c_str());
  EXPECT_EQ(made, 0) << "hastur init-repo";
}

// The port is another after each start.
void Platform::install_hooks() {
  for (const char* kind : {"pre-receive", "post-receive"}) {
    std::ofstream(repo() / "hooks" / kind)
        << hook_script(kind, (programs() / "hastur").string(), "main", http_, token_file());
  }
}

Platform::Said Platform::run_hastur(const std::string& command) {
  const auto [verb, rest] = std::pair(command.substr(0, command.find(' ')),
                                      command.substr(std::min(command.find(' '), command.size())));
  return run_line(fmt::format("HASTUR_TOKEN_FILE={} {} {} --http {} {}", token_file(),
                              (programs() / "hastur").string(), verb, http_, rest));
}

std::unique_ptr<Process> Platform::begin_hastur(std::vector<std::string> words) {
  words.insert(words.begin(), (programs() / "hastur").string());
  for (const std::string& word :
       {std::string("--http"), http_, std::string("--token-file"), token_file()})
    words.push_back(word);
  auto begun = std::make_unique<Process>(std::move(words), (folder_ / "hastur.log").string());
  begun->start();
  return begun;
}

Platform::Said Platform::run_syndicator(const std::string& command) {
  return run("syndicator", command);
}

Platform::Said Platform::run(const std::string& program, const std::string& command) {
  return run_line(fmt::format("{} --config {} {}", (programs() / program).string(),
                              (folder_ / "hastur.toml").string(), command));
}

Platform::Said Platform::run_line(const std::string& line) {
  const fs::path out = folder_ / "command.out";
  const fs::path error = folder_ / "command.error";
  const int status =
      std::system(fmt::format("{} >{} 2>{}", line, out.string(), error.string()).c_str());
  const auto text = [](const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text(out), text(error)};
}

void Platform::stop() {
  const auto workers = supervisor_->children();
  EXPECT_EQ(supervisor_->stop(stop_max), 0) << "the supervisor";
  EXPECT_EQ(syndicator_->stop(stop_max), 0) << "the syndicator";
  for (const pid_t worker : workers) {
    EXPECT_TRUE(wait_until([worker] { return !is_alive(worker); }, stop_max)) << "an orphan";
  }
}

bool Platform::wait_for_triggers() {
  const auto is_script = [](const fs::directory_entry& entry) {
    return entry.path().extension() == ".lua";
  };
  const auto count =
      static_cast<std::size_t>(std::ranges::count_if(fs::directory_iterator(scripts_), is_script));
  const bool all = wait_until(
      [&] {
        const auto triggers = get("/v1/triggers");
        if (!triggers || (*triggers)["items"].size() != count) return false;
        return std::ranges::all_of((*triggers)["items"], [](const Json& trigger) {
          return trigger["status"] == "running" || trigger["status"] == "catching_up";
        });
      },
      settle_max);
  if (!all) ADD_FAILURE() << "the triggers do not come to run";
  return all;
}

std::optional<Json> Platform::get(const std::string& path) {
  HttpClient client(http_, answer_max);
  auto answer = client.get(path);
  if (!answer || answer->status != 200) return std::nullopt;
  auto json = parse_json(answer->body);
  if (!json) return std::nullopt;
  return std::move(*json);
}

std::optional<std::uint64_t> Platform::metric(const std::string& name) {
  HttpClient client(http_, answer_max);
  const auto answer = client.get("/metrics");
  if (!answer) return std::nullopt;
  const auto at = answer->body.find("\n" + name + " ");
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(answer->body.c_str() + at + name.size() + 2, nullptr, 10);
}

bool Platform::settle(const std::string& touched) {
  // The syndicator numbers what it has within milliseconds; the supervisor hears how far that is.
  const auto target = metric("hastur_stream_sequence");
  const auto settled = [&] {
    const auto triggers = get("/v1/triggers");
    if (!triggers || !target) return false;
    for (const Json& trigger : (*triggers)["items"]) {
      if (trigger["run"] == 0) continue;
      if (trigger["status"] != "running" || trigger["cursor"].get<std::uint64_t>() < *target) {
        return false;
      }
      if (trigger["name"] == touched && trigger["state_sequence"].get<std::uint64_t>() < *target) {
        return false;
      }
    }
    return metric("hastur_lag_sequences") == 0 && metric("hastur_outbox_messages") == 0;
  };
  if (wait_until(settled, settle_max)) return true;
  const auto triggers = get("/v1/triggers");
  ADD_FAILURE() << "the triggers do not catch up: " << (triggers ? triggers->dump(1) : "no answer");
  return false;
}

}  // namespace hastur
