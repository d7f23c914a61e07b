#pragma once

// The part of the API that is about the set of triggers: what changed it, and going back.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/json.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/http/http_server.h"

namespace hastur {

// `changes` with all their fields, `report` as one text.
Json deployment_to_json(const DeploymentRecord& record);

class DeployApi {
 public:
  struct Calls {
    // The folder or the branch is to be read again, though nothing in it may have changed.
    std::function<void()> read_again;
  };

  // All but `calls` outlive it.
  DeployApi(Dispatcher& dispatcher, CheckpointStore& store, Calls calls)
      : dispatcher_(dispatcher), store_(store), calls_(std::move(calls)) {}

  // The answer to a GET; nothing if the path is none of these: /v1/deployments,
  // /v1/deployments/ID, /v1/pins.
  std::optional<HttpResponse> read(const HttpRequest& request) const;
  // Calls `respond` once and returns true; false for a verb of others. What begins a run is
  // answered when that is decided and stored.
  bool command(const std::string& verb, const Json& body, const HttpServer::Respond& respond);
  static constexpr std::string_view verbs = "rollback and unpin";

  void deployed(const Deployed& deployed);

 private:
  HttpResponse deployments(const HttpRequest& request) const;
  HttpResponse deployment(const std::string& id) const;
  HttpResponse pins() const;
  void rollback(const Json& body, const HttpServer::Respond& respond);
  HttpResponse unpin(const Json& body);

  Dispatcher& dispatcher_;
  CheckpointStore& store_;
  Calls calls_;
  std::map<std::uint64_t, HttpServer::Respond> waiting_;  // by ticket
};

}  // namespace hastur
