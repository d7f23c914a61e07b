#pragma once

// A dispatcher with everything around it at its simplest: a syndicator on a History in memory, a
// store in memory, fake workers; whatever is said is delivered at once and in order.

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"
#include "state/checkpoint_store.h"
#include "state/history/memory_history.h"
#include "supervisor/dispatch/dispatcher.h"
#include "syndicator/syndicator.h"
#include "tests/support/fake_worker.h"

namespace hastur::test {

class Rig {
 public:
  struct Worker {
    std::unique_ptr<FakeWorker> fake;
    std::deque<WorkerCommand> commands;
  };

  Rig() : store(make_memory_store()), history(make_memory_history(StreamId{{7}})) { start(); }

  // A supervisor (again) on the same store.
  void start(CountedLimits limits = {}) {
    if (!syndicator)
      syndicator = std::make_unique<Syndicator>(*history, Syndicator::Options{}, clock.now());
    Dispatcher::Options options;
    options.workers = 2;
    options.limits = limits;
    options.runtime_build = "fake";
    options.gate = gate;
    options.built_in = built_in;
    workers.clear();
    workers.resize(2);
    dispatcher = std::make_unique<Dispatcher>(*store, clock, std::move(options));
    dispatcher->connected();
    pump();
  }

  void desire(const std::vector<std::pair<std::string, std::string>>& scripts) {
    std::vector<DesiredScript> set;
    for (const auto& [name, text] : scripts)
      set.push_back({name, make_version({name + ".lua", text}, {})});
    dispatcher->desire(std::move(set));
    pump();
  }

  // The same as a commit: whole or not at all. Returns the ticket.
  std::uint64_t deploy(const std::vector<std::pair<std::string, std::string>>& scripts,
                       const std::string& commit = "c") {
    Deployment deployment{.commit = commit, .scripts = {}};
    for (const auto& [name, text] : scripts)
      deployment.scripts.push_back({name, make_version({name + ".lua", text}, {})});
    const std::uint64_t ticket = dispatcher->deploy(std::move(deployment));
    pump();
    return ticket;
  }

  // A supervisor with its store, which goes on where it was once it is put back.
  struct Side {
    std::unique_ptr<CheckpointStore> store;
    std::unique_ptr<Dispatcher> dispatcher;
    std::vector<Worker> workers;
  };
  // Another begins in its place, on an empty store, with start().
  Side take_aside() {
    return {std::exchange(store, make_memory_store()), std::move(dispatcher), std::move(workers)};
  }
  void put_back(Side side) {
    dispatcher = std::move(side.dispatcher);
    workers = std::move(side.workers);
    store = std::move(side.store);
  }

  // So many gauges of this name, 100 ms apart.
  void send(std::string_view name, int count) {
    for (int i = 0; i < count; ++i) {
      clock.advance(std::chrono::milliseconds{100});
      const std::string text =
          R"({"type":"gauge","name":")" + std::string(name) + R"(","value":1})";
      syndicator->take_datagram(text, clock.now());
      pump();
    }
  }

  void wait(Micros span) {
    clock.advance(span);
    pump();
  }

  void kill_worker(std::uint32_t worker, WorkerDied died = {"killed by the test", {}, {}, {}}) {
    workers[worker] = {};
    dispatcher->worker_died(worker, died);
    clock.advance(std::chrono::seconds{6});
    pump();
  }

  // Delivers until nothing is said any more.
  void pump() {
    for (int quiet = 0; quiet < 3; ++quiet) {
      Syndicator::Turn turn = syndicator->turn(clock.now(), clock.monotonic(), true);
      for (Batch& batch : turn.published) {
        if (publishes && !is_cut_off) dispatcher->published(std::move(batch));
      }
      auto replies = std::move(turn.replies);
      while (true) {
        for (Syndicator::Reply& reply : replies) dispatcher->replied(std::move(reply.frame));
        Syndicator::Service service = syndicator->serve(clock.now());
        replies = std::move(service.replies);
        if (replies.empty()) break;
      }
      dispatcher->turn();
      while (carry_out()) quiet = -1;
    }
  }

