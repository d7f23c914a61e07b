#include "supervisor/deploy/deployer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/log.h"
#include "core/printable.h"
#include "supervisor/deploy/script_set.h"
#include "trigger-runtime/sources/script_tree.h"

namespace hastur {
namespace {

constexpr std::size_t passed_max = 32;

// Relative, and nothing in it leads up.
bool is_plain_path(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t end = path.find('/');
    const std::string_view part = path.substr(0, end);
    if (part.empty() || part.starts_with(".")) return false;
    if (end == std::string_view::npos) return true;
    path.remove_prefix(end + 1);
  }
}

constexpr std::uint64_t no_tests = 0;

// A hash of all that a script's tests rest on.
std::uint64_t tests_of(const std::string& script, const std::map<std::string, std::string>& files) {
  std::uint64_t hash = no_tests;
  for (const auto& [path, text] : test_sources(script, files))
    hash = hash64(text, hash64(path, hash));
  return hash;
}

}  // namespace

void Deployer::submit(Submission submission, Tell tell) {
  if (waiting_.size() >= waiting_max) {
    return tell({false, fmt::format("{} commits wait already; try again later\n", waiting_max),
                 std::nullopt, true});
  }
  waiting_.push_back({std::move(submission), std::move(tell), {}, {}});
  begin_next();
}

void Deployer::begin_next() {
  if (under_way_ || dispatcher_.stage() != Dispatcher::Stage::running) return;
  const auto next =
      std::ranges::find_if(waiting_, [this](const Job& job) { return may_begin(job); });
  if (next == waiting_.end()) return;
  under_way_ = std::move(*next);
  waiting_.erase(next);
  const Submission& wanted = under_way_->submission;
  const CommitFiles& commit = wanted.commit;

  std::vector<std::string> problems = commit.problems;
  for (const auto& [path, text] : commit.files) {
    if (!is_plain_path(path))
      problems.push_back(fmt::format("{}: is no path of a repository", printable(path)));
  }
  ScriptSet set = make_script_set(commit.files);
  std::ranges::move(set.problems, std::back_inserter(problems));
  if (!wanted.only.empty()) {
    std::erase_if(set.scripts, [&](const auto& each) { return each.name != wanted.only; });
    if (set.scripts.empty())
      problems.push_back(
          fmt::format("there is no trigger {} in the commit {}", wanted.only, commit.commit));
  }
  if (!problems.empty()) {
    std::string report;
    for (const std::string& problem : problems) report += problem + "\n";
    return refuse(std::move(report));
  }
  under_way_->scripts = std::move(set.scripts);
  const std::vector<std::string> paths = changed_paths();
  const Micros oldest = clock_.monotonic() - verdict_good_for;
  std::erase_if(passed_, [&](const auto& each) { return each.second.at < oldest; });
  if (const auto known = passed_.find(subject_of_verdict()); known != passed_.end())
    return take(known->second);
  gate_ = Gate::begin(loop_, options_,
                      {commit.files, paths, pairs(), [this] { return dispatcher_.newest(); }},
                      [this](const Gate::Verdict& verdict) { judged(verdict); });
}

bool Deployer::may_begin(const Job& job) const {
  const TriggerName& only = job.submission.only;
  return std::ranges::all_of(handed_over_, [&](const auto& each) {
    return !only.empty() && leaves_as_it_is(each.second, only);
  });
}

bool Deployer::leaves_as_it_is(const Job& before, const TriggerName& name) const {
  if (before.submission.dry_run) return true;
  if (!before.submission.only.empty()) return before.submission.only != name;
  const auto wanted = before.versions.find(name);
  const auto runs = dispatcher_.triggers().find(name);
  if (wanted == before.versions.end() || runs == dispatcher_.triggers().end())
    return wanted == before.versions.end() && runs == dispatcher_.triggers().end();
  return wanted->second == runs->second->version().id && !runs->second->next_switch;
}

std::vector<std::string> Deployer::changed_paths() const {
  std::vector<std::string> paths;
  for (const DesiredScript& script : under_way_->scripts) {
    const std::string& path = script.version.script.path;
    if (differs(script) || has_other_tests(path)) paths.push_back(path);
  }
  return paths;
}

std::string Deployer::subject_of_verdict() const {
  std::string text = under_way_->submission.commit.commit;
  for (const std::string& path : changed_paths()) text += "\n" + path;
  text += '\n';
  for (const auto& [name, trigger] : dispatcher_.triggers())
    text += fmt::format("\n{} {} {}", name, trigger->run().value, trigger->version().id);
  return text;
}

bool Deployer::differs(const DesiredScript& script) const {
  const auto runs = dispatcher_.triggers().find(script.name);
  if (runs != dispatcher_.triggers().end() && runs->second->version().id == script.version.id)
    return false;
  return !under_way_->submission.only.empty() ||
         !dispatcher_.stays_pinned(script.name, &script.version.script);
}

std::string Deployer::pinned_lines() const {
  std::string lines;
  if (!under_way_->submission.only.empty()) return lines;
  for (const DesiredScript& script : under_way_->scripts) {
    if (!dispatcher_.stays_pinned(script.name, &script.version.script)) continue;
    const Pin& pin = dispatcher_.pins().at(script.name);
    if (pin.version == script.version.id) continue;
    lines += fmt::format(
        "pinned    {:<28}  stays as d-{} has it: its own file is as it was; hastur unpin {}\n",
        script.name, pin.deployment, script.name);
  }
  return lines;
}

