#pragma once

// What can be read from a supervisor over HTTP, and what it can be told to do (DESIGN §13).

#include <functional>
#include <string>

#include "core/clock.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/http/commit_api.h"
#include "supervisor/http/deploy_api.h"
#include "supervisor/http/history_reader.h"
#include "supervisor/http/http_server.h"
#include "supervisor/http/notify_api.h"
#include "supervisor/http/replay_api.h"

namespace hastur {

class Api {
 public:
  struct Options {
    // Requests that change something must bear it, and those from elsewhere than loopback. Empty:
    // nothing can be changed.
    std::string token;
    // Outlives the Api; none: there are no orders about notifications.
    NotifyApi* notify = nullptr;
    // The same of deployments, and of commits.
    DeployApi* deploy = nullptr;
    CommitApi* commits = nullptr;
    // The state file: a replay's file lies beside it. Empty: no replay takes over.
    std::string state_file = {};
    // What the workers' cage lacks, for /metrics. Outlives the Api.
    const std::vector<std::string>* cage_missing = nullptr;
    // Of the server that asks, for /metrics.
    std::function<HttpServer::Counts()> http_counts = {};
  };

  // All but `options` outlive the Api. Used on the loop's thread only.
  Api(Dispatcher& dispatcher, CheckpointStore& store, HistoryReader& history, Clock& clock,
      Options options);

  // Calls `respond` once: at once, or when History has been read.
  void answer(const HttpRequest& request, const HttpServer::Respond& respond);
  // How large the body of a request may be, by its head: much only for who may change something.
  std::size_t body_bytes_max(const HttpRequest& head) const;

 private:
  HttpResponse triggers() const;
  HttpResponse trigger(const TriggerName& name) const;
  HttpResponse state(const TriggerName& name) const;
  HttpResponse snapshots(const TriggerName& name) const;
  HttpResponse notifications(const HttpRequest& request) const;
  HttpResponse metrics() const;
  HttpResponse health() const;
  // POST /v1/commands/VERB
  void command(const HttpRequest& request, const HttpServer::Respond& respond);
  HttpResponse command_trigger(const std::string& verb, const Json& body);
  void stats(const HttpRequest& request, const HttpServer::Respond& respond);
  void messages(const HttpRequest& request, const HttpServer::Respond& respond);
  Json describe(const Trigger& trigger) const;
  static Json describe(const TriggerName& name, const Dispatcher::Refused& refused);

  Dispatcher& dispatcher_;
  CheckpointStore& store_;
  HistoryReader& history_;
  Clock& clock_;
  Options options_;
  ReplayApi replay_;
};

}  // namespace hastur
