#include "trigger-test/watch_command.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <span>

#include "core/folder_watch.h"
#include "core/loop.h"
#include "core/printable.h"
#include "trigger-test/concern.h"
#include "trigger-test/paint.h"
#include "trigger-test/trigger_files.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

enum class Standing : std::uint8_t { unknown, good, failed };
static_assert(std::atomic<Standing>::is_always_lock_free, "two processes share it");

// One run over some triggers, in a process of its own, so that it can be broken off at any moment.
class CheckRun {
 public:
  // An error is one of the machine.
  static Result<CheckRun> start(const CheckCommand& command, CheckPlan plan) {
    void* shared =
        mmap(nullptr, plan.paths.size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
      return fail(ErrorCode::failed, fmt::format("cannot share memory: {}", strerror(errno)));
    CheckRun run(std::move(plan), static_cast<std::atomic<Standing>*>(shared));
    // The parent's handlers write into its loop, which the child shares until it has its own ways.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t parent = getpid();
    run.pid_ = fork();
    if (run.pid_ == 0) run.work(command, parent, before);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (run.pid_ < 0)
      return fail(ErrorCode::failed, fmt::format("cannot start a process: {}", strerror(errno)));
    return run;
  }

  CheckRun(CheckRun&& other) noexcept
      : plan_(std::move(other.plan_)),
        standings_(std::exchange(other.standings_, nullptr)),
        pid_(std::exchange(other.pid_, -1)) {}
  CheckRun& operator=(CheckRun&&) = delete;
  // Breaks it off, if it is under way.
  ~CheckRun() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (standings_ != nullptr) munmap(standings_, plan_.paths.size());
  }

  // Nothing while it is under way; it is not, once its verdict may have been seen. One that died
  // says so on standard error.
  std::optional<ExitCode> ended() {
    int status = 0;
    const bool is_judged = std::ranges::all_of(
        standings(), [](const auto& each) { return each.load() != Standing::unknown; });
    if (pid_ <= 0 || waitpid(pid_, &status, is_judged ? 0 : WNOHANG) != pid_) return std::nullopt;
    pid_ = -1;
    if (WIFEXITED(status)) return static_cast<ExitCode>(WEXITSTATUS(status));
    return stop(ExitCode::internal, fmt::format("the run was ended by signal {} ({})",
                                                WTERMSIG(status), strsignal(WTERMSIG(status))));
  }

  // By path, as far as it has come.
  std::vector<std::string> good() const {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < plan_.paths.size(); ++i) {
      if (standings()[i].load() == Standing::good) found.push_back(plan_.paths[i]);
    }
    return found;
  }

 private:
  CheckRun(CheckPlan plan, std::atomic<Standing>* standings)
      : plan_(std::move(plan)), standings_(standings) {}

  [[noreturn]] void work(const CheckCommand& command, pid_t parent, const sigset_t& mask) {
    for (const int number : {SIGTERM, SIGCHLD}) std::signal(number, SIG_DFL);
    // Ctrl-C reaches both; the parent ends this one.
    std::signal(SIGINT, SIG_IGN);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(static_cast<int>(ExitCode::internal));
    const ExitCode code = check(command, plan_, [this](std::size_t path, bool good) {
      standings_[path] = good ? Standing::good : Standing::failed;
    });
    _exit(static_cast<int>(code));
  }

  std::span<const std::atomic<Standing>> standings() const {
    return {standings_, plan_.paths.size()};
  }

  CheckPlan plan_;
  // One for each path, shared with the process.
  std::atomic<Standing>* standings_;
  pid_t pid_ = -1;
};

class Watcher {
 public:
  explicit Watcher(const CheckCommand& command)
      : command_(command),
        is_text_(command.format == "text"),
        is_terminal_(isatty(STDOUT_FILENO) == 1),
        paint_(wants_colour()) {}

  ExitCode run() {
    auto folders = FolderWatch::make(loop_, [this](const auto& paths) { changed(paths); });
    if (!folders) return stop(ExitCode::internal, folders.error().message);
    folders_ = std::move(*folders);
    // Before anything is read, so that no save falls between.
    folders_->watch(watched());
    if (const auto plan = plan_check(command_); !plan)
      return stop(ExitCode::usage, plan.error().message);
    const auto signals = loop_.on_signals({SIGINT, SIGTERM, SIGCHLD}, [this](int number) {
      if (number != SIGCHLD) return loop_.stop();
      look();
    });
    act();
    loop_.run();
    if (const auto code = run_ ? run_->ended() : std::nullopt) verdict_ = *code;
    run_.reset();
    return verdict_;
  }

 private:
  // Of a script or test file also its neighbours: tests and recordings. And wherever else the
  // recordings lie that the test files name, also behind a link.
  std::map<std::string, FolderWatch::Depth> watched() const {
    std::map<std::string, FolderWatch::Depth> folders;
    for (const std::string& path :
         command_.paths.empty() ? std::vector<std::string>{"."} : command_.paths) {
      std::error_code ignored;
      fs::path absolute = fs::absolute(path, ignored).lexically_normal();
      if (!absolute.has_filename()) absolute = absolute.parent_path();
      if (absolute.extension() == ".lua" || absolute.extension() == ".json") {
        folders.try_emplace(absolute.parent_path(), FolderWatch::Depth::files);
      } else {
        folders[absolute] = FolderWatch::Depth::tree;
      }
      if (const auto root = root_of(path))
        folders[fs::path(*root) / "lib"] = FolderWatch::Depth::tree;
      const auto scripts = list_triggers(path);
      if (!scripts) continue;
      for (const std::string& script : *scripts) {
        for (const std::string& recording : recordings_named_beside(script))
          folders.try_emplace(fs::path(recording).parent_path(), FolderWatch::Depth::files);
      }
    }
    return folders;
  }

