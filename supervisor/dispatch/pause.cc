#include "supervisor/dispatch/pause.h"

#include <array>

#include "core/json.h"

namespace hastur {

std::string pause_detail(const Pause& pause) {
  Json detail = {{"by", pause.by_person ? "person" : "platform"}, {"why", pause.why}};
  if (!pause.by_person) {
    detail["in_a_row"] = pause.in_a_row;
    detail["retry_at"] = pause.retry_at ? Json(to_us(*pause.retry_at)) : Json(nullptr);
  }
  return canonical_json(detail);
}

std::vector<Pause> pauses_from_journal(const std::vector<JournalRecord>& journal) {
  std::vector<Pause> pauses;
  for (const JournalRecord& record : journal) {
    if (record.decision == "resume" && !pauses.empty() && !pauses.back().until) {
      pauses.back().until = record.sequence;
    }
    if (record.decision != "pause") continue;
    Pause pause;
    pause.from = record.sequence;
    pause.since = record.decided_at;
    if (const auto detail = parse_json(record.detail); detail && detail->is_object()) {
      pause.by_person = detail->value("by", "person") == "person";
      pause.why = detail->value("why", "");
      pause.in_a_row = detail->value("in_a_row", 0u);
      if (detail->contains("retry_at") && (*detail)["retry_at"].is_number()) {
        pause.retry_at = time_from_us((*detail)["retry_at"].get<std::int64_t>());
      }
    }
    pauses.push_back(std::move(pause));
  }
  return pauses;
}

std::optional<Micros> retry_after(std::uint32_t in_a_row) {
  constexpr std::array<Micros, 3> spans = {std::chrono::minutes{1}, std::chrono::minutes{5},
                                           std::chrono::minutes{15}};
  if (in_a_row == 0 || in_a_row > spans.size()) return std::nullopt;
  return spans[in_a_row - 1];
}

}  // namespace hastur
