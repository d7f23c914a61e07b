#include "supervisor/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/fd.h"
#include "core/log.h"
#include "core/random.h"

namespace hastur {
namespace {

constexpr Micros turn_every = std::chrono::milliseconds{50};
// What is under way when a stop is asked for gets this long to finish.
constexpr Micros stop_span = std::chrono::seconds{5};

// Where the other programs lie, too.
std::string our_program() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

// Who may read the state file's folder may tell the supervisor what to do.
Result<std::string> own_token(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const std::string token = fmt::format("{:016x}{:016x}\n", random_u64(), random_u64());
    if (!file.is_open() ||
        write(file.get(), token.data(), token.size()) != static_cast<ssize_t>(token.size())) {
      return fail(ErrorCode::failed,
                  fmt::format("the token file {} cannot be written: {}", path, strerror(errno)));
    }
  }
  return read_token(path);
}

}  // namespace

Supervisor::Supervisor(const SupervisorConfig& config) : config_(config) {}

Result<std::unique_ptr<Supervisor>> Supervisor::make(const SupervisorConfig& config) {
  std::unique_ptr<Supervisor> supervisor(new Supervisor(config));
  HASTUR_TRY(supervisor->open());
  return supervisor;
}

Result<void> Supervisor::open() {
  std::error_code ignored;
  const auto folder = std::filesystem::path(config_.state).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  if (std::filesystem::exists(config_.state, ignored) &&
      std::filesystem::file_size(config_.state, ignored) == 0) {
    log_warn(
        "the state file {} is empty: every trigger begins anew. If it held their states, stop and "
        "restore it from a copy",
        config_.state);
  }
  SqliteStoreOptions store_options;
  store_options.path = config_.state;
  store_options.synced = config_.durability == "synced";
  auto store = open_store(store_options);
  if (!store) return fail(store.error());
  store_ = std::move(*store);

  HASTUR_TRY(platform_.start(*store_));
  auto notifications = Notifications::open(loop_, clock_, *store_, config_);
  if (!notifications) return fail(notifications.error());
  notifications_ = std::move(*notifications);
  if (!config_.watchdog_url.empty()) watchdog_.emplace(store_->owner().to_string());
  HASTUR_TRY(make_workers());

  Dispatcher::Options options;
  options.workers = config_.workers > 0 ? static_cast<std::uint32_t>(config_.workers)
                                        : std::max(1u, std::thread::hardware_concurrency());
  options.limits = config_.limits();
  options.late_after = config_.late_after;
  options.runtime_build = std::string(runtime_revision);
  if (watchdog_) options.built_in = {watchdog_->script()};
  options.gate.rule = [this](NotificationRecord& record) { notifications_->decide(record); };
  dispatcher_ = std::make_unique<Dispatcher>(*store_, clock_, std::move(options));
  make_succession();
  pruner_ = std::make_unique<Pruner>(*store_, clock_, Pruner::Options{});
  history_ = std::make_unique<HistoryReader>(
      [this](const RequestFrame& frame) { connection_->send(frame); });

  Api::Options api_options;
  const auto beside_state = std::filesystem::path(config_.state).replace_filename("token");
  auto token = config_.token_file.empty() ? own_token(beside_state.string())
                                          : read_token(config_.token_file);
  if (!token) return fail(token.error());
  api_options.token = std::move(*token);
  notify_api_ = notifications_->make_api(
      [this](const TriggerName& name) { return dispatcher_->triggers().contains(name); });
  api_options.notify = notify_api_.get();
  api_options.state_file = config_.state;
  api_options.cage_missing = &workers_->inputs().cage_missing();
  DeployApi::Calls deploy_calls;
  deploy_calls.read_again = [this] { read_scripts(true); };
  deploy_api_ = std::make_unique<DeployApi>(*dispatcher_, *store_, std::move(deploy_calls));
  api_options.deploy = deploy_api_.get();
  api_options.http_counts = [this] {
    return http_ != nullptr ? http_->counts() : HttpServer::Counts{};
  };
  make_deployer();
  make_troubles();
  api_options.commits = commit_api_.get();
  api_ = std::make_unique<Api>(*dispatcher_, *store_, *history_, clock_, std::move(api_options));
  HttpServer::Options http_options;
  http_options.address = config_.http;
  http_options.body_bytes_max = [this](const HttpRequest& head) {
    return api_->body_bytes_max(head);
  };
  // Whoever pushes waits for the commits before theirs, too.
  http_options.answer_span = std::max(http_options.answer_span, 5 * config_.gate_time_max);
  auto http = HttpServer::listen(loop_, http_options,
                                 [this](const HttpRequest& request, HttpServer::Respond respond) {
                                   api_->answer(request, respond);
                                   carry_out();
                                 });
  if (!http) return fail(http.error());
  http_ = std::move(*http);
  make_rollback_replays();

  SyndicatorConnection::Options connection_options;
  connection_options.publish = config_.publish;
  connection_options.request = config_.request;
  SyndicatorConnection::Calls calls;
  calls.published = [this](Batch batch) {
    if (watchdog_ && watchdog_->seen(batch)) call_watchdog();
    dispatcher_->published(std::move(batch));
    carry_out();
  };
  calls.replied = [this](ReplyFrame frame) {
    if (history_->replied(frame, clock_.monotonic())) return;
    dispatcher_->replied(std::move(frame));
    carry_out();
  };
  calls.connected = [this] {
    log_info("connected to the syndicator at {}", config_.request);
    history_->connected();
    dispatcher_->connected();
    carry_out();
  };
  calls.disconnected = [this] {
    log_warn("the connection to the syndicator is gone; trying again");
    history_->disconnected();
  };
  calls.garbage = [](const Error& error) {
    log_warn("something came that is no frame of a syndicator: {}", error.message);
  };
  auto connection = SyndicatorConnection::open(loop_, zmq_, connection_options, std::move(calls));
  if (!connection) return fail(connection.error());
  connection_ = std::move(*connection);

  if (follower_ != nullptr) return {};
  auto watch = FolderWatch::make(loop_, [this](const auto& /*paths*/) { read_scripts(); });
  if (!watch) return fail(watch.error());
  watch_ = std::move(*watch);
  watch_folder();
  return {};
}

