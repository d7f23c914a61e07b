#include "supervisor/deploy/branch_follower.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/log.h"
#include "core/printable.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t waiting_max = 64;

std::string short_of(const std::string& commit) { return commit.substr(0, 10); }

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string why_of_git(std::string_view said) {
  constexpr std::size_t bytes_max = 500;
  constexpr std::string_view passed_over[] = {"@", "hint:", "Please make sure you have",
                                              "and the repository exists", "Cloning into"};
  // The last lines are the nearest to the reason.
  std::string why;
  while (!said.empty()) {
    const std::size_t start = said.find_last_of('\n') + 1;
    std::string_view text = said.substr(start);
    said = said.substr(0, std::max<std::size_t>(start, 1) - 1);
    // What shows progress is written over.
    if (text.ends_with('\r')) text.remove_suffix(1);
    const std::string line = printable(text.substr(text.find_last_of('\r') + 1));
    const bool tells = line.find_first_not_of(' ') != std::string::npos &&
                       std::ranges::none_of(passed_over, [&](std::string_view words) {
                         return line.starts_with(words);
                       });
    if (!tells) continue;
    if (why.empty()) {
      why = line.substr(0, bytes_max);
    } else if (line.size() + 2 + why.size() <= bytes_max) {
      why = line + "; " + why;
    } else {
      break;
    }
  }
  return why;
}

bool is_remote_repo(std::string_view repo) {
  if (repo.find("://") != std::string_view::npos) return true;
  const std::size_t colon = repo.find(':');
  return colon != std::string_view::npos && colon > 0 && repo.find('/') > colon;
}

BranchFollower::BranchFollower(Loop& loop, Clock& clock, CheckpointStore& store,
                               Dispatcher& dispatcher, Deployer& deployer, Options options)
    : loop_(loop),
      clock_(clock),
      store_(store),
      dispatcher_(dispatcher),
      deployer_(deployer),
      options_(std::move(options)) {}

bool BranchFollower::is_remote() const { return is_remote_repo(options_.repo); }

std::string BranchFollower::folder() const { return is_remote() ? options_.mirror : options_.repo; }

void BranchFollower::start() {
  if (std::exchange(started_, true)) return;
  remember_decided();
  looks_ = loop_.every(options_.look_every, [this] { begin_look(false); });
  look();
}

// What was decided before the start holds, unless a folder has been followed since.
void BranchFollower::remember_decided() {
  CheckpointStore::DeploymentQuery query;
  query.max = 1'000;
  const auto records = store_.deployments(query);
  if (!records) return log_error("{}", records.error().message);
  for (const DeploymentRecord& record : *records) {
    if (record.kind == DeploymentKind::directory && decided_.empty()) return;
    if (record.kind != DeploymentKind::commit) continue;
    if (decided_.empty()) {
      decided_ = record.commit;
      record_ = record;
      if (!record.sequence) standing_.refused = record.report;
    }
    if (!record.sequence) continue;
    standing_.taken = record.commit;
    break;
  }
  if (standing_.taken.empty()) return;
  const auto repository = GitRepository::open(folder());
  auto commit = repository ? repository->read(standing_.taken) : fail(repository.error());
  if (commit) deployer_.runs(*commit);
  // Limits or the runtime have changed since: the same set begins new runs.
  if (dispatcher_.runs_as_configured()) return;
  if (commit) return submit(*std::move(commit));
  log_warn("limits or the runtime have changed; what runs goes on under those of before: {}",
           commit.error().message);
}

void BranchFollower::look() { begin_look(true); }

void BranchFollower::look_again() {
  again_ = true;
  look();
}

void BranchFollower::await(const std::string& commit, Tell tell) {
  if (commit == decided_ && record_) return tell(*record_);
  if (waiting_.size() >= waiting_max)
    return tell(fail(ErrorCode::full, fmt::format("{} others wait already", waiting_max)));
  waiting_.push_back({commit, std::move(tell), {}});
  look();
}

Result<CommitFiles> BranchFollower::read(const std::string& name) const {
  const auto repository = GitRepository::open(folder());
  if (!repository) return fail(repository.error());
  const auto commit = repository->resolve(name);
  if (!commit) return fail(commit.error());
  return repository->read(*commit);
}

