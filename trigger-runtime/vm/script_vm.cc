#include "trigger-runtime/vm/script_vm.h"

#include "trigger-runtime/vm/feed.h"
#include "trigger-runtime/vm/loaded_trigger.h"

namespace hastur {

std::variant<std::unique_ptr<ScriptVm>, LoadFailed> ScriptVm::load(const LoadCommand& command) {
  auto trigger = std::make_unique<LoadedTrigger>();
  if (std::optional<ScriptError> error = trigger->load(command))
    return LoadFailed{command.handle, std::move(*error)};
  return std::unique_ptr<ScriptVm>(new ScriptVm(std::move(trigger)));
}

ScriptVm::ScriptVm(std::unique_ptr<LoadedTrigger> trigger) : trigger_(std::move(trigger)) {}

ScriptVm::~ScriptVm() = default;

const Loaded& ScriptVm::loaded() const { return trigger_->loaded; }

void ScriptVm::restore(const Memory& memory, std::uint32_t guarded_callbacks) {
  trigger_->restore(memory, guarded_callbacks);
}

TriggerProgress ScriptVm::feed(const BatchView& batch, std::span<const std::int64_t> stream_times,
                               std::uint32_t from_row, std::uint32_t end_row,
                               std::span<const Match> matches, std::span<const Skip> skips,
                               CallObserver* observer) {
  return Feed(*trigger_, batch, stream_times, skips, observer).run(from_row, end_row, matches);
}

Judged ScriptVm::judge(Sequence at, Time time, bool may_stand_still) {
  if (may_stand_still) trigger_->stand_still(time);
  Judged judged;
  judged.handle = trigger_->loaded.handle;
  judged.memory = trigger_->judge(at, time, judged.error);
  return judged;
}

std::string ScriptVm::observe(ObserveCommand::What what) {
  std::string seen = trigger_->vm.observation.take();
  trigger_->observe(what);
  return seen;
}

std::size_t ScriptVm::memory_bytes() const { return trigger_->vm.memory.used(); }

}  // namespace hastur