void Supervisor::make_deployer() {
  // Beside the state file, or a folder of its name: two supervisors have nothing in common.
  const auto beside_state = [this](const char* ending) {
    return std::filesystem::absolute(config_.state + ending).string();
  };
  Gate::Options gate;
  gate.trigger_test = std::filesystem::path(our_program()).parent_path() / "trigger-test";
  gate.folder = beside_state(".gate");
  gate.time_max = config_.gate_time_max;
  gate.backtest.exporter = {our_program(), "--request", config_.request, "export"};
  gate.backtest.window = config_.gate_backtest;
  gate.backtest.new_notifications_max = config_.gate_new_notifications_max;
  deployer_ = std::make_unique<Deployer>(loop_, clock_, *dispatcher_, std::move(gate));
  if (!config_.repo.empty()) {
    BranchFollower::Options options;
    options.repo = config_.repo;
    options.branch = config_.branch;
    options.mirror = beside_state(".git");
    options.fetch_every = config_.fetch_every;
    follower_ = std::make_unique<BranchFollower>(loop_, clock_, *store_, *dispatcher_, *deployer_,
                                                 std::move(options));
  }
  if (follower_ == nullptr)
    folder_ = std::make_unique<FollowedFolder>(clock_, *dispatcher_, config_.triggers_folder());
  commit_api_ =
      std::make_unique<CommitApi>(*dispatcher_, *deployer_, follower_.get(), folder_.get());
}

// The replay asks this supervisor, whatever stands in a file by now.
void Supervisor::make_rollback_replays() {
  const auto absolute = [](const std::string& path) {
    return std::filesystem::absolute(path).string();
  };
  RollbackReplays::Options options;
  const std::string host = config_.http.substr(0, config_.http.rfind(':'));
  options.command = {our_program(),
                     "--state",
                     absolute(config_.state),
                     "--request",
                     config_.request,
                     "--http",
                     fmt::format("{}:{}", host, http_->port()),
                     "--sandbox",
                     config_.sandbox,
                     "--callback-cpu-max",
                     format_span(config_.callback_cpu_max)};
  if (!config_.token_file.empty()) {
    options.command.push_back("--token-file");
    options.command.push_back(absolute(config_.token_file));
  }
  options.command.push_back("replay");
  replays_ = std::make_unique<RollbackReplays>(loop_, clock_, *store_, std::move(options));
}

