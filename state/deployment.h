#pragma once

// What changed the set of triggers that run: when, by whom, from which version to which (DESIGN
// §12).
//
// A deployment is stored in the commit that decides it, before any trigger has passed its switch
// sequence. After a crash the supervisor finds there what is still to be done and does it at the
// same sequence: what is stored is the old set or the new one, whole.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "message/ids.h"

namespace hastur {

enum class DeploymentKind : std::uint8_t {
  directory,  // a folder on disk was read; scripts that do not load are left out
  commit,     // a commit of a repository, whole
  only,       // one trigger of a commit
  rollback,   // one trigger's code and state of before
  restore,    // a snapshot of a trigger
};
std::string_view deployment_kind_name(DeploymentKind kind);
std::optional<DeploymentKind> deployment_kind_from_name(std::string_view name);

// What a deployment does to one trigger.
struct DeploymentChange {
  TriggerName trigger;
  // Content hashes (VersionId) of what ran and of what runs then; empty: nothing did, or does.
  std::string before;
  std::string version;
  // Of `before`, and of `version`.
  Run run_before;
  Run run;
  // As in RunRecord.
  std::string why;
  // The trigger whose state this one takes over, if that is another.
  TriggerName was;
  // The snapshot that it begins with, or 0.
  std::uint64_t snapshot = 0;
  // Empty until the trigger has come to the switch sequence; then `live`, `gone`, or `refused: …`
  // with the reason for which the version before runs on.
  std::string outcome;
  friend bool operator==(const DeploymentChange&, const DeploymentChange&) = default;
};

struct DeploymentRecord {
  // From 1, rising.
  std::uint64_t id = 0;
  DeploymentKind kind = DeploymentKind::directory;
  // Of the commit; empty for other kinds.
  std::string commit;
  std::string author;
  std::string subject;
  // What was found before the decision, for people.
  std::string report;
  Time decided_at{};
  // The first input that the new versions take; nothing: it was refused, and nothing changed.
  std::optional<Sequence> sequence;
  // Of a rollback: what has become of the replay of History since its snapshot. Empty: none was
  // asked for. `waiting` until its change is live, `running`, then `done`, or `failed: …` with the
  // reason.
  std::string replay;
  // By name.
  std::vector<DeploymentChange> changes;

  bool has_open_replay() const { return replay == "waiting" || replay == "running"; }
  // Some trigger has not come to its sequence yet.
  bool is_pending() const {
    return sequence && std::ranges::any_of(changes, [](const DeploymentChange& change) {
             return change.outcome.empty();
           });
  }
  friend bool operator==(const DeploymentRecord&, const DeploymentRecord&) = default;
};

// One trigger has come to a deployment's switch sequence.
struct DeploymentOutcome {
  std::uint64_t deployment = 0;
  TriggerName trigger;
  std::string outcome;
};

// Where a deployment's replay has come to.
struct DeploymentReplay {
  std::uint64_t deployment = 0;
  // As in DeploymentRecord.
  std::string replay;
};

// A trigger that keeps its version whatever the branch or folder holds, until its file there is
// another than `file`.
struct Pin {
  TriggerName trigger;
  // What runs; and what the file was when the pin was made, without its libraries. Empty: there was
  // none.
  std::string version;
  std::string file;
  std::uint64_t deployment = 0;
  std::string why;
  Time since{};
  friend bool operator==(const Pin&, const Pin&) = default;
};

}  // namespace hastur