std::string Deployer::gone_lines() const {
  std::string lines;
  if (!under_way_->submission.only.empty()) return lines;
  const std::vector<DesiredScript>& scripts = under_way_->scripts;
  for (const auto& [name, trigger] : dispatcher_.triggers()) {
    const bool is_there = std::ranges::find(scripts, name, &DesiredScript::name) != scripts.end();
    if (is_there || dispatcher_.is_built_in(name) || dispatcher_.stays_pinned(name, nullptr))
      continue;
    lines += fmt::format(
        "gone      {:<28}  its file is not there any more: it ends, or goes on under a name that "
        "has ctx:was(\"{}\")\n",
        name, name);
  }
  return lines;
}

std::vector<Backtest::Pair> Deployer::pairs() const {
  std::vector<Backtest::Pair> pairs;
  for (const DesiredScript& script : under_way_->scripts) {
    const std::string& path = script.version.script.path;
    const auto runs = dispatcher_.triggers().find(script.name);
    if (runs == dispatcher_.triggers().end()) {
      pairs.push_back({path, {}});
      continue;
    }
    const ScriptVersion& before = runs->second->version();
    if (!differs(script)) continue;
    Backtest::Pair& pair = pairs.emplace_back();
    pair.path = path;
    pair.before[path] = before.script.text;
    for (const ScriptFile& library : before.libraries) pair.before[library.path] = library.text;
  }
  return pairs;
}

bool Deployer::has_other_tests(const std::string& script) const {
  const std::uint64_t now = tests_of(script, under_way_->submission.commit.files);
  if (!tests_ || now == no_tests) return false;
  const auto before = tests_->find(script);
  return before == tests_->end() || before->second != now;
}

void Deployer::runs(const CommitFiles& commit) {
  tests_.emplace();
  for (const auto& [path, text] : commit.files) {
    if (const std::uint64_t tests = tests_of(path, commit.files); tests != no_tests)
      tests_->emplace(path, tests);
  }
}

void Deployer::judged(const Gate::Verdict& verdict) {
  gate_.reset();
  if (verdict.is_void) {
    log_error("the commit {} could not be judged: {}", under_way_->submission.commit.commit,
              verdict.report.substr(0, verdict.report.find('\n')));
    return finish({false, verdict.report, std::nullopt, true});
  }
  if (!verdict.passed) return refuse(verdict.report);
  if (passed_.size() >= passed_max) passed_.clear();
  for (auto& [key, passed] : passed_) passed.warm.clear();
  const Passed passed{clock_.monotonic(), verdict.report, verdict.warm};
  passed_.insert_or_assign(subject_of_verdict(), passed);
  take(passed);
}

void Deployer::take(Passed passed) {
  const Submission& wanted = under_way_->submission;
  passed.report += gone_lines() + pinned_lines();
  if (passed.report.empty()) passed.report = "no trigger changes\n";
  for (DesiredScript& script : under_way_->scripts) {
    const auto warm = passed.warm.find(script.version.script.path);
    if (warm != passed.warm.end()) script.warm = std::move(warm->second);
  }
  Deployment taken = deployment(passed.report);
  taken.why = wanted.why;
  for (const DesiredScript& script : under_way_->scripts)
    under_way_->versions.emplace(script.name, script.version.id);
  taken.scripts = std::move(under_way_->scripts);
  taken.is_trial = wanted.dry_run;
  under_way_->report = std::move(passed.report);
  hand_over(std::move(taken));
}

void Deployer::hand_over(Deployment deployment) {
  const std::uint64_t ticket = dispatcher_.deploy(std::move(deployment));
  handed_over_.emplace(ticket, *std::exchange(under_way_, std::nullopt));
  later_ = loop_.after(Micros{0}, [this] { begin_next(); });
}

Deployment Deployer::deployment(std::string report) const {
  const Submission& wanted = under_way_->submission;
  Deployment deployment;
  deployment.kind = wanted.only.empty() ? DeploymentKind::commit : DeploymentKind::only;
  deployment.commit = wanted.commit.commit;
  deployment.author = wanted.commit.author;
  deployment.subject = wanted.commit.subject;
  deployment.report = std::move(report);
  return deployment;
}

void Deployer::refuse(std::string report) {
  const Submission& wanted = under_way_->submission;
  log_warn("the commit {} is refused: {}", wanted.commit.commit,
           report.substr(0, report.find('\n')));
  if (wanted.dry_run) return finish({false, std::move(report)});
  // It stands among the deployments, as what the dispatcher refuses does.
  Deployment refused = deployment(std::move(report));
  refused.is_refused = true;
  hand_over(std::move(refused));
}

void Deployer::deployed(const Deployed& deployed) {
  const auto handed = handed_over_.extract(deployed.ticket);
  if (!handed) return;
  const Job& job = handed.mapped();
  if (job.submission.dry_run) {
    const std::string& refusals = deployed.record.report;
    return finish(job, {refusals.empty(), job.report + deployed.notes + refusals});
  }
  if (deployed.record.sequence && job.submission.only.empty()) runs(job.submission.commit);
  finish(job, {deployed.record.sequence.has_value(), deployed.record.report, deployed.record});
}

void Deployer::finish(const Answer& answer) {
  finish(*std::exchange(under_way_, std::nullopt), answer);
}

void Deployer::finish(const Job& done, const Answer& answer) {
  // What is told may submit the next.
  done.tell(answer);
  later_ = loop_.after(Micros{0}, [this] { begin_next(); });
}

}  // namespace hastur