Result<void> Supervisor::make_workers() {
  Worker::Options options;
  options.callback_cpu_max = config_.callback_cpu_max;
  options.cage_required = config_.sandbox == "required";
  WorkerPool::Calls calls;
  calls.replied = [this](std::uint32_t slot, WorkerReply reply) {
    dispatcher_->worker_replied(slot, std::move(reply));
  };
  calls.died = [this](std::uint32_t slot, const WorkerDied& died) {
    dispatcher_->worker_died(slot, died);
  };
  calls.pumped = [this] { carry_out(); };
  auto workers = WorkerPool::make(loop_, clock_, std::move(options), std::move(calls));
  if (!workers) return fail(workers.error());
  workers_ = std::move(*workers);
  return {};
}

int Supervisor::run() {
  log_info("HTTP on port {}, state in {}, notifications: {}", http_->port(), config_.state,
           config_.notify);
  stop_signals_ = loop_.on_signals({SIGTERM, SIGINT}, [this](int signal) {
    log_info("stopping: signal {}", signal);
    stop(0);
  });
  reload_signal_ = loop_.on_signals({SIGHUP}, [this](int) { reload(); });
  turns_ = loop_.every(turn_every, [this] { turn(); });
  carry_out();
  read_scripts();
  loop_.run();
  notifications_->delivery().turn();
  // Workers die with their objects; the store closes cleanly.
  return exit_code_;
}

// What can change while it runs; the rest is said to wait for a restart.
void Supervisor::reload() {
  if (auto fresh = read_config(); !fresh) {
    log_error("SIGHUP: no setting changes: {}", fresh.error().message);
  } else {
    set_log_level(log_level_from_name(fresh->log).value_or(LogLevel::info));
    if (const auto done = notifications_->reload(*fresh); !done) {
      log_error("SIGHUP: no channel changes: {}", done.error().message);
    } else {
      config_.notify = fresh->notify;
      troubles_->set_platform_channel(fresh->platform_notify);
    }
    log_info(
        "SIGHUP: the log level, [notify.NAME] with its secrets, the notify settings of "
        "[supervisor] and [platform], and what the triggers' folder or branch holds are read "
        "again; other settings, also which folder or repository that is, take effect at a restart");
  }
  read_scripts();
}

void Supervisor::stop(int exit_code) {
  exit_code_ = std::max(exit_code_, exit_code);
  if (give_up_ != nullptr || exit_code != 0) return loop_.stop();
  dispatcher_->begin_stop();
  give_up_ = loop_.after(stop_span, [this] {
    log_warn("workers did not answer in {}; what they were doing is done again at the next start",
             format_span(stop_span));
    loop_.stop();
  });
  carry_out();
}

void Supervisor::make_troubles() {
  PlatformTroubles::Sources sources{
      clock_,
      *dispatcher_,
      config_.request,
      notifications_->channels(),
      [this](const std::string& channel) { return notifications_->state(channel); },
      config_.platform_notify,
      commit_api_->trouble(),
      watchdog_ ? &*watchdog_ : nullptr};
  troubles_ = std::make_unique<PlatformTroubles>(std::move(sources));
}

void Supervisor::look_after_platform() {
  constexpr Micros look_every = std::chrono::seconds{1};
  const Micros now = clock_.monotonic();
  if (now - looked_after_platform_ < look_every) return;
  looked_after_platform_ = now;
  // The kernel tells nothing of a folder whose parent is gone, too, or is no folder of this kernel.
  if (folder_ != nullptr && folder_->trouble()) {
    watch_folder();
    read_scripts();
  }
  for (NotificationRecord& record : platform_.look(troubles_->look(), clock_.now()))
    dispatcher_->notify(std::move(record));
  carry_out();
}

void Supervisor::make_succession() {
  Succession::Calls calls;
  calls.run_of = [this](const TriggerName& name) -> std::optional<Run> {
    const auto found = dispatcher_->triggers().find(name);
    if (found == dispatcher_->triggers().end()) return std::nullopt;
    return found->second->run();
  };
  calls.is_paused = [this](const TriggerName& name) {
    const Pause* pause = dispatcher_->triggers().at(name)->open_pause();
    return pause != nullptr && !pause->by_person;
  };
  calls.awaits_replay = [this](const TriggerName& name) {
    const auto open = store_->deployments({.trigger = name, .open_replays = true, .max = 1});
    return open && !open->empty();
  };
  calls.notify = [this](NotificationRecord record) { dispatcher_->notify(std::move(record)); };
  calls.store = [this](NotificationRecord record) { dispatcher_->keep(std::move(record)); };
  succession_ = std::make_unique<Succession>(*store_, clock_, std::move(calls));
}

