#pragma once

// The commands of `hastur` about the set of triggers: what changed it, and going back. Exit codes
// are those of commands.h.

#include <string>

#include "core/json.h"
#include "supervisor/cli/http_client.h"

namespace hastur {

struct DeployOptions {
  std::string trigger;
  // d-12; of a rollback: the deployment to go back before, empty for the one that brought the
  // present version.
  std::string deployment = {};
  // Of `deploy`: a name that git knows it by.
  std::string commit = {};
  std::string why = {};
  std::string token_file = {};
  // Of a rollback: without History since.
  bool no_replay = false;
  std::uint64_t limit = 20;
  bool json = false;
};

// The newest deployments, of one trigger if it is named; or the one whose id is given, with its
// report.
int deployments_command(HttpClient& http, const DeployOptions& options);
// Returns when History since has been replayed; exit code 1 if it could not be.
int rollback_command(HttpClient& http, const DeployOptions& options);
// Takes one trigger of a commit and pins it.
int deploy_command(HttpClient& http, const DeployOptions& options);
int unpin_command(HttpClient& http, const DeployOptions& options);

// The table of `hastur deployments`, of the items of /v1/deployments.
std::string deployment_table(const Json& items);
// One deployment with its changes and its report.
std::string deployment_page(const Json& deployment);

}  // namespace hastur
