#include "supervisor/http/commit_api.h"

#include <fmt/format.h>

#include "supervisor/http/answers.h"
#include "supervisor/http/deploy_api.h"
#include "trigger-runtime/sources/commit_json.h"

namespace hastur {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::optional<HttpResponse> CommitApi::read(const HttpRequest& request) const {
  if (request.path != "/v1/source") return std::nullopt;
  return without_arguments(request, source());
}

HttpResponse CommitApi::source() const {
  Json told = nullptr;
  if (const auto& why = trouble()) told = {{"text", why->text}, {"since", to_us(why->since)}};
  if (follower_ == nullptr) {
    return ok(
        {{"kind", "directory"}, {"directory", folder_->directory()}, {"trouble", std::move(told)}});
  }
  const BranchFollower::Standing& standing = follower_->standing();
  return ok({{"kind", "branch"},
             {"repo", follower_->options().repo},
             {"branch", follower_->options().branch},
             {"tip", text_or_null(standing.tip)},
             {"taken", text_or_null(standing.taken)},
             {"refused", standing.refused ? Json(*standing.refused) : Json(nullptr)},
             {"read_at", standing.read_at ? Json(to_us(*standing.read_at)) : Json(nullptr)},
             {"trouble", std::move(told)}});
}

const std::optional<SourceTrouble>& CommitApi::trouble() const {
  return follower_ == nullptr ? folder_->trouble() : follower_->standing().trouble;
}

bool CommitApi::command(const std::string& verb, const Json& body,
                        const HttpServer::Respond& respond) {
  if (verb == "judge") {
    judge(body, respond);
  } else if (verb == "follow") {
    follow(body, respond);
  } else if (verb == "deploy") {
    deploy(body, respond);
  } else {
    return false;
  }
  return true;
}

// What stands against all of it. An empty branch is the followed one.
std::optional<HttpResponse> CommitApi::cannot(const std::string& branch) const {
  if (follower_ == nullptr) {
    return refuse(409, "conflict",
                  fmt::format("this supervisor runs the triggers of the folder {}; [triggers] repo "
                              "names a repository for it to follow",
                              folder_->directory()));
  }
  if (!branch.empty() && branch != follower_->options().branch) {
    return refuse(409, "conflict",
                  fmt::format("this supervisor follows the branch {} of {}, not {}",
                              follower_->options().branch, follower_->options().repo, branch));
  }
  if (dispatcher_.stage() != Dispatcher::Stage::running) {
    return refuse(503, "unavailable",
                  "this supervisor is not running yet: it waits for the syndicator");
  }
  return std::nullopt;
}

void CommitApi::judge(const Json& body, const HttpServer::Respond& respond) {
  Fields fields(body);
  const std::string branch = fields.text("branch");
  // What is wrong with these commit_from_json() says.
  for (const char* name : {"commit", "author", "subject", "time", "files", "problems"})
    fields.any(name);
  if (auto wrong = fields.refusal()) return respond(*std::move(wrong));
  if (auto refusal = cannot(branch)) return respond(*std::move(refusal));
  auto commit = commit_from_json(body);
  if (!commit) return respond(refuse(400, "bad_argument", commit.error().message));
  Deployer::Submission submission;
  submission.commit = *std::move(commit);
  submission.dry_run = true;
  deployer_.submit(std::move(submission), [respond](const Deployer::Answer& answer) {
    if (answer.is_void) return respond(refuse(503, "unavailable", answer.report));
    respond(ok({{"accepted", answer.accepted}, {"report", answer.report}}));
  });
}

void CommitApi::follow(const Json& body, const HttpServer::Respond& respond) {
  Fields fields(body);
  const std::string branch = fields.text("branch");
  const std::string commit = fields.text("commit");
  if (auto wrong = fields.refusal()) return respond(*std::move(wrong));
  if (auto refusal = cannot(branch)) return respond(*std::move(refusal));
  if (commit.empty())
    return respond(refuse(400, "bad_argument", R"(say which: {"commit":"40 hex digits"})"));
  follower_->await(commit, [respond](const Result<DeploymentRecord>& decision) {
    // Of a later tip of the branch, where that has come to stand for it.
    if (decision) return respond(ok(deployment_to_json(*decision)));
    const bool is_elsewhere = decision.error().code == ErrorCode::not_found;
    respond(refuse(is_elsewhere ? 404 : 503, is_elsewhere ? "not_found" : "unavailable",
                   decision.error().message));
  });
}

void CommitApi::deploy(const Json& body, const HttpServer::Respond& respond) {
  Fields fields(body);
  const TriggerName only = fields.text("only");
  const std::string name = fields.text("commit");
  std::string why = fields.why();
  if (auto wrong = fields.refusal()) return respond(*std::move(wrong));
  if (auto refusal = cannot({})) return respond(*std::move(refusal));
  if (only.empty() || name.empty()) {
    return respond(refuse(400, "bad_argument",
                          R"(say what: {"only":"NAME","commit":"a name of it","why":"…"})"));
  }
  auto commit = follower_->read(name);
  if (!commit) {
    const bool is_unknown = commit.error().code == ErrorCode::not_found;
    return respond(refuse(is_unknown ? 404 : 503, is_unknown ? "not_found" : "unavailable",
                          commit.error().message));
  }
  Deployer::Submission submission;
  submission.commit = *std::move(commit);
  submission.only = only;
  submission.why = std::move(why);
  deployer_.submit(std::move(submission), [respond](const Deployer::Answer& answer) {
    if (answer.is_void) return respond(refuse(503, "unavailable", answer.report));
    respond(answer.accepted ? ok(deployment_to_json(*answer.record))
                            : refuse(409, "refused", answer.report));
  });
}

std::string CommitApi::metrics() const {
  std::string text = fmt::format(
      "# HELP hastur_source_trouble 1 while what says which triggers run cannot be followed.\n"
      "# TYPE hastur_source_trouble gauge\n"
      "hastur_source_trouble {}\n",
      trouble() ? 1 : 0);
  if (follower_ == nullptr) return text;
  return text + fmt::format(
                    "# HELP hastur_source_refused 1 while the branch's tip is refused and an older "
                    "commit runs.\n"
                    "# TYPE hastur_source_refused gauge\n"
                    "hastur_source_refused {}\n",
                    follower_->standing().refused ? 1 : 0);
}

}  // namespace hastur
