#include "supervisor/check_command.h"

#include <fmt/format.h>

#include "state/history/history_check.h"
#include "state/store_check.h"
#include "supervisor/dispatch/stored_run.h"

namespace hastur {
namespace {

// Whether the files of each version that runs still have its hash for their name.
Result<void> check_versions(const SqliteStoreOptions& options, StoreCheck& check) {
  const auto store = open_store(options);
  if (!store) return fail(store.error());
  const auto triggers = (*store)->load_all();
  if (!triggers) return fail(triggers.error());
  for (const StoredTrigger& trigger : *triggers) {
    const auto record = (*store)->version(trigger.run.version);
    if (!record) return fail(record.error());
    if (!*record || (*record)->files.empty()) continue;  // has been found already
    const ScriptVersion version = version_from(**record);
    if (make_version(version.script, version.libraries).id != version.id) {
      check.findings.push_back(fmt::format("{} runs version {}, whose files are not what they were",
                                           trigger.run.trigger, version.id));
    }
  }
  return {};
}

// Adds a finding where the History is not the one that the states are of, or goes less far.
// Returns the way out; empty if they fit together.
std::string check_against(const std::string& history, StoreCheck& check) {
  if (history.empty() || !check.stream) return {};
  const auto end = history_end(history);
  // What is wrong with it is said by the check of History.
  if (!end) return {};
  if (*end && (*end)->stream != *check.stream) {
    check.findings.push_back(
        fmt::format("the states are of stream {}, and the History in {} is stream {}",
                    check.stream->to_string(), history, (*end)->stream.to_string()));
    return "name that stream's History, or another state file: the supervisor does not start";
  }
  if (*end && check.furthest <= (*end)->last) return {};
  if (!*end) {
    if (check.furthest == Sequence{}) return {};
    check.findings.push_back(
        fmt::format("inputs up to {} were taken, and the History in {} is empty",
                    check.furthest.value, history));
    return "put its files back before the syndicator is started: a new stream would begin";
  }
  check.findings.push_back(
      fmt::format("inputs up to {} were taken, and the History in {} ends at {}: it is an older "
                  "copy, or its newest part is gone",
                  check.furthest.value, history, (*end)->last.value));
  return "with both started, the syndicator goes on behind what was taken and records the hole; a "
         "newer copy of History loses less";
}

}  // namespace

int check_state_command(const std::string& state, const std::string& history) {
  SqliteStoreOptions options;
  options.path = state;
  options.read_only = true;
  auto checked = check_store(options);
  if (checked) {
    if (const auto done = check_versions(options, *checked); !done)
      checked->findings.push_back(done.error().message);
  }
  const std::size_t of_state = checked ? checked->findings.size() : 0;
  const std::string way_out = checked ? check_against(history, *checked) : std::string();
  if (!checked) {
    fmt::print("state: {}\n", checked.error().message);
    return 1;
  }
  for (const std::string& finding : checked->findings) fmt::print("state: {}\n", finding);
  fmt::print("state in {}: {}; {} trigger{}, {} notifications, up to input {} of stream {}\n",
             state, of_state == 0 ? "sound" : "damaged", checked->triggers,
             checked->triggers == 1 ? "" : "s", checked->notifications, checked->furthest.value,
             checked->stream ? checked->stream->to_string() : "none");
  if (checked->findings.empty()) return 0;
  if (!way_out.empty()) fmt::print("  {} (docs/durability.md)\n", way_out);
  if (of_state == 0) return 1;
  fmt::print(
      "  stop the supervisor and restore the file from a copy; what came since is taken from "
      "History (docs/durability.md)\n");
  return 1;
}

}  // namespace hastur
