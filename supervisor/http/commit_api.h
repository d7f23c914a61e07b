#pragma once

// The part of the API that is about commits: judging those that somebody pushes, telling when they
// are live, taking one trigger of one, and how the branch stands that says what runs.

#include <optional>
#include <string>

#include "core/json.h"
#include "supervisor/deploy/branch_follower.h"
#include "supervisor/deploy/deployer.h"
#include "supervisor/deploy/followed_folder.h"
#include "supervisor/http/http_server.h"

namespace hastur {

class CommitApi {
 public:
  // All outlive it. What says what runs is one of the two: the other is none.
  CommitApi(const Dispatcher& dispatcher, Deployer& deployer, BranchFollower* follower,
            const FollowedFolder* folder)
      : dispatcher_(dispatcher), deployer_(deployer), follower_(follower), folder_(folder) {}

  // GET /v1/source; nothing if the path is another.
  std::optional<HttpResponse> read(const HttpRequest& request) const;
  // Calls `respond` once and returns true; false for a verb of others. Answers when the commit has
  // been judged, or is decided.
  bool command(const std::string& verb, const Json& body, const HttpServer::Respond& respond);
  static constexpr std::string_view verbs = "judge, follow, deploy";
  // Why what says what runs cannot be followed now.
  const std::optional<SourceTrouble>& trouble() const;
  // For /metrics.
  std::string metrics() const;

  // A whole commit comes in one request.
  static constexpr std::size_t body_bytes_max = 64u << 20;
  static bool takes_a_commit(std::string_view path) { return path == "/v1/commands/judge"; }

 private:
  HttpResponse source() const;
  std::optional<HttpResponse> cannot(const std::string& branch) const;
  void judge(const Json& body, const HttpServer::Respond& respond);
  void follow(const Json& body, const HttpServer::Respond& respond);
  void deploy(const Json& body, const HttpServer::Respond& respond);

  const Dispatcher& dispatcher_;
  Deployer& deployer_;
  BranchFollower* follower_;
  const FollowedFolder* folder_;
};

}  // namespace hastur
