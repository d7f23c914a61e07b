#include "trigger-test/hunt_full_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json.h"

namespace hastur {
namespace {

constexpr double entries_max = 200'000;
constexpr std::size_t candidates_max = 6;
// Of tables in one another, to a list.
constexpr int depth_max = 4;
// One more than it may have, and what is put in before it is cut.
constexpr std::size_t entries_over = 3;
// So that it would grow by some.
constexpr std::size_t growth_wanted = 4;
constexpr std::size_t messages_min = 64;
constexpr std::size_t messages_max = 2'000;

// In order: lengths that the list may not have passed, and that a state can hold.
std::vector<std::size_t> candidates(const std::vector<double>& numbers, std::size_t length,
                                    double length_max) {
  std::vector<std::size_t> all;
  for (const double number : numbers) {
    const bool is_whole = number >= 2 && number <= entries_max && std::floor(number) == number;
    if (is_whole && number + entries_over > static_cast<double>(length) && number <= length_max)
      all.push_back(static_cast<std::size_t>(number));
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  if (all.size() > candidates_max) all.resize(candidates_max);
  return all;
}

// Whether all keys of a table are whole numbers: then it may be a list of places.
bool has_numbers_for_keys(const Json& table) {
  for (const auto& [key, value] : table.items()) {
    if (key.empty() || key.size() > 6 ||
        !std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; }))
      return false;
  }
  return table.is_object();
}

// Longer by what is in it, again and again. Before a list, whose end is then as it was; of a table
// under the lowest numbers that it does not have.
void lengthen(Json& part, std::size_t length) {
  if (part.is_object()) {
    std::vector<Json> values;
    for (const auto& [key, value] : part.items()) values.push_back(value);
    for (std::size_t key = 0; part.size() < length; ++key)
      part.emplace(std::to_string(key), values[key % values.size()]);
    return;
  }
  const auto had = part.get_ref<const Json::array_t&>();
  Json::array_t longer;
  longer.reserve(length);
  for (std::size_t missing = length - std::min(length, had.size()); missing > 0; --missing)
    longer.push_back(had[missing % had.size()]);
  longer.insert(longer.end(), had.begin(), had.end());
  part = std::move(longer);
}

// The lists, and tables that may be such, that stand there and not in one another: one for each
// host, say.
void find_lists(Json& part, std::vector<Json*>& lists, int depth = 0) {
  if (part.empty() || !part.is_structured() || depth > depth_max) return;
  if (part.is_array() || has_numbers_for_keys(part)) {
    lists.push_back(&part);
    return;
  }
  for (auto& [key, value] : part.items()) find_lists(value, lists, depth + 1);
}

struct Lists {
  explicit Lists(const std::string& json, const StatePath& path)
      : state(parse_json(json).value_or(Json())) {
    part = part_at(state, path);
    if (part != nullptr) find_lists(*part, all);
    for (const Json* list : all) {
      longest = std::max(longest, list->size());
      entries += list->size();
    }
  }
  Lists(const Lists&) = delete;
  Lists& operator=(const Lists&) = delete;

  Json state;
  // These stand in the state; null and none if there are none.
  Json* part = nullptr;
  std::vector<Json*> all;
  std::size_t longest = 0;
  std::size_t entries = 0;
};

// Whether what it makes of them is larger than a notification, message or log line may be.
bool is_too_large(const CallError& error) {
  return error.kind == CallError::Kind::raised &&
         error.error.text.find("larger than") != std::string::npos;
}

ReportedFailure over_limit(const TriggerFiles& trigger, const CallError& error,
                           const StatePath& path, std::size_t length) {
  ReportedFailure failure;
  failure.sentence = fmt::format(
      "{} with {} entries in {}, which may have so many: {}", error.error.text, length,
      words_of(path),
      is_too_large(error) ? "write the first few and how many there are"
                          : "bound the loop; keep sums, or walk less of it for each message");
  failure.caused_at = {trigger.shown(error.error.script), error.error.line};
  failure.details = {{"found", is_too_large(error) ? "error" : "instructions"},
                     {"path", words_of(path)}};
  return failure;
}

}  // namespace

Result<FullSizeAnswer> look_at_full_size(HuntRuns& runs, const TriggerFiles& trigger,
                                         const FullSize& what, const std::vector<double>& numbers) {
  FullSizeAnswer answer;
  const Lists lists(what.end.state, what.path);
  if (lists.entries == 0) return answer;
  const std::size_t length = lists.longest;
  const double bytes_an_entry =
      static_cast<double>(canonical_json(*lists.part).size()) / static_cast<double>(length);
  const double length_max = static_cast<double>(what.state_bytes_max) * 0.9 / bytes_an_entry;
  const std::size_t count =
      std::clamp(growth_wanted * (what.messages / lists.entries + 1), messages_min, messages_max);
  std::vector<Micros> times;
  for (std::size_t i = 1; i <= count; ++i)
    times.push_back(what.apart * static_cast<std::int64_t>(i));
  const auto stream = make_sparse_stream(what.few, times, what.end.time, count);
  if (!stream) return answer;
  const std::vector<std::size_t> lengths = candidates(numbers, length, length_max);
  if (lengths.empty()) return answer;
  // What only pauses let grow does not grow here, whatever its length.
  RunOptions as_it_is;
  as_it_is.memory = what.end;
  const Result<Outcome> usual = runs.run(stream->stream, as_it_is);
  if (!usual) return fail(usual.error());
  if (usual->load_error || usual->killed) return answer;
  const bool grows_here = Lists(usual->state, what.path).entries > lists.entries;
  for (const std::size_t most : lengths) {
    Lists longer(what.end.state, what.path);
    std::size_t entries = 0;
    for (Json* list : longer.all) {
      // Not those that are short for good; of some senders less comes than of others.
      if (32 * list->size() >= length) lengthen(*list, std::max(most + entries_over, list->size()));
      entries += list->size();
    }
    RunOptions options;
    options.memory = what.end;
    options.memory->state = canonical_json(longer.state);
    const Result<Outcome> outcome = runs.run(stream->stream, options);
    if (!outcome) return fail(outcome.error());
    if (outcome->load_error || outcome->killed) return answer;
    for (const Seen& seen : outcome->seen) {
      if (!seen.error) continue;
      if (seen.error->kind != CallError::Kind::instructions && !is_too_large(*seen.error)) continue;
      answer.failure = over_limit(trigger, *seen.error, what.path, most);
      return answer;
    }
    // What failed has left no trace, so that it tells nothing of the length.
    const bool has_failed =
        std::ranges::any_of(outcome->seen, [](const Seen& seen) { return seen.error.has_value(); });
    // It was fed enough to have grown by then.
    const bool is_enough =
        !outcome->cut || outcome->matched * lists.entries >= growth_wanted * what.messages;
    answer.has_an_end = grows_here && is_enough && !has_failed &&
                        Lists(outcome->state, what.path).entries <= entries;
    // A longer one takes longer still.
    if (answer.has_an_end || !is_enough) return answer;
  }
  return answer;
}

}  // namespace hastur
