#include "trigger-test/pre_receive_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <thread>

#include "core/output.h"
#include "core/printable.h"
#include "trigger-runtime/sources/checkout.h"
#include "trigger-runtime/sources/ref_update.h"
#include "trigger-runtime/sources/repository.h"
#include "trigger-runtime/sources/script_tree.h"

namespace hastur {
namespace {

using Files = std::map<std::string, std::string>;

// While it lives, a signal that would end the program waits, and then does something first: whoever
// pushes may break off, and a pusher that is gone is no reason to die of what is written to it.
class OnSignal {
 public:
  OnSignal() {
    sigemptyset(&ending_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, over}) sigaddset(&ending_, number);
    pthread_sigmask(SIG_BLOCK, &ending_, &before_);
    std::signal(SIGPIPE, SIG_IGN);
  }
  OnSignal(const OnSignal&) = delete;
  OnSignal& operator=(const OnSignal&) = delete;
  ~OnSignal() {
    if (thread_.joinable()) {
      pthread_kill(thread_.native_handle(), over);
      thread_.join();
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  // `first` runs on a thread of its own.
  void begin(std::function<void()> first) {
    thread_ = std::thread([this, work = std::move(first)] {
      int number = 0;
      if (sigwait(&ending_, &number) != 0 || number == over) return;
      work();
      // Workers end with their parent.
      std::_Exit(128 + number);
    });
  }

 private:
  // Says to the thread that there is nothing more to wait for.
  static constexpr int over = SIGUSR1;
  sigset_t ending_{};
  sigset_t before_{};
  std::thread thread_;
};

// What one branch is to become.
struct Push {
  std::string branch;
  std::string commit;
  Files files;
  std::vector<std::string> problems;
  std::vector<std::string> changed;
};

// A new branch is held against the one that the repository shows first.
Files files_before(const GitRepository& repository, const RefUpdate& update) {
  const auto commit =
      update.is_new() ? repository.resolve("HEAD") : Result<std::string>(update.before);
  if (!commit) return {};
  auto read = repository.read(*commit);
  return read ? std::move(read->files) : Files();
}

Result<Push> read_push(const GitRepository& repository, const RefUpdate& update) {
  auto read = repository.read(update.after);
  if (!read) return fail(read.error());
  Push push;
  push.branch = update.branch();
  push.commit = update.after.substr(0, 10);
  push.problems = std::move(read->problems);
  std::ranges::move(read_script_tree(read->files).problems, std::back_inserter(push.problems));
  push.changed = changed_scripts(files_before(repository, update), read->files);
  push.files = std::move(read->files);
  return push;
}

ExitCode test(const Push& push, CheckCommand command) {
  if (!push.problems.empty()) {
    for (const std::string& problem : push.problems) print_to(stdout, "{}\n", printable(problem));
    print_to(stdout, "{} {} is refused\n", push.branch, push.commit);
    return ExitCode::trigger_failed;
  }
  if (push.changed.empty()) {
    print_to(stdout, "{} {}: no trigger changes, nor what one is tested with\n", push.branch,
             push.commit);
    return ExitCode::good;
  }
  std::error_code error;
  OnSignal removing;
  const auto checkout =
      Checkout::make(std::filesystem::temp_directory_path(error).string(), push.files);
  if (!checkout) return stop(checkout.error());
  removing.begin([folder = checkout->folder()] {
    // The other thread may be removing it, too: each then meets what the other has just removed.
    std::error_code ignored;
    for (int tries = 0; tries < 100 && std::filesystem::exists(folder, ignored); ++tries)
      std::filesystem::remove_all(folder, ignored);
  });
  if (chdir(checkout->folder().c_str()) != 0)
    return stop(ExitCode::internal,
                fmt::format("cannot enter {}: {}", checkout->folder(), std::strerror(errno)));
  print_to(stdout, "{} {}: {} trigger{} changed, or with a changed library, test or recording\n",
           push.branch, push.commit, push.changed.size(), push.changed.size() == 1 ? "" : "s");
  std::fflush(stdout);
  command.out_of_time = [&] {
    std::error_code ignored;
    std::filesystem::remove_all(checkout->folder(), ignored);
    print_to(stdout, "{} {} is refused\n", push.branch, push.commit);
    std::fflush(stdout);
  };
  // A path is no flag, whatever it begins with.
  for (const std::string& path : push.changed) command.paths.push_back("./" + path);
  const ExitCode code = check(command);
  if (code != ExitCode::good) print_to(stdout, "{} {} is refused\n", push.branch, push.commit);
  (void)!chdir("/");
  return code;
}

}  // namespace

std::vector<std::string> changed_scripts(const Files& before, const Files& after) {
  const ScriptTree old_tree = read_script_tree(before);
  std::map<std::string_view, const TreeScript*> old_scripts;
  for (const TreeScript& script : old_tree.scripts) old_scripts.emplace(script.name, &script);
  // Each file is compared once, not for each script.
  std::vector<std::string> recordings;
  const auto collect = [&](const Files& these, const Files& others) {
    for (const auto& [path, text] : these) {
      if (!is_recording_name(path)) continue;
      const auto other = others.find(path);
      if (other == others.end() || other->second != text) recordings.push_back(path);
    }
  };
  collect(before, after);
  collect(after, before);
  std::vector<std::string> changed;
  for (const TreeScript& script : read_script_tree(after).scripts) {
    const std::string& path = script.script.path;
    const auto old = old_scripts.find(script.name);
    const auto is_changed = [&] {
      if (old == old_scripts.end() || *old->second != script) return true;
      const TestReaders now(path, after);
      return TestReaders(path, before).files() != now.files() ||
             std::ranges::any_of(recordings,
                                 [&](const std::string& each) { return now.reads(each); });
    };
    if (is_changed()) changed.push_back(path);
  }
  return changed;
}

ExitCode pre_receive(const PreReceiveCommand& command, std::istream& input) {
  const auto repository = GitRepository::open_from_environment();
  if (!repository) return stop(ExitCode::usage, repository.error().message);
  // The objects of a push lie where git's environment says, maybe relative to this folder: all is
  // read before it is left.
  SystemClock clock;
  const Micros until = clock.monotonic() + command.check.time_max;
  std::vector<Push> pushes;
  for (std::string line; std::getline(input, line);) {
    const auto update = parse_ref_update(line);
    if (!update) {
      return stop(ExitCode::usage,
                  "--pre-receive reads the lines that git hands to a hook: OLD NEW REF");
    }
    if (update->branch().empty() || update->is_delete()) continue;
    if (!command.branch.empty() && update->branch() != command.branch) continue;
    auto push = read_push(*repository, *update);
    if (!push) return stop(ExitCode::internal, push.error().message);
    pushes.push_back(*std::move(push));
  }
  ExitCode worst = ExitCode::good;
  for (const Push& push : pushes) {
    CheckCommand check = command.check;
    if (check.time_max > Micros{0})
      check.time_max = std::max<Micros>(until - clock.monotonic(), std::chrono::milliseconds{1});
    worst = std::max(worst, test(push, std::move(check)));
  }
  return worst;
}

}  // namespace hastur
