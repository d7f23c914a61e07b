#pragma once

// Nothing leaves before its commit (DESIGN §2, §9).
//
// What triggers emit is collected here, made durable in one transaction with the states and
// decisions that belong to it, and only then handed on: derived messages to the syndicator, in each
// trigger's order, until they are acknowledged.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "state/checkpoint_store.h"
#include "supervisor/dispatch/late.h"
#include "syndicator/client/protocol.h"
#include "trigger-runtime/protocol/commands.h"

namespace hastur {

class OutputGate {
 public:
  struct Options {
    // Effects that may wait for a commit that fails (full disk) before no more inputs are fed.
    std::size_t waiting_max = 100'000;
    std::size_t waiting_bytes_max = 256u << 20;
    // Messages in one append request, and their bytes, unless it is one message: a request has to
    // come through the syndicator's socket, and what it becomes through those of its subscribers.
    std::size_t append_max = 1'024;
    std::size_t append_bytes_max = 1u << 20;
    // After a refusal for the time being (the syndicator's disk is full), and when no answer comes.
    Micros retry_after = std::chrono::seconds{1};
    Micros answer_max = std::chrono::seconds{5};
    // What becomes of notifications: all are kept and none sent, unless told otherwise.
    NotificationRule rule = [](NotificationRecord& record) {
      record.status = NotificationStatus::recorded;
      record.reason = "mode record";
    };
  };

  // `store` outlives the gate.
  OutputGate(CheckpointStore& store, const Options& options) : store_(store), options_(options) {}

  // What the next commit takes along.
  CommitBatch& waiting() { return waiting_; }
  const CommitBatch& waiting() const { return waiting_; }
  // A notification that is `late` waits for its trigger to catch up.
  void add_effect(const TriggerName& trigger, Run run, const Effect& effect, bool late = false);
  // Reads channel, key and action from the payload and asks the rule.
  void judge(NotificationRecord& record) const;
  void add_notification(NotificationRecord record, bool late = false);
  void add_error(const TriggerName& trigger, const CallError& error);

  // True if so much waits for a commit that nothing more should be made.
  bool is_full() const;

  // Commits what waits, if anything does, and returns it. On failure all of it keeps waiting and
  // the error is returned; the same is tried at the next call.
  Result<CommitBatch> commit();

  // The syndicator granted the right to append for these names. Messages of other triggers wait.
  void granted(Epoch epoch, std::set<TriggerName> names) {
    epoch_ = epoch;
    leased_ = std::move(names);
  }
  bool has_lease_of(const TriggerName& name) const { return leased_.contains(name); }
  // The connection is new: nothing that was sent before will be answered.
  void disconnected() { asked_at_.reset(); }

  // The next append, if one is due: one at a time.
  std::optional<RequestFrame> request(Micros now, std::uint64_t& next_request);
  // False if the reply is not to this gate's request. `stale` comes back as an error: another owner
  // has our triggers.
  Result<bool> replied(const ReplyFrame& frame, Micros now);

  std::uint64_t commits() const { return commits_; }
  std::uint64_t released() const { return released_; }

 private:
  CheckpointStore& store_;
  Options options_;
  CommitBatch waiting_;
  // Of the effects in it.
  std::size_t waiting_bytes_ = 0;
  std::optional<Epoch> epoch_;
  std::set<TriggerName> leased_;
  RequestId asked_;
  std::optional<Micros> asked_at_;
  std::optional<Micros> retry_at_;
  std::uint64_t commits_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace hastur
