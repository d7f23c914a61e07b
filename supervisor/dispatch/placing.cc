// Dispatcher: which worker a trigger runs in. Where it runs never shows in what it does: a move
// takes its newest judged memory along and runs again what came after.

#include <algorithm>

#include "core/log.h"
#include "supervisor/dispatch/dispatcher.h"

namespace hastur {

std::uint32_t Dispatcher::least_loaded() const {
  const auto end = slots_.begin() + options_.workers;
  const auto load = [this](const Slot& slot) { return std::pair(stalls(slot), slot.triggers); };
  return static_cast<std::uint32_t>(std::ranges::min_element(slots_.begin(), end, {}, load) -
                                    slots_.begin());
}

std::optional<std::string> Dispatcher::worker_trouble() const {
  const auto dead =
      std::ranges::find_if(slots_, [](const Slot& slot) { return !slot.died_young.empty(); });
  if (dead == slots_.end()) return std::nullopt;
  return "worker " + std::to_string(dead - slots_.begin()) +
         " died soon after its start and is tried again: " + dead->died_young;
}

std::uint32_t Dispatcher::workers_up() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(slots_, [](const Slot& slot) { return slot.up; }));
}

// A slot of its own, or if there are enough processes aside the least loaded of those for `place`.
// Who needs to be alone always gets one.
std::uint32_t Dispatcher::slot_aside(Place place) {
  std::optional<std::uint32_t> free, shared;
  std::uint32_t used = 0;
  for (std::uint32_t worker = options_.workers; worker < slots_.size(); ++worker) {
    const Slot& slot = slots_[worker];
    if (slot.triggers == 0 && !slot.up && !slot.start_at) {
      if (!free) free = worker;
    } else {
      ++used;
      if (slot.place == place && (!shared || slot.triggers < slots_[*shared].triggers))
        shared = worker;
    }
  }
  if (place == Place::slow && used >= options_.aside_max && shared) return *shared;
  if (!free) {
    free = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  Slot& slot = slots_[*free];
  slot = Slot{};
  slot.place = place;
  slot.start_at = monotonic_;
  return *free;
}

// A process aside ends with its last trigger.
void Dispatcher::leave_slot(std::uint32_t worker) {
  Slot& slot = slots_[worker];
  --slot.triggers;
  if (slot.place == Place::shared || slot.triggers > 0) return;
  if (slot.up) act(EndWorker{worker});
  slot = Slot{};
  slot.place = Place::slow;
}

void Dispatcher::move(Trigger& trigger, std::uint32_t worker) {
  const std::uint32_t left = trigger.worker;
  if (slots_[left].up) act(ToWorker{left, UnloadCommand{trigger.handle}});
  give_handle(trigger);
  trigger.worker = worker;
  ++slots_[worker].triggers;
  leave_slot(left);
  trigger.forget_feeds();
  trigger.slow_since.reset();
  trigger.yielded_at.reset();
  trigger.catching_up = false;
  behind_.erase(trigger.name());
  router_stale_ = true;
  load(trigger);
}

void Dispatcher::note_yield(Trigger& trigger) {
  if (!trigger.slow_since) trigger.slow_since = monotonic_;
  trigger.yielded_at = monotonic_;
}

// Moves who stays behind for want of time out of the others' way, and back when that has passed.
void Dispatcher::place_triggers() {
  if (monotonic_ - looked_at_places_ < options_.aside_after / 10) return;
  looked_at_places_ = monotonic_;
  for (auto& [name, trigger] : triggers_) {
    if (trigger->phase != Trigger::Phase::running || trigger->next_switch) continue;
    const Place place = slots_[trigger->worker].place;
    if (place == Place::shared && trigger->loaded.isolated) {
      move(*trigger, slot_aside(Place::isolated));
    } else if (place == Place::isolated && !trigger->loaded.isolated) {
      move(*trigger, least_loaded());
    } else if (place == Place::shared && trigger->slow_since &&
               monotonic_ - *trigger->slow_since >= options_.aside_after) {
      log_warn("{} does not keep up: it goes on in a worker of its own, from its last checkpoint",
               name);
      move(*trigger, slot_aside(Place::slow));
      trigger->yielded_at = monotonic_;
    } else if (place == Place::slow && trigger->dispatched() >= main_ &&
               monotonic_ - trigger->yielded_at.value_or(monotonic_) >= options_.back_after) {
      log_info("{} keeps up again: it goes back to the others", name);
      move(*trigger, least_loaded());
    }
  }
}

}  // namespace hastur
