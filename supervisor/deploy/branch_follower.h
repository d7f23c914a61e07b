#pragma once

// A branch of a git repository that says which triggers run (DESIGN §12: `[triggers] repo`).
//
// It is looked at again and again. A tip that has not been seen before goes through the gate, and
// is taken or refused; a refused one is not judged again until the branch moves. Whatever is wrong
// with the repository, what runs goes on running, and the trouble is told.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/loop.h"
#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/deploy/bounded_run.h"
#include "supervisor/deploy/deployer.h"
#include "supervisor/deploy/source_trouble.h"
#include "supervisor/dispatch/dispatcher.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {

class BranchFollower {
 public:
  struct Options {
    // A folder, or a URL that git can fetch from.
    std::string repo;
    std::string branch = "main";
    // Of a URL: where its branch is kept, a folder of ours.
    std::string mirror;
    Micros look_every = std::chrono::seconds{1};
    Micros fetch_every = std::chrono::seconds{30};
    Micros fetch_time_max = std::chrono::seconds{60};
    // After what could not be judged, or was not decided.
    Micros again_after = std::chrono::seconds{30};
  };
  // For people.
  struct Standing {
    // What the branch points at, as last seen; empty: nothing was seen yet.
    std::string tip;
    // The newest commit that was taken, and the tip's report if that was refused.
    std::string taken;
    std::optional<std::string> refused;
    // Why the branch cannot be followed now.
    std::optional<SourceTrouble> trouble;
    // When the repository was last read without trouble; nothing: never.
    std::optional<Time> read_at;
  };
  // What became of a commit: its own record, or that of a later tip that has it in its history.
  using Tell = std::function<void(const Result<DeploymentRecord>&)>;

  // All but `options` outlive it.
  BranchFollower(Loop& loop, Clock& clock, CheckpointStore& store, Dispatcher& dispatcher,
                 Deployer& deployer, Options options);

  // Once the dispatcher runs; called again it does nothing.
  void start();
  // Looks now; a URL is fetched from.
  void look();
  // As look(), and what the branch brought last is judged and taken again, since a pin has gone:
  // the tip, or while that is refused the commit that was taken before it.
  void look_again();
  // Looks now, and tells once, when the commit has been taken or refused; or why that will not be.
  void await(const std::string& commit, Tell tell);

  // A commit of the repository, by any name that git knows it by.
  Result<CommitFiles> read(const std::string& name) const;
  const Options& options() const { return options_; }
  const Standing& standing() const { return standing_; }
  // Nothing is being fetched or judged.
  bool is_idle() const { return fetch_ == nullptr && under_way_.empty(); }

 private:
  struct Waiting {
    std::string commit;
    Tell tell;
    // The tip whose decision is its own, once that is submitted.
    std::string tip;
  };
  bool is_remote() const;
  std::string folder() const;
  void remember_decided();
  void begin_look(bool fetch);
  void fetch();
  void fetched(const BoundedRun::Ended& ended);
  void drop_damaged_mirror();
  void read_tip();
  Result<void> take_tip();
  Result<void> take_again(const GitRepository& repository);
  // `once_more`: it is not the tip that is decided.
  void submit(CommitFiles commit, bool once_more = false);
  void decided(const std::string& commit, const Deployer::Answer& answer);
  void decided_once_more(const std::string& commit, const Deployer::Answer& answer);
  void not_judged(const std::string& commit, const Deployer::Answer& answer);
  void trouble(const std::string& text);
  void settle_waiting(const GitRepository& repository, const std::string& tip);
  void give_up_waiting(const Error& error);

  Loop& loop_;
  Clock& clock_;
  CheckpointStore& store_;
  Dispatcher& dispatcher_;
  Deployer& deployer_;
  Options options_;
  Standing standing_;
  bool started_ = false;
  // The newest tip that was decided, and its record; the one that is being judged.
  std::string decided_;
  std::optional<DeploymentRecord> record_;
  std::string under_way_;
  // look_again() was called, and nothing has been taken since.
  bool again_ = false;
  std::vector<Waiting> waiting_;
  std::unique_ptr<BoundedRun> fetch_;
  bool look_after_fetch_ = false;
  Micros fetched_at_{0};
  // The tip could not be judged: why, and when it is tried again.
  std::optional<Micros> not_before_;
  std::string not_judged_;
  std::unique_ptr<Loop::Handle> looks_;
};

// Why git failed, of all that it said: the lines that tell it, the last ones, joined by "; ", 500
// bytes at most. Of ssh the reason stands before what git makes of it.
std::string why_of_git(std::string_view said);

// Whether git has to fetch it: "ssh://…", "git@host:path"; anything else is a folder.
bool is_remote_repo(std::string_view repo);

}  // namespace hastur