void BranchFollower::begin_look(bool fetch_now) {
  if (!started_) return;
  if (!is_remote()) return read_tip();
  if (fetch_ != nullptr) {
    look_after_fetch_ = look_after_fetch_ || fetch_now;
    return;
  }
  const bool is_due = clock_.monotonic() - fetched_at_ >= options_.fetch_every;
  if (fetch_now || is_due) fetch();
}

void BranchFollower::fetch() {
  std::error_code ignored;
  if (!fs::exists(fs::path(options_.mirror) / "HEAD", ignored)) {
    const auto made = GitRepository::init_bare(options_.mirror, options_.branch);
    if (!made) return trouble(made.error().message);
  }
  fetched_at_ = clock_.monotonic();
  BoundedRun::Request request;
  // Of the URL nothing is taken for a flag, and of its answer nothing but the branch.
  request.command = {"/usr/bin/env",
                     "git",
                     "fetch",
                     "--quiet",
                     "--no-tags",
                     "--no-write-fetch-head",
                     "--",
                     options_.repo,
                     fmt::format("+refs/heads/{0}:refs/heads/{0}", options_.branch)};
  request.keep = {"HOME", "SSH_AUTH_SOCK"};
  request.folder = options_.mirror;
  request.time_max = options_.fetch_time_max;
  auto run =
      BoundedRun::start(loop_, request, [this](const BoundedRun::Ended& ended) { fetched(ended); });
  if (!run) return trouble(run.error().message);
  fetch_ = *std::move(run);
}

void BranchFollower::fetched(const BoundedRun::Ended& ended) {
  fetch_.reset();
  if (ended.exit_code == 0) {
    read_tip();
  } else {
    const std::string said = why_of_git(ended.output);
    drop_damaged_mirror();
    trouble(fmt::format("cannot fetch {} from {}: {}", options_.branch, options_.repo,
                        ended.out_of_time || said.empty() ? ended.how : said));
  }
  if (std::exchange(look_after_fetch_, false)) begin_look(true);
}

// Whatever is in a mirror the remote has, too: the next fetch makes it anew.
void BranchFollower::drop_damaged_mirror() {
  if (!is_remote()) return;
  const auto repository = GitRepository::open(folder());
  const auto tip = repository ? repository->tip(options_.branch) : fail(repository.error());
  if (tip && (!*tip || repository->read(**tip))) return;
  std::error_code ignored;
  if (fs::remove_all(options_.mirror, ignored) == 0) return;
  log_warn("{}, a copy of {}, was damaged; it is made anew", options_.mirror, options_.repo);
}

void BranchFollower::read_tip() {
  if (const auto taken = take_tip(); !taken) {
    drop_damaged_mirror();
    return trouble(taken.error().message);
  }
  if (standing_.trouble) log_info("{} of {} can be followed again", options_.branch, options_.repo);
  standing_.trouble.reset();
  standing_.read_at = clock_.now();
}

Result<void> BranchFollower::take_tip() {
  const auto repository = GitRepository::open(folder());
  if (!repository) return fail(repository.error());
  const auto found = repository->tip(options_.branch);
  if (!found) return fail(found.error());
  if (!*found) {
    return fail(ErrorCode::not_found,
                fmt::format("{} has no branch {}; push it, or name another in [triggers] branch",
                            options_.repo, options_.branch));
  }
  const std::string& tip = **found;
  standing_.tip = tip;
  // One after the other: where the branch stands then is looked at when this one is decided.
  if (!under_way_.empty()) return {};
  settle_waiting(*repository, tip);
  if (tip == decided_ && !again_) return {};
  if (not_before_ && clock_.monotonic() < *not_before_)
    return fail(ErrorCode::unavailable, not_judged_);
  not_before_.reset();
  if (tip == decided_) return take_again(*repository);
  auto commit = repository->read(tip);
  if (!commit) return fail(commit.error());
  if (!standing_.taken.empty()) {
    const auto follows = repository->contains(tip, standing_.taken);
    if (!follows || !*follows)
      log_warn("{} of {} was forced: {}, which runs, is not in the history of {}", options_.branch,
               options_.repo, short_of(standing_.taken), short_of(tip));
  }
  log_info("{} of {} is at {}: {}", options_.branch, options_.repo, short_of(tip), commit->subject);
  submit(*std::move(commit));
  if (not_before_) return fail(ErrorCode::unavailable, not_judged_);
  return {};
}

