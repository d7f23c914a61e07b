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
#include "supervisor/deploy/script_directory.h"

namespace hastur {
namespace {

constexpr Micros turn_every = std::chrono::milliseconds{50};
// What is under way when a stop is asked for gets this long to finish.
constexpr Micros stop_span = std::chrono::seconds{5};
// The watchdog's URL as a channel, which nobody else knows.
constexpr std::string_view watchdog_channel = "hastur/watchdog";

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
  SqliteStoreOptions store_options;
  store_options.path = config_.state;
  store_options.synced = config_.durability == "synced";
  auto store = open_store(store_options);
  if (!store) return fail(store.error());
  store_ = std::move(*store);

  HASTUR_TRY(open_notifications());
  auto inputs = SharedInputs::make();
  if (!inputs) return fail(inputs.error());
  inputs_ = std::move(*inputs);

  Dispatcher::Options options;
  options.workers = config_.workers > 0 ? static_cast<std::uint32_t>(config_.workers)
                                        : std::max(1u, std::thread::hardware_concurrency());
  options.limits = config_.limits();
  options.late_after = config_.late_after;
  options.runtime_build = std::string(runtime_revision);
  if (watchdog_) options.built_in = {watchdog_->script()};
  options.gate.rule = [this](NotificationRecord& record) { policy_->decide(record); };
  workers_.resize(options.workers);
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
  make_notify_api();
  api_options.notify = notify_api_.get();
  api_options.state_file = config_.state;
  api_options.cage_missing = &inputs_->cage_missing();
  DeployApi::Calls deploy_calls;
  deploy_calls.read_again = [this] { read_scripts(true); };
  deploy_api_ = std::make_unique<DeployApi>(*dispatcher_, *store_, std::move(deploy_calls));
  api_options.deploy = deploy_api_.get();
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
  watch_->watch({{config_.triggers_folder(), FolderWatch::Depth::tree}});
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
  commit_api_ = std::make_unique<CommitApi>(*dispatcher_, *deployer_, follower_.get(),
                                            config_.triggers_folder());
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

Result<void> Supervisor::open_notifications() {
  auto channels = config_.channels.open();
  if (!channels) return fail(channels.error());
  channels_ = std::move(*channels);
  const auto mode = notify_mode_from_name(config_.notify);
  policy_ = std::make_unique<NotifyPolicy>(mode.value_or(NotifyMode::record), channels_,
                                           config_.platform_notify);
  Notifier::Calls calls;
  calls.settled = [this](const NotificationSettled& done) { delivery_->settled(done); };
  calls.progressed = [this](const NotificationProgress& progress) {
    delivery_->progressed(progress);
  };
  calls.rests = [this](const ReceiverRest& rest) { delivery_->rests(rest); };
  calls.fetch = [this](const FetchMore& more) { delivery_->fetch(more); };
  calls.may_repeat = [this](const std::string& channel, const OutgoingNotification& notification) {
    return delivery_->may_repeat(channel, notification);
  };
  calls.tried = [this](const std::string& channel, const Answer& answer) {
    const auto tell = std::move(tests_[channel].front());
    tests_[channel].pop_front();
    tell(answer);
  };
  if (!config_.watchdog_url.empty()) watchdog_.emplace(store_->owner().to_string());
  notifier_ = std::make_unique<Notifier>(
      loop_, clock_, ways(), Notifier::Options{store_->owner().to_string(), random_u64()},
      std::move(calls));
  delivery_ = std::make_unique<Delivery>(*store_, clock_, *notifier_, *policy_, channels_,
                                         Delivery::Options{.late_after = config_.late_after});
  orders_ = std::make_unique<NotifyOrders>(*store_, clock_, *policy_, *delivery_);
  HASTUR_TRY(orders_->start());
  HASTUR_TRY(platform_.start(*store_));
  return delivery_->start();
}

std::map<std::string, Channel> Supervisor::ways() const {
  std::map<std::string, Channel> all = channels_;
  if (!watchdog_) return all;
  Channel& way = all[std::string(watchdog_channel)];
  way.name = watchdog_channel;
  way.kind = "web_hook";
  WebHookChannel url;
  url.url = config_.watchdog_url;
  way.way = std::move(url);
  return all;
}

void Supervisor::make_notify_api() {
  NotifyApi::Calls calls;
  calls.is_trigger = [this](const TriggerName& name) {
    return dispatcher_->triggers().contains(name);
  };
  calls.channel_state = [this](const std::string& channel) { return notifier_->state(channel); };
  calls.try_channel = [this](const std::string& channel, std::function<void(const Answer&)> tell) {
    tests_[channel].push_back(std::move(tell));
    notifier_->try_once(channel, test_notification(channel, clock_.now()));
  };
  notify_api_ = std::make_unique<NotifyApi>(*store_, clock_, channels_, *policy_, *orders_,
                                            *delivery_, std::move(calls));
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
  delivery_->turn();
  // Workers die with their objects; the store closes cleanly.
  return exit_code_;
}

// What can change while it runs; the rest is said to wait for a restart.
void Supervisor::reload() {
  if (auto fresh = read_config(); !fresh) {
    log_error("SIGHUP: no setting changes: {}", fresh.error().message);
  } else {
    set_log_level(log_level_from_name(fresh->log).value_or(LogLevel::info));
    reload_notifications(*fresh);
    log_info(
        "SIGHUP: the log level, [notify.NAME] with its secrets, the notify settings of "
        "[supervisor] "
        "and [platform] and the triggers' folder or branch are read again; other settings take "
        "effect at a restart");
  }
  read_scripts();
}

// What is under way ends as it began. The order matters: nothing may leave that is forbidden now.
void Supervisor::reload_notifications(const SupervisorConfig& fresh) {
  auto channels = fresh.channels.open();
  if (!channels) return log_error("SIGHUP: no channel changes: {}", channels.error().message);
  const std::map<std::string, Channel> before = std::exchange(channels_, std::move(*channels));
  for (const auto& [name, channel] : channels_) {
    const auto old = before.find(name);
    if (old == before.end()) {
      log_info("SIGHUP: the channel {} is new", name);
    } else if (!(old->second == channel)) {
      log_info("SIGHUP: the channel {} is another", name);
    }
  }
  for (const auto& [name, channel] : before) {
    if (!channels_.contains(name)) log_info("SIGHUP: the channel {} is gone", name);
  }
  config_.notify = fresh.notify;
  config_.platform_notify = fresh.platform_notify;
  policy_->configure(notify_mode_from_name(config_.notify).value_or(NotifyMode::record),
                     config_.platform_notify);
  troubles_->set_platform_channel(config_.platform_notify);
  const auto closed = delivery_->channels_changed();
  notifier_->configure(ways());
  const auto released = delivery_->release_held();
  for (const Result<void>* done : {&closed, &released}) {
    if (!*done) {
      log_error("SIGHUP: what waits for the channels is not all looked through: {}",
                done->error().message);
    }
  }
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
      channels_,
      [this](const std::string& channel) { return notifier_->state(channel); },
      config_.platform_notify,
      follower_.get(),
      watchdog_ ? &*watchdog_ : nullptr};
  troubles_ = std::make_unique<PlatformTroubles>(std::move(sources));
}

void Supervisor::look_after_platform() {
  constexpr Micros look_every = std::chrono::seconds{1};
  const Micros now = clock_.monotonic();
  if (now - looked_after_platform_ < look_every) return;
  looked_after_platform_ = now;
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
  const std::string channel(watchdog_channel);
  tests_[channel].push_back([this](const Answer& answer) {
    if (answer.verdict == Answer::Verdict::arrived) return watchdog_->called({});
    watchdog_->called(answer.text);
  });
  notifier_->try_once(channel, watchdog_call(config_.watchdog_url, clock_.now()));
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
  delivery_->turn();
  orders_->turn();
  pruner_->turn(dispatcher_->syndicator());
  const Micros now = clock_.monotonic();
  history_->turn(now);
  for (std::uint32_t slot = 0; slot < workers_.size(); ++slot) {
    if (workers_[slot].worker == nullptr) continue;
    workers_[slot].worker->check_guards(now);
  }
}

void Supervisor::start_worker(std::uint32_t slot) {
  if (slot >= workers_.size()) workers_.resize(slot + 1);
  WorkerSlot& place = workers_[slot];
  place.readable.reset();
  place.worker.reset();
  Worker::Options options;
  options.callback_cpu_max = config_.callback_cpu_max;
  options.cage_required = config_.sandbox == "required";
  auto worker = Worker::spawn(*inputs_, options);
  if (!worker) {
    log_error("worker {} cannot be started: {}", slot, worker.error().message);
    loop_.post([this, slot, why = worker.error().message] {
      dispatcher_->worker_died(slot, WorkerDied{why, {}, {}, {}});
      carry_out();
    });
    return;
  }
  place.worker = std::move(*worker);
  place.readable = loop_.watch_readable(place.worker->fd(), [this, slot] { pump(slot); });
}

void Supervisor::pump(std::uint32_t slot) {
  WorkerSlot& place = workers_[slot];
  if (place.worker == nullptr) return;
  std::optional<WorkerDied> death;
  place.worker->pump(
      [&](WorkerReply reply) { dispatcher_->worker_replied(slot, std::move(reply)); },
      [&](WorkerDied died) { death = std::move(died); });
  if (death) {
    place.readable.reset();
    place.worker.reset();
    dispatcher_->worker_died(slot, *death);
  }
  carry_out();
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
        start_worker(start->worker);
      } else if (auto* ended = std::get_if<EndWorker>(&action)) {
        workers_[ended->worker] = {};
      } else if (auto* command = std::get_if<ToWorker>(&action)) {
        if (workers_[command->worker].worker != nullptr) {
          workers_[command->worker].worker->send(std::move(command->command));
        }
      } else if (const auto* out = std::get_if<LetOut>(&action)) {
        delivery_->stored(out->notifications);
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
  auto set = read_script_directory(config_.triggers_folder());
  if (!set) {
    log_error("{}; the triggers that run go on running", set.error().message);
    return;
  }
  for (const std::string& problem : set->problems) {
    if (std::ranges::find(problems_, problem) == problems_.end()) log_warn("left out: {}", problem);
  }
  problems_ = std::move(set->problems);
  dispatcher_->desire(std::move(set->scripts));
  carry_out();
}

}  // namespace hastur