  void changed(const std::set<std::string>& paths) {
    saved_.insert(paths.begin(), paths.end());
    // A tool that reads the reports gets whole ones: it is answered after the run under way.
    if (!run_ || is_text_) act();
  }

  // Checks what is not known to be good now, if that is something new.
  void act() {
    const std::set<std::string> saved = std::exchange(saved_, {});
    folders_->watch(watched());
    Result<CheckPlan> plan = plan_check(command_);
    if (!plan || plan->paths.empty()) {
      const std::string why = plan ? no_triggers : plan.error().message;
      if (why == trouble_) return;
      run_.reset();
      tried_.reset();
      trouble_ = why;
      begin_screen(saved);
      verdict_ = stop(ExitCode::usage, why);
      // Of those that the last report spoke of there is none any more.
      if (plan && !is_text_) report_nothing(command_);
      return end_screen("");
    }
    trouble_.clear();
    if (run_) keep_good();
    const std::vector<std::string> asked = concerned(plan->paths, saved);
    for (const std::string& path : asked) good_.erase(path);
    std::vector<std::string> due = asked;
    for (const std::string& path : plan->paths) {
      if (!good_.contains(path) && std::ranges::find(asked, path) == asked.end())
        due.push_back(path);
    }
    std::set<std::string> to_try(due.begin(), due.end());
    if (asked.empty() && tried_) {
      std::erase_if(*tried_, [this](const std::string& path) { return good_.contains(path); });
      if (*tried_ == to_try) return;
    }
    run_.reset();
    tried_ = std::move(to_try);
    triggers_ = plan->paths.size();
    begin_screen(saved);
    // What failed has been taken away.
    if (due.empty()) {
      if (!is_text_) report_nothing(command_);
      return settle(ExitCode::good);
    }
    plan->paths = std::move(due);
    Result<CheckRun> run = CheckRun::start(command_, std::move(*plan));
    if (!run) return settle(stop(ExitCode::internal, run.error().message));
    run_.emplace(std::move(*run));
  }

  // A process has ended.
  void look() {
    const std::optional<ExitCode> code = run_ ? run_->ended() : std::nullopt;
    if (!code) return;
    keep_good();
    run_.reset();
    settle(*code);
    if (!saved_.empty()) act();
  }

  void keep_good() {
    for (std::string& path : run_->good()) good_.insert(std::move(path));
  }

  void settle(ExitCode code) {
    verdict_ = code;
    end_screen(fmt::format(" {} trigger{}: {}", triggers_, triggers_ == 1 ? "" : "s",
                           code == ExitCode::good ? "all good" : "not all good"));
  }

  void begin_screen(const std::set<std::string>& saved) const {
    if (!is_text_) return;
    if (is_terminal_) fmt::print("\033[H\033[2J\033[3J");
    if (saved.empty()) return flush();
    std::vector<std::string> names;
    for (const std::string& path : saved) {
      if (names.size() == names_shown) break;
      std::error_code ignored;
      names.push_back(printable(fs::proximate(path, ignored).string()));
    }
    const std::size_t more = saved.size() - names.size();
    fmt::print("{}\n",
               paint_.faint(fmt::format("changed: {}{}", fmt::join(names, ", "),
                                        more == 0 ? "" : fmt::format(" and {} more", more))));
    flush();
  }

  void end_screen(const std::string& what) const {
    if (!is_text_) return;
    fmt::print("{}\n", paint_.faint(fmt::format("watching{} (Ctrl-C ends)", what)));
    flush();
  }

  // Before a process is made that would write the same once more.
  static void flush() { std::fflush(stdout); }

  static constexpr std::size_t names_shown = 3;

  const CheckCommand& command_;
  const bool is_text_;
  const bool is_terminal_;
  const Paint paint_;
  Loop loop_;
  std::unique_ptr<FolderWatch> folders_;
  // Changed, and not acted on.
  std::set<std::string> saved_;
  // Known to be good as they are.
  std::set<std::string> good_;
  // What the last run was for; nothing if there was nothing that could be run.
  std::optional<std::set<std::string>> tried_;
  // Why nothing could be run, or empty.
  std::string trouble_;
  std::size_t triggers_ = 0;
  std::optional<CheckRun> run_;
  // Until there is one: not good.
  ExitCode verdict_ = ExitCode::trigger_failed;
};

}  // namespace

ExitCode watch(const CheckCommand& command) {
  if (command.format == "junit") {
    return stop(ExitCode::usage,
                "--watch reports again and again, and JUnit's XML is one report; use --format json "
                "or text");
  }
  return Watcher(command).run();
}

}  // namespace hastur