Result<void> BranchFollower::take_again(const GitRepository& repository) {
  const std::string& commit = standing_.refused ? standing_.taken : decided_;
  // Nothing was ever taken.
  if (commit.empty()) {
    again_ = false;
    return {};
  }
  auto files = repository.read(commit);
  if (!files) {
    return fail(ErrorCode::unavailable,
                fmt::format("a trigger is pinned no more, and cannot follow its file: {}",
                            files.error().message));
  }
  log_info("{} of {}: {} is taken again, as a trigger is pinned no more", options_.branch,
           options_.repo, short_of(commit));
  const bool once_more = standing_.refused.has_value();
  submit(*std::move(files), once_more);
  if (not_before_) return fail(ErrorCode::unavailable, not_judged_);
  return {};
}

void BranchFollower::submit(CommitFiles commit, bool once_more) {
  under_way_ = commit.commit;
  Deployer::Submission submission;
  submission.commit = std::move(commit);
  deployer_.submit(std::move(submission),
                   [this, once_more, was_asked = std::exchange(again_, false),
                    id = under_way_](const Deployer::Answer& answer) {
                     under_way_.clear();
                     if (!answer.record) return not_judged(id, answer);
                     // While a tip is refused, what was taken before it is what a file holds.
                     again_ = again_ || (was_asked && id != standing_.taken && !answer.accepted);
                     once_more ? decided_once_more(id, answer) : decided(id, answer);
                     // Perhaps the branch has moved meanwhile.
                     read_tip();
                   });
}

void BranchFollower::not_judged(const std::string& commit, const Deployer::Answer& answer) {
  not_before_ = clock_.monotonic() + options_.again_after;
  not_judged_ = fmt::format("{} could not be judged: {}; it is tried again", short_of(commit),
                            first_line(answer.report));
  // What was decided is looked at again only if it is asked for.
  again_ = again_ || commit == decided_ || commit == standing_.taken;
  trouble(not_judged_);
}

// What was decided of the tip stands.
void BranchFollower::decided_once_more(const std::string& commit, const Deployer::Answer& answer) {
  if (answer.accepted) {
    log_info("{} is taken again, from sequence {} on", short_of(commit),
             answer.record->sequence->value);
  } else {
    log_error("{}, which was taken before, is refused now: {}", short_of(commit),
              first_line(answer.report));
  }
}

void BranchFollower::decided(const std::string& commit, const Deployer::Answer& answer) {
  decided_ = commit;
  record_ = answer.record;
  standing_.refused.reset();
  if (answer.accepted) {
    standing_.taken = commit;
    log_info("{} is taken, from sequence {} on", short_of(commit), answer.record->sequence->value);
  } else {
    standing_.refused = answer.report;
  }
  for (Waiting& each : std::exchange(waiting_, {})) {
    if (each.tip == commit) {
      each.tell(*record_);
    } else {
      waiting_.push_back(std::move(each));
    }
  }
}

// Those whose commit is in the tip's history are told with it; the others have nothing to wait for.
void BranchFollower::settle_waiting(const GitRepository& repository, const std::string& tip) {
  for (Waiting& each : std::exchange(waiting_, {})) {
    const auto has = repository.contains(tip, each.commit);
    if (has && *has && tip == decided_ && record_) {
      each.tell(*record_);
    } else if (has && *has) {
      each.tip = tip;
      waiting_.push_back(std::move(each));
    } else if (look_after_fetch_) {
      waiting_.push_back(std::move(each));
    } else {
      each.tell(fail(ErrorCode::not_found,
                     fmt::format("{} is not on the branch {} of {}", short_of(each.commit),
                                 options_.branch, options_.repo)));
    }
  }
}

void BranchFollower::trouble(const std::string& text) {
  if (!standing_.trouble || standing_.trouble->text != text) {
    log_error("{}; the triggers that run go on running", text);
    standing_.trouble = {text, clock_.now()};
  }
  give_up_waiting({ErrorCode::unavailable, text});
}

void BranchFollower::give_up_waiting(const Error& error) {
  for (const Waiting& each : std::exchange(waiting_, {})) each.tell(fail(error));
}

}  // namespace hastur
