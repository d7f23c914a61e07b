// The simulation's commits: what is pushed, and what must hold of it.

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"
#include "tests/simulation/world.h"

namespace hastur::test {

// Something happens to the branch: scripts change, come, go, are renamed, or do not load; or
// somebody takes a trigger back to what it was.
void World::deploy() {
  if (chance(40) && !dispatcher_->triggers().empty()) {
    // Of most nothing older is known, or another run is about to begin.
    std::vector<TriggerName> names;
    for (const auto& [name, trigger] : dispatcher_->triggers()) names.push_back(name);
    std::ranges::rotate(names, names.begin() + static_cast<std::ptrdiff_t>(pick(names.size())));
    const bool goes_back = std::ranges::any_of(names, [this](const TriggerName& name) {
      return dispatcher_->rollback(name, 0, "the simulation").has_value();
    });
    if (goes_back) ++seen_.rollbacks;
    return carry_out();
  }
  std::vector<DesiredScript> next = scripts_;
  const std::uint64_t edits = 1 + pick(3);
  for (std::uint64_t i = 0; i < edits && !next.empty(); ++i) {
    DesiredScript& script = next[pick(next.size())];
    const std::string text =
        fmt::format("match={} emit={} notify={} migrate={}", chance(50) ? "a" : "b", 1 + pick(5),
                    2 + pick(5), chance(50) ? 7 : 0);
    switch (pick(4)) {
      case 0: {
        const TriggerName was = script.name;
        script.name = fmt::format("renamed-{}", ++commits_);
        names_.insert(script.name);
        script.version = make_version({script.name + ".lua", text + " was=" + was}, {});
        break;
      }
      case 1:
        if (next.size() > 5)
          std::erase_if(next, [&](const auto& each) { return &each == &script; });
        break;
      default:
        script.version = make_version({script.name + ".lua", text}, {});
    }
  }
  const bool is_broken = chance(20);
  if (is_broken) {
    auto bad = next;
    bad.push_back({"bad", make_version({"bad.lua", "broken=1"}, {})});
    dispatcher_->deploy({.commit = "bad", .scripts = std::move(bad)});
  } else {
    scripts_ = std::move(next);
    dispatcher_->deploy({.commit = fmt::format("c-{}", ++commits_), .scripts = scripts_});
  }
  carry_out();
}

std::string World::what_runs_is_what_was_deployed() {
  auto all = store_->deployments({.max = 1'000'000}).value();
  std::ranges::reverse(all);
  std::map<TriggerName, std::pair<VersionId, Run>> wanted;
  for (const DeploymentRecord& record : all) {
    if (!record.sequence && !record.changes.empty())
      return fmt::format("seed {}: deployment {} was refused and changes something", seed_,
                         record.id);
    for (const DeploymentChange& change : record.changes) {
      const auto wrong = [&](std::string_view what) {
        return fmt::format("seed {}: deployment {}, {}: {}", seed_, record.id, change.trigger,
                           what);
      };
      if (!change.was.empty()) {
        ++seen_.renames;
        wanted.erase(change.was);
      }
      if (change.version.empty()) {
        if (change.outcome != "gone") return wrong("it is not gone: " + change.outcome);
        wanted.erase(change.trigger);
        continue;
      }
      if (change.outcome != "live") return wrong("it is not live: " + change.outcome);
      wanted[change.trigger] = {change.version, change.run};
      const auto run = store_->run(change.trigger, change.run).value();
      if (!run || run->after.next() != *record.sequence || run->version != change.version)
        return wrong("its run did not begin where this was decided");
      // What the run before it ended with is what this one began with.
      if (change.before.empty() || change.why == "rollback") continue;
      const TriggerName& before = change.was.empty() ? change.trigger : change.was;
      const auto former = store_->run(before, change.run_before).value();
      if (!former) return wrong("the run before it is gone");
      const auto journal = store_->journal(before, change.run_before).value();
      Sequence end = run->after;
      for (const JournalRecord& decision : journal) {
        if (decision.decision == "forget") end = Sequence{decision.sequence.value - 1};
      }
      const auto version = store_->version(change.version).value();
      Json ended = parse_json(reference(before, *former, end).end_state).value();
      if (version->files[0].text.find("migrate=7") != std::string::npos &&
          change.before != change.version)
        ended["n"] = ended["n"].get<std::uint64_t>() + 7;
      const std::string began = reference(change.trigger, *run, run->after).first_state;
      if (canonical_json(ended) != began)
        return wrong(fmt::format("it began with {} after {}", began, canonical_json(ended)));
    }
  }
  std::map<TriggerName, std::pair<VersionId, Run>> runs;
  for (const auto& [name, trigger] : dispatcher_->triggers())
    runs[name] = {trigger->version().id, trigger->run()};
  if (runs != wanted) return fmt::format("seed {}: other triggers run than were deployed", seed_);
  return "";
}

}  // namespace hastur::test