void Supervisor::look_after_incidents() {
  constexpr Micros again_after = std::chrono::seconds{10};
  // What is not stored yet would be missed.
  if (dispatcher_->stage() != Dispatcher::Stage::running || !dispatcher_->has_told_all()) return;
  const Micros now = clock_.monotonic();
  const bool waited = succession_->waits() && now - looked_after_incidents_ >= again_after;
  if (succeeded_ != dispatcher_->runs_ended() || waited) {
    succeeded_ = dispatcher_->runs_ended();
    looked_after_incidents_ = now;
    succession_->begin();
  }
  if (const auto looked = succession_->turn(); !looked) {
    log_warn("open incidents cannot be looked through, trying again: {}", looked.error().message);
  }
  carry_out();
}

void Supervisor::turn_watchdog() {
  if (!watchdog_) return;
  // The first goes out when somebody is there to answer it.
  const auto answers = dispatcher_->triggers().find(watchdog_->trigger());
  if (answers == dispatcher_->triggers().end() ||
      (!watchdog_->has_begun() && answers->second->phase != Trigger::Phase::running))
    return;
  const auto datagram = watchdog_->turn(clock_.now());
  if (!datagram) return;
  if (watchdog_sender_ && watchdog_sender_->send(*datagram)) return;
  // An error may be of the datagram before: the syndicator was away then.
  auto sender = UdpSender::connect(config_.watchdog_udp);
  if (!sender) return watchdog_->not_sent(sender.error().message);
  watchdog_sender_ = std::move(*sender);
  if (const auto sent = watchdog_sender_->send(*datagram); !sent)
    watchdog_->not_sent(sent.error().message);
}

void Supervisor::call_watchdog() {
  notifications_->call_watchdog([this](const Answer& answer) {
    if (answer.verdict == Answer::Verdict::arrived) return watchdog_->called({});
    watchdog_->called(answer.text);
  });
}

void Supervisor::turn() {
  dispatcher_->turn();
  carry_out();
  look_after_platform();
  look_after_incidents();
  turn_watchdog();
  if (follower_ != nullptr && dispatcher_->stage() == Dispatcher::Stage::running)
    follower_->start();
  deployer_->turn();
  if (dispatcher_->stage() == Dispatcher::Stage::running && give_up_ == nullptr) replays_->turn();
  carry_out();
  notifications_->turn();
  pruner_->turn(dispatcher_->syndicator());
  history_->turn(clock_.monotonic());
  workers_->check_guards();
}

void Supervisor::carry_out() {
  // An action may lead to an event (a worker that cannot be started): its actions follow those of
  // the first.
  if (carrying_out_) return;
  carrying_out_ = true;
  for (std::vector<Action> actions = dispatcher_->take_actions(); !actions.empty();
       actions = dispatcher_->take_actions()) {
    for (Action& action : actions) {
      if (auto* send = std::get_if<SendRequest>(&action)) {
        if (connection_ != nullptr) connection_->send(send->frame);
      } else if (auto* start = std::get_if<StartWorker>(&action)) {
        workers_->start(start->worker);
      } else if (auto* ended = std::get_if<EndWorker>(&action)) {
        workers_->end(ended->worker);
      } else if (auto* command = std::get_if<ToWorker>(&action)) {
        workers_->send(command->worker, std::move(command->command));
      } else if (const auto* out = std::get_if<LetOut>(&action)) {
        notifications_->delivery().stored(out->notifications);
      } else if (const auto* decided = std::get_if<Deployed>(&action)) {
        deploy_api_->deployed(*decided);
        deployer_->deployed(*decided);
        replays_->deployed(decided->record);
      } else if (auto* end = std::get_if<StopProcess>(&action)) {
        log_error("cannot go on: {}", end->why.message);
        stop(1);
      }
    }
  }
  carrying_out_ = false;
  if (give_up_ != nullptr && dispatcher_->stopped()) loop_.stop();
}

void Supervisor::read_scripts(bool again) {
  if (follower_ != nullptr) return again ? follower_->look_again() : follower_->look();
  folder_->read();
  carry_out();
}

void Supervisor::watch_folder() {
  watch_->watch({{folder_->directory(), FolderWatch::Depth::tree}});
}

}  // namespace hastur
