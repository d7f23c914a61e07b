#include "supervisor/http/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace hastur {
namespace {

void head(std::string& out, std::string_view name, std::string_view kind, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
}

void single(std::string& out, std::string_view name, std::string_view kind, std::string_view help,
            std::uint64_t value) {
  head(out, name, kind, help);
  out += fmt::format("{} {}\n", name, value);
}

void of_syndicator(std::string& out, const PositionReply& syndicator) {
  single(out, "hastur_received_total", "counter", "Datagrams taken by the syndicator.",
         syndicator.count("received"));
  head(out, "hastur_refused_total", "counter", "Messages that could not be decoded, by reason.");
  constexpr std::string_view refused = "refused.";
  bool any = false;
  for (const auto& [name, value] : syndicator.counters) {
    if (!name.starts_with(refused)) continue;
    out += fmt::format("hastur_refused_total{{reason=\"{}\"}} {}\n", name.substr(refused.size()),
                       value);
    any = true;
  }
  if (!any) out += "hastur_refused_total{reason=\"not_json\"} 0\n";
  single(out, "hastur_kernel_dropped_total", "counter",
         "Datagrams that the kernel dropped before the syndicator read them.",
         syndicator.count("kernel_dropped"));
  head(out, "hastur_syndicator_total", "counter", "Other counts of the syndicator, by name.");
  for (const auto& [name, value] : syndicator.counters) {
    if (name == "received" || name == "kernel_dropped" || name.starts_with(refused) ||
        name == PositionReply::history_failing_name)
      continue;
    out += fmt::format("hastur_syndicator_total{{name=\"{}\"}} {}\n", name, value);
  }
  single(out, "hastur_history_failing_seconds", "gauge",
         "For how long the syndicator cannot write its History; 0 while it can.",
         static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(
                                        syndicator.history_failing().value_or(Micros{0}))
                                        .count()));
  single(out, "hastur_stream_sequence", "gauge", "The last sequence given out.",
         syndicator.last.value);
  single(out, "hastur_stream_oldest_sequence", "gauge",
         "The first sequence that History still holds.", syndicator.oldest.value);
}

}  // namespace

std::string cage_metrics(const std::vector<std::string>& missing) {
  std::string out;
  single(out, "hastur_cage_parts_missing", "gauge",
         "Parts of the workers' cage that this machine does not allow; the log names them.",
         missing.size());
  return out;
}

std::string metrics_text(const Dispatcher& dispatcher, const CheckpointStore& store) {
  std::string out;
  if (dispatcher.syndicator()) of_syndicator(out, *dispatcher.syndicator());
  const Sequence newest = dispatcher.newest();
  const Sequence main = dispatcher.main_position();
  single(out, "hastur_position_sequence", "gauge",
         "Everything up to here has been handed to the triggers.", main.value);
  single(out, "hastur_lag_sequences", "gauge", "How far the position is behind the stream's end.",
         newest > main ? newest.value - main.value : 0);
  single(out, "hastur_messages_seen_total", "counter", "Messages and ticks taken from the stream.",
         dispatcher.messages_seen());
  single(out, "hastur_refilled_batches_total", "counter",
         "Batches that were read back from History to fill a gap.", dispatcher.refilled());
  single(out, "hastur_commits_total", "counter", "Transactions of the state store.",
         dispatcher.gate().commits());
  single(out, "hastur_commit_microseconds_total", "counter",
         "Time spent in transactions of the state store.",
         static_cast<std::uint64_t>(dispatcher.time_in_commits().count()));
  single(out, "hastur_outbox_messages", "gauge",
         "Derived messages not yet acknowledged by the syndicator.", store.outbox_size());
  single(out, "hastur_worker_restarts_total", "counter", "Worker processes that died.",
         dispatcher.worker_restarts());
  single(out, "hastur_workers", "gauge", "Worker processes that run.", dispatcher.workers_up());
  single(out, "hastur_triggers_paused", "gauge", "Triggers that are paused.",
         static_cast<std::uint64_t>(std::ranges::count_if(
             dispatcher.triggers(),
             [](const auto& entry) { return entry.second->open_pause() != nullptr; })));
  single(out, "hastur_commit_failing", "gauge", "1 while nothing leaves since commits fail.",
         dispatcher.commit_error() ? 1 : 0);
  single(out, "hastur_state_bytes", "gauge", "Size of the state store on disk.",
         store.bytes_on_disk());

  struct Family {
    const char* name;
    const char* kind;
    const char* help;
    std::uint64_t (*value)(const Trigger&, Sequence);
  };
  constexpr auto lag = [](const Trigger& trigger, Sequence end) -> std::uint64_t {
    return end > trigger.cursor() ? end.value - trigger.cursor().value : 0;
  };
  const Family families[] = {
      {"hastur_trigger_callbacks_total", "counter", "Callbacks run.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.callbacks; }},
      {"hastur_trigger_instructions_total", "counter", "Instructions counted.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.instructions; }},
      {"hastur_trigger_cpu_microseconds_total", "counter", "CPU time used.",
       [](const Trigger& trigger, Sequence) {
         return static_cast<std::uint64_t>(trigger.counts.cpu.count());
       }},
      {"hastur_trigger_effects_total", "counter", "Derived messages, notifications and log lines.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.effects; }},
      {"hastur_trigger_effects_cut_total", "counter",
       "Effects that were left out: over a limit of [limits].",
       [](const Trigger& trigger, Sequence) { return trigger.counts.effects_cut; }},
      {"hastur_trigger_helpers_dropped_total", "counter",
       "Values too old for their window, and keys over the most that a helper keeps.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.helpers_dropped; }},
      {"hastur_trigger_errors_total", "counter", "Callbacks and judgements that failed.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.errors; }},
      {"hastur_trigger_diverged_total", "counter",
       "Restarts after which other effects came out than were stored.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.diverged; }},
      {"hastur_trigger_restarts_total", "counter", "Times its worker died.",
       [](const Trigger& trigger, Sequence) { return trigger.counts.restarts; }},
      {"hastur_trigger_lag_sequences", "gauge", "How far it is behind the stream's end.", lag},
      {"hastur_trigger_state_bytes", "gauge", "Size of its stored state.",
       [](const Trigger& trigger, Sequence) {
         return std::uint64_t{trigger.stored().state.size()};
       }},
  };
  for (const Family& family : families) {
    head(out, family.name, family.kind, family.help);
    for (const auto& [name, trigger] : dispatcher.triggers()) {
      out += fmt::format("{}{{trigger=\"{}\"}} {}\n", family.name, name,
                         family.value(*trigger, newest));
    }
  }
  return out;
}

}  // namespace hastur