  std::uint64_t stored_n(const TriggerName& name) {
    const auto stored = store->load(name);
    if (!stored || !*stored || (*stored)->checkpoint.state.empty()) return 0;
    return parse_json((*stored)->checkpoint.state).value()["n"].get<std::uint64_t>();
  }
  const Trigger& trigger(const TriggerName& name) { return *dispatcher->triggers().at(name); }

  std::vector<DesiredScript> built_in;
  ManualClock clock{time_from_us(1'704'067'200'000'000)};
  std::unique_ptr<CheckpointStore> store;
  std::unique_ptr<History> history;
  std::unique_ptr<Syndicator> syndicator;
  std::vector<Worker> workers;
  std::unique_ptr<Dispatcher> dispatcher;
  std::string stopped;
  // What was decided, in order.
  std::vector<Deployed> deployed;
  // What may leave comes here, if anybody cares.
  std::function<void(const std::vector<NotificationRecord>&)> lets_out;
  // Of the next start.
  OutputGate::Options gate;
  // On: commands wait in the workers' queues.
  bool holds_commands = false;
  // It answers nothing.
  std::optional<std::uint32_t> stuck_worker;
  // On: no version comes to its end.
  bool holds_judgements = false;
  // No version of this trigger is loaded.
  TriggerName holds_loads_of = {};
  // The first waiting LoadCommand for this name, and the worker that it waits for.
  WorkerCommand held_command(const TriggerName& name) { return *find_held(name).second; }
  std::uint32_t held_worker(const TriggerName& name) { return find_held(name).first; }
  // Off: everything published is lost, and has to be read back.
  bool publishes = true;
  // On: what is asked of the syndicator is lost, too.
  bool is_cut_off = false;

 private:
  std::pair<std::uint32_t, const WorkerCommand*> find_held(const TriggerName& name) {
    for (std::uint32_t worker = 0; worker < workers.size(); ++worker) {
      for (const WorkerCommand& command : workers[worker].commands) {
        const auto* load = std::get_if<LoadCommand>(&command);
        if (load != nullptr && load->name == name) return {worker, &command};
      }
    }
    HASTUR_CHECK(false, "no such command waits");
    return {};
  }

  bool carry_out() {
    bool any = false;
    for (Action& action : dispatcher->take_actions()) {
      any = true;
      if (auto* send_request = std::get_if<SendRequest>(&action)) {
        if (!is_cut_off) syndicator->take_request("rig", send_request->frame, clock.now());
      } else if (auto* start_worker = std::get_if<StartWorker>(&action)) {
        if (start_worker->worker >= workers.size()) workers.resize(start_worker->worker + 1);
        workers[start_worker->worker] = {std::make_unique<FakeWorker>(), {}};
      } else if (auto* ended = std::get_if<EndWorker>(&action)) {
        workers[ended->worker] = {};
      } else if (auto* command = std::get_if<ToWorker>(&action)) {
        workers[command->worker].commands.push_back(std::move(command->command));
      } else if (const auto* out = std::get_if<LetOut>(&action)) {
        if (lets_out) lets_out(out->notifications);
      } else if (auto* decided = std::get_if<Deployed>(&action)) {
        deployed.push_back(std::move(*decided));
      } else if (auto* stop = std::get_if<StopProcess>(&action)) {
        stopped = stop->why.message;
      }
    }
    for (std::uint32_t worker = 0; worker < workers.size(); ++worker) {
      while (!holds_commands && stuck_worker != worker && workers[worker].fake) {
        std::deque<WorkerCommand>& commands = workers[worker].commands;
        const auto next = std::ranges::find_if(commands, [this](const WorkerCommand& command) {
          const auto* load = std::get_if<LoadCommand>(&command);
          if (load != nullptr && load->name == holds_loads_of) return false;
          return !holds_judgements || !std::holds_alternative<JudgeCommand>(command);
        });
        if (next == commands.end()) break;
        const WorkerCommand command = std::move(*next);
        commands.erase(next);
        dispatcher->worker_replied(worker, workers[worker].fake->execute(command));
        any = true;
      }
    }
    return any;
  }
};

}  // namespace hastur::test
