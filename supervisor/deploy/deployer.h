#pragma once

// Commits on their way from a push to running: judged by the gate, then taken by the dispatcher,
// one after the other. While one waits to be decided (a trigger that it changes again is behind),
// single triggers that it leaves as they are go on.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/loop.h"
#include "supervisor/deploy/gate.h"
#include "supervisor/dispatch/dispatcher.h"
#include "trigger-runtime/sources/repository.h"

namespace hastur {

class Deployer {
 public:
  struct Submission {
    CommitFiles commit;
    // Judges only, migrations of the present states among it; else what passes is taken.
    bool dry_run = false;
    // Takes this one trigger and pins it; empty: the whole commit.
    TriggerName only = {};
    std::string why = {};
  };
  struct Answer {
    bool accepted = false;
    // For people: what the gate found, or why it did not come to that.
    std::string report;
    // What was decided; nothing for a dry run, and for a commit that could not be judged.
    std::optional<DeploymentRecord> record = std::nullopt;
    // It could not be judged: too many wait, or the tests could not be run. That may be tried
    // again.
    bool is_void = false;
  };
  using Tell = std::function<void(const Answer&)>;

  // All but `options` outlive it.
  Deployer(Loop& loop, Clock& clock, Dispatcher& dispatcher, Gate::Options options)
      : loop_(loop), clock_(clock), dispatcher_(dispatcher), options_(std::move(options)) {}

  // Calls `tell` once, on the loop, when the commit has been judged or taken.
  void submit(Submission submission, Tell tell);
  void deployed(const Deployed& deployed);
  // The commit that runs, as far as it is known: a trigger whose test file alone is another in the
  // next one is tested too. Commits that are taken here say so themselves.
  void runs(const CommitFiles& commit);
  // Begins what waits for the dispatcher to run: before that nobody knows what a commit changes.
  void turn() { begin_next(); }

  // At most so many commits wait; more are refused.
  static constexpr std::size_t waiting_max = 32;
  // So long a verdict is good for another submission of its commit: a push that has passed is taken
  // at once. What runs and what History holds may ask for another one later.
  static constexpr Micros verdict_good_for = std::chrono::minutes{1};

 private:
  struct Passed {
    Micros at{0};
    std::string report;
    // What helpers begin with, by path of the script. Kept of the newest alone.
    std::map<std::string, WarmStart> warm;
  };
  struct Job {
    Submission submission;
    Tell tell;
    std::vector<DesiredScript> scripts;
    // Of what passed the gate.
    std::string report = {};
    // Once the dispatcher has the scripts: what is wanted.
    std::map<TriggerName, VersionId> versions = {};
  };
  void begin_next();
  void judged(const Gate::Verdict& verdict);
  void take(Passed passed);
  void refuse(std::string report);
  Deployment deployment(std::string report) const;
  void hand_over(Deployment deployment);
  bool may_begin(const Job& job) const;
  bool leaves_as_it_is(const Job& before, const TriggerName& name) const;
  // Of the one under way, which is not handed over.
  void finish(const Answer& answer);
  void finish(const Job& done, const Answer& answer);
  // Of the commit under way: the scripts that are other than what runs, or tested otherwise.
  std::vector<std::string> changed_paths() const;
  // What will run is other than what runs.
  bool differs(const DesiredScript& script) const;
  // A line for each trigger that keeps another version than the commit's.
  std::string pinned_lines() const;
  // A line for each trigger whose file the commit does not have.
  std::string gone_lines() const;
  bool has_other_tests(const std::string& script) const;
  std::vector<Backtest::Pair> pairs() const;

  // What a verdict is given for: the commit, what of it is tested, and the runs beside it.
  std::string subject_of_verdict() const;

  Loop& loop_;
  Clock& clock_;
  Dispatcher& dispatcher_;
  Gate::Options options_;
  std::deque<Job> waiting_;
  // It is judged.
  std::optional<Job> under_way_;
  std::unique_ptr<Gate> gate_;
  // They are decided, by ticket.
  std::map<std::uint64_t, Job> handed_over_;
  // Of commits that passed, by subject_of_verdict(): what a push had judged need not be judged
  // again to be taken.
  std::map<std::string, Passed> passed_;
  // What the tests of the commit that runs rest on (tests_of()), by the script's path; nothing:
  // nobody knows.
  std::optional<std::map<std::string, std::uint64_t>> tests_;
  std::unique_ptr<Loop::Handle> later_;
};

}  // namespace hastur
