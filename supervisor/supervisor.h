#pragma once

// The supervisor wired to the world: sockets, worker processes, the state file, HTTP and the
// triggers' folder or repository around a Dispatcher, on one event loop.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/folder_watch.h"
#include "core/loop.h"
#include "core/result.h"
#include "core/udp_sender.h"
#include "state/checkpoint_store.h"
#include "supervisor/config.h"
#include "supervisor/deploy/branch_follower.h"
#include "supervisor/deploy/deployer.h"
#include "supervisor/deploy/rollback_replays.h"
#include "supervisor/dispatch/dispatcher.h"
#include "supervisor/dispatch/pruner.h"
#include "supervisor/http/api.h"
#include "supervisor/http/commit_api.h"
#include "supervisor/http/deploy_api.h"
#include "supervisor/http/history_reader.h"
#include "supervisor/http/http_server.h"
#include "supervisor/http/notify_api.h"
#include "supervisor/notifications.h"
#include "supervisor/platform_troubles.h"
#include "supervisor/platform_watch.h"
#include "supervisor/succession.h"
#include "supervisor/watchdog.h"
#include "supervisor/worker_pool.h"
#include "syndicator/client/connection.h"
#include "syndicator/client/zmq.h"

namespace hastur {

class Supervisor {
 public:
  // Opens everything that can fail: the error says what and what to do. Nothing runs before run().
  // The config's `check()` has passed.
  static Result<std::unique_ptr<Supervisor>> make(const SupervisorConfig& config);

  // Reads the same file and flags again, checked: for SIGHUP. Set before run().
  std::function<Result<SupervisorConfig>()> read_config;

  // Until SIGTERM or SIGINT (then the exit code is 0), or until it cannot go on (1).
  int run();

 private:
  explicit Supervisor(const SupervisorConfig& config);
  Result<void> open();
  Result<void> make_workers();
  void make_troubles();
  void look_after_platform();
  void make_succession();
  void look_after_incidents();
  void turn_watchdog();
  void call_watchdog();
  void make_deployer();
  // Once it is known where HTTP is served.
  void make_rollback_replays();
  // Does what the dispatcher asks for, until it asks for nothing more.
  void carry_out();
  void reload();
  // Of a folder: reads it. Of a repository: looks at its branch, and if `again` takes its tip
  // though it was decided already.
  void read_scripts(bool again = false);
  void watch_folder();
  void turn();
  void stop(int exit_code);

  SupervisorConfig config_;
  SystemClock clock_;
  Loop loop_;
  ZmqContext zmq_;
  std::unique_ptr<CheckpointStore> store_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<Notifications> notifications_;
  std::unique_ptr<Succession> succession_;
  // Up to which end of a run incidents were looked through; nothing: not since the start.
  std::optional<std::uint64_t> succeeded_;
  Micros looked_after_incidents_{0};
  std::unique_ptr<NotifyApi> notify_api_;
  std::unique_ptr<SyndicatorConnection> connection_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Pruner> pruner_;
  std::unique_ptr<HistoryReader> history_;
  std::unique_ptr<Deployer> deployer_;
  // What says which triggers run: one of the two.
  std::unique_ptr<BranchFollower> follower_;
  std::unique_ptr<FollowedFolder> folder_;
  std::unique_ptr<RollbackReplays> replays_;
  std::unique_ptr<DeployApi> deploy_api_;
  std::unique_ptr<CommitApi> commit_api_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<FolderWatch> watch_;
  PlatformWatch platform_;
  std::unique_ptr<PlatformTroubles> troubles_;
  Micros looked_after_platform_{0};
  // If there is a URL to call.
  std::optional<Watchdog> watchdog_;
  std::optional<UdpSender> watchdog_sender_;
  std::unique_ptr<Loop::Handle> turns_, stop_signals_, reload_signal_, give_up_;
  bool carrying_out_ = false;
  int exit_code_ = 0;
};

}  // namespace hastur
