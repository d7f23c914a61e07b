#pragma once

// A change of the set of triggers that run, as it is asked for and as it is told when it has been
// decided.

#include <optional>
#include <string>
#include <vector>

#include "state/deployment.h"
#include "supervisor/dispatch/trigger.h"

namespace hastur {

// One trigger of the set that should run.
struct DesiredScript {
  TriggerName name;
  ScriptVersion version;
  std::optional<WarmStart> warm = std::nullopt;
};

// Taken as a whole or not at all, but for a `directory`, whose scripts stand each for itself.
struct Deployment {
  DeploymentKind kind = DeploymentKind::commit;
  // Of the commit.
  std::string commit = {};
  std::string author = {};
  std::string subject = {};
  // What the gate found.
  std::string report = {};
  // It was refused before it came here: only that is stored.
  bool is_refused = false;
  // Nothing is taken: every script is loaded with the memory that it would take over, and what
  // refuses that stands in the report that is told. Nothing is stored.
  bool is_trial = false;
  // Of a `directory` and a `commit` the whole set: what is not in it ends. Of the others one
  // trigger, beside which all stay.
  std::vector<DesiredScript> scripts = {};
  // Of `only`, `rollback` and `restore`: what somebody said.
  std::string why = {};
  // Of a `rollback`: History since its memory is to be replayed once it runs (rollback_replays.h).
  bool replays = false;
  // The memory that the one trigger begins with.
  std::optional<Trigger::Restoration> restoration = std::nullopt;
  // The runs of a replay take the place of those of the scripts, which are what runs. Not stored:
  // the journal tells of it.
  bool by_replay = false;

  bool is_whole_set() const {
    return !by_replay && (kind == DeploymentKind::directory || kind == DeploymentKind::commit);
  }
  // Keeps its trigger from what the branch or folder says.
  bool pins() const { return kind == DeploymentKind::only || kind == DeploymentKind::rollback; }
};

}  // namespace hastur
