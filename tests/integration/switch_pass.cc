#include "tests/integration/switch_pass.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "supervisor/dispatch/stored_run.h"
#include "supervisor/dispatch/warm_start.h"
#include "tests/integration/one_pass.h"

namespace hastur {
namespace {

class Nobody final : public StreamListener {
 public:
  void effect(std::size_t, Sequence, const Effect&) override {}
  void error(std::size_t, Sequence input, const CallError& error) override {
    ADD_FAILURE() << "a call failed at " << input.value << ": " << error.error.text;
  }
};

}  // namespace

Memory SwitchPass::memory_at(const TriggerName& name, Run run, Sequence through) {
  const auto [known, fresh] = known_.try_emplace({name, run, through});
  if (!fresh) return known->second;
  const auto record = store_.run(name, run);
  if (!record || !*record) {
    ADD_FAILURE() << fmt::format("{} has no run {}", name, run.value);
    return {};
  }
  Memory memory = this->run(**record, begin_of(**record), through);
  known_[{name, run, through}] = memory;
  return memory;
}

JournalRecord SwitchPass::beginning(const TriggerName& name, Run run) {
  constexpr std::array<std::string_view, 4> begins = {"start", "switch", "restore", "replay"};
  const auto journal = store_.journal(name, run);
  EXPECT_TRUE(journal);
  if (!journal) return {};
  const auto found = std::ranges::find_if(*journal, [&](const JournalRecord& each) {
    return std::ranges::find(begins, each.decision) != begins.end();
  });
  EXPECT_NE(found, journal->end()) << fmt::format("{} run {} has no beginning", name, run.value);
  return found == journal->end() ? JournalRecord{} : *found;
}

VersionId SwitchPass::version_of(const TriggerName& name, Run run) {
  const auto record = store_.run(name, run);
  EXPECT_TRUE(record && *record) << fmt::format("{} has no run {}", name, run.value);
  return record && *record ? (*record)->version : VersionId();
}

SwitchPass::Begin SwitchPass::begin_of(const RunRecord& record) {
  const JournalRecord decision = beginning(record.trigger, record.run);
  const auto detail = parse_json(decision.detail);
  if (!detail) return {};
  if (decision.decision == "start") return {{}, std::nullopt, warm_from_detail(*detail)};
  // A replay begins long before it is decided.
  if (decision.decision != "replay") {
    EXPECT_EQ(decision.sequence, record.after.next()) << record.trigger;
  }
  if (decision.decision == "switch") return switched(record, *detail);
  if (decision.decision == "restore") return restored(record, *detail);
  // It replaces a run that was restored, and begins with the memory that was put back there.
  const Run replaced{detail->value("run", std::uint64_t{0})};
  const auto origin = parse_json(beginning(record.trigger, replaced).detail);
  EXPECT_TRUE(origin && origin->value("sequence", std::uint64_t{0}) == record.after.value);
  if (!origin) return {};
  const Run source{origin->value("run", std::uint64_t{0})};
  Begin begin{memory_at(record.trigger, source, record.after), std::nullopt};
  if (version_of(record.trigger, source) != record.version)
    begin.migrate_from = version_of(record.trigger, source);
  return begin;
}

SwitchPass::Begin SwitchPass::switched(const RunRecord& record, const Json& detail) {
  TriggerName before = record.trigger;
  Run run{record.run.value - 1};
  if (detail.contains("was")) {
    before = detail["was"].get<std::string>();
    run = store_.newest_run(before);
  }
  Begin begin{memory_at(before, run, record.after), std::nullopt};
  const VersionId version = version_of(before, run);
  EXPECT_EQ(version, detail.value("before", std::string())) << record.trigger;
  if (version != record.version) begin.migrate_from = version;
  begin.warm = warm_from_detail(detail);
  return begin;
}

SwitchPass::Begin SwitchPass::restored(const RunRecord& record, const Json& detail) {
  const Run source{detail.value("run", std::uint64_t{0})};
  const Sequence at{detail.value("sequence", std::uint64_t{0})};
  const Memory ended = memory_at(record.trigger, Run{record.run.value - 1}, record.after);
  Begin begin{memory_at(record.trigger, source, at), std::nullopt};
  begin.memory.sequence = record.after;
  begin.memory.time = ended.time;
  if (version_of(record.trigger, source) != record.version)
    begin.migrate_from = version_of(record.trigger, source);
  return begin;
}

Memory SwitchPass::run(const RunRecord& record, const Begin& begin, Sequence through) {
  const auto version = store_.version(record.version);
  EXPECT_TRUE(version && *version) << record.trigger;
  if (!version || !*version) return {};
  const ScriptVersion files = version_from(**version);
  StreamTrigger trigger;
  trigger.name = record.trigger;
  trigger.run = record.run;
  trigger.script = files.script;
  trigger.libraries = files.libraries;
  trigger.after = record.after;
  if (!begin.memory.state.empty()) trigger.memory = begin.memory;
  trigger.migrate_from = begin.migrate_from;
  trigger.warm = begin.warm;

  const auto inputs = std::move(*SharedInputs::make());
  Worker::Options options;
  // It guards nothing here, and the machine may be busy.
  options.callback_cpu_max = std::chrono::seconds{60};
  const auto worker = std::move(*Worker::spawn(*inputs, options));
  Nobody nobody;
  StreamRun stream(*worker, nobody, {});
  const auto added = stream.add(std::move(trigger));
  EXPECT_TRUE(added && std::holds_alternative<std::size_t>(*added)) << record.trigger;
  if (!added || !feed_history(history_, stream, record.after, through)) return {};
  auto memory = stream.finish(0);
  EXPECT_TRUE(memory) << record.trigger;
  return memory ? *std::move(memory) : Memory{};
}

}  // namespace hastur
