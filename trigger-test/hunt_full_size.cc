#include "trigger-test/hunt_full_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/json.h"
#include "trigger-test/state_parts.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

constexpr double entries_max = 200'000;
constexpr std::size_t candidates_max = 8;
// One more than it may have, and what is put in before it is cut.
constexpr std::size_t entries_over = 3;
// So that it would grow by some.
constexpr std::size_t growth_wanted = 4;
constexpr std::size_t messages_min = 64;
constexpr std::size_t messages_max = 2'000;
// The state is written out at each tick: of a large one there are fewer.
constexpr std::size_t messages_min_if_large = 24;
constexpr std::size_t bytes_written_max = 12 << 20;
// What a callback does once in a while is done, on as much as there is then. What they let go says
// nothing of its end.
constexpr std::array<Micros, 5> then{Micros{1min}, Micros{1h}, Micros{std::chrono::days{1}},
                                     Micros{std::chrono::days{7}}, Micros{std::chrono::days{31}}};

// What a number of the script may be an end of.
enum class Unit : std::uint8_t { entries, text_bytes, json_bytes };

struct Candidate {
  double number = 0;
  Unit unit = Unit::entries;
};

using Parts = std::vector<GrowingPart>;

// How many entries, or bytes of a text, the part then has; 0: it stays as it is.
std::size_t size_at(const GrowingPart& part, const Candidate& candidate) {
  const auto of = [&](std::size_t bytes) {
    return static_cast<std::size_t>(candidate.number * static_cast<double>(part.size) /
                                    static_cast<double>(bytes)) +
           entries_over;
  };
  switch (candidate.unit) {
    case Unit::entries:
      return part.is_text() ? 0 : static_cast<std::size_t>(candidate.number) + entries_over;
    case Unit::text_bytes:
      return part.text_bytes == 0 ? 0 : of(part.text_bytes);
    case Unit::json_bytes:
      return of(part.bytes);
  }
  return 0;
}

std::size_t longest_of(const Parts& parts, bool is_text) {
  std::size_t most = 0;
  for (const GrowingPart& part : parts)
    if (part.is_text() == is_text) most = std::max(most, part.size);
  return most;
}

// Not those that are short for good; of some senders less comes than of others.
bool is_enlarged(const GrowingPart& part, const Parts& parts) {
  return 32 * part.size >= longest_of(parts, part.is_text());
}

// By how much JSON they grow then.
double bytes_at(const Parts& parts, const Candidate& candidate) {
  double bytes = 0;
  for (const GrowingPart& part : parts) {
    const std::size_t size = size_at(part, candidate);
    if (size <= part.size || !is_enlarged(part, parts)) continue;
    bytes += static_cast<double>(size - part.size) * static_cast<double>(part.bytes) /
             static_cast<double>(part.size);
  }
  return bytes;
}

// Those that the parts may not have passed, and that a state can hold, the smallest first.
std::vector<Candidate> candidates(const std::vector<double>& numbers, const Parts& parts,
                                  const TriggerFiles& trigger, double bytes_left) {
  std::vector<Candidate> all;
  const bool is_written = trigger.script.text.find("json") != std::string::npos;
  std::set<double> sizes;
  // The last so many are those from -so many on.
  for (const double number : numbers) sizes.insert(std::abs(number));
  for (const double number : sizes) {
    if (number < 2 || std::floor(number) != number) continue;
    for (const Unit unit : {Unit::entries, Unit::text_bytes, Unit::json_bytes}) {
      if (unit == Unit::json_bytes && !is_written) continue;
      const Candidate candidate{number, unit};
      if (unit == Unit::entries && number > entries_max) continue;
      const bool is_open = std::ranges::any_of(parts, [&](const GrowingPart& part) {
        return size_at(part, candidate) > part.size && is_enlarged(part, parts);
      });
      if (is_open && bytes_at(parts, candidate) <= bytes_left) all.push_back(candidate);
    }
  }
  std::ranges::stable_sort(all, {},
                           [&](const Candidate& candidate) { return bytes_at(parts, candidate); });
  if (all.size() > candidates_max) all.resize(candidates_max);
  return all;
}

// Whether what it makes of them is larger than a notification, message or log line may be. Scripts
// raise errors of their own, in words of their own.
bool is_too_large(const CallError& error) {
  return error.kind == CallError::Kind::raised && error.error.text.ends_with("larger than 256 KiB");
}

// Whether it is the size at which the call fails.
bool is_of_size(const CallError& error) {
  const auto says = [&](const char* part) {
    return error.error.text.find(part) != std::string::npos;
  };
  return error.kind == CallError::Kind::instructions || error.kind == CallError::Kind::memory ||
         is_too_large(error) || says("stack overflow") || says("too many results to unpack") ||
         says("stack is full");
}

std::string remedy(const CallError& error) {
  if (is_too_large(error)) return "write the first few and how many there are";
  if (error.kind == CallError::Kind::instructions)
    return "bound the loop; keep sums, or walk less of it for each message";
  if (error.kind == CallError::Kind::memory)
    return "make no texts or tables of all of it, and pass it on as a table, not one by one";
  if (error.error.text.find("unpack") != std::string::npos)
    return "walk it with a loop instead of unpack";
  return "walk it with a loop: a function that calls itself for each entry goes too deep";
}

ReportedFailure over_limit(const TriggerFiles& trigger, const CallError& error,
                           const StatePath& path, std::size_t length) {
  ReportedFailure failure;
  failure.sentence = fmt::format("{} with {} entries in {}, which may have so many: {}",
                                 error.error.text, length, words_of(path), remedy(error));
  failure.caused_at = {trigger.shown(error.error.script), error.error.line};
  const char* found = error.kind == CallError::Kind::raised   ? "error"
                      : error.kind == CallError::Kind::memory ? "memory"
                                                              : "instructions";
  failure.details = {{"found", found}, {"path", words_of(path)}};
  return failure;
}

}  // namespace

class FullSizeLook {
 public:
  FullSizeLook(HuntRuns& runs, const TriggerFiles& trigger, const FullSize& what)
      : runs_(runs),
        trigger_(trigger),
        what_(what),
        state_(parse_json(what.end.state).value_or(Json::object())),
        parts_(growing_parts(what.early, state_)) {
    // What grew elsewhere goes with it, if it is no shorter.
    const Json* part = part_at(state_, what.path);
    if (part == nullptr || std::ranges::none_of(parts_, [&](const GrowingPart& each) {
          return std::ranges::mismatch(what_.path, each.path).in1 == what_.path.end();
        }))
      parts_.clear();
  }

  Result<FullSizeAnswer> run(const std::vector<double>& numbers) {
    if (parts_.empty() || state_.empty()) return answer_;
    const double bytes = static_cast<double>(what_.end.state.size());
    const double bytes_left = static_cast<double>(what_.state_bytes_max) * 0.9 - bytes;
    const std::vector<Candidate> all = candidates(numbers, parts_, trigger_, bytes_left);
    if (all.empty()) return answer_;
    // What only pauses let grow does not grow here, whatever its size.
    const auto usual = feed(what_.end);
    if (!usual) return fail(usual.error());
    if (!*usual) return answer_;
    const bool grows_here = (*usual)->size > size_of(parts_, state_);
    for (const Candidate& candidate : all) {
      Json larger = state_;
      for (const GrowingPart& part : parts_) {
        if (is_enlarged(part, parts_)) enlarge(larger, part, size_at(part, candidate));
      }
      // How much all of them hold together.
      for (auto& [key, each] : larger.items()) {
        if (each.is_number() && each == size_of(parts_, state_)) each = size_of(parts_, larger);
      }
      Memory memory = what_.end;
      memory.state = canonical_json(larger);
      const auto fed = feed(memory);
      if (!fed) return fail(fed.error());
      if (!*fed) return answer_;
      const std::size_t size = size_of(parts_, larger);
      const bool ends = grows_here && (*fed)->is_enough && (*fed)->size <= size;
      if (what_.is_lasting || ends) {
        HASTUR_TRY(find_failure((*fed)->outcome, memory, candidate));
        if (answer_.failure) return answer_;
      }
      answer_.has_an_end = ends && !(*fed)->has_failed;
      // A larger one takes longer still.
      if (answer_.has_an_end || !(*fed)->is_enough) break;
    }
    // What was not what the script would have made of it may have its end there all the same.
    answer_.are_lists = std::ranges::all_of(parts_, [](const GrowingPart& part) {
      return part.kind == GrowingPart::Kind::list || part.kind == GrowingPart::Kind::places;
    });
    if (!answer_.has_an_end)
      answer_.bytes_unsure = static_cast<std::size_t>(bytes + bytes_at(parts_, all.back()));
    return answer_;
  }

 private:
  struct Fed {
    Outcome outcome;
    // After the messages, before the pauses.
    std::size_t size = 0;
    // It was fed enough to have grown by then.
    bool is_enough = false;
    // Before the pauses.
    bool has_failed = false;
  };

  // Nothing if it came to nothing.
  Result<std::optional<Fed>> feed(const Memory& from, bool is_observed = false) {
    using Answer = std::optional<Fed>;
    const std::size_t usual = size_of(parts_, state_);
    const std::size_t wanted =
        growth_wanted * (what_.messages / std::max<std::size_t>(usual, 1) + 1);
    const std::size_t written = bytes_written_max / std::max<std::size_t>(from.state.size(), 1);
    const std::size_t count =
        std::clamp(wanted, std::clamp(written, messages_min_if_large, messages_min), messages_max);
    std::vector<Micros> times;
    for (std::size_t i = 1; i <= count; ++i)
      times.push_back(what_.apart * static_cast<std::int64_t>(i));
    for (const Micros span : then) times.push_back(times.back() + span);
    const auto stream =
        make_sparse_stream(what_.few, times, from.time, count,
                           what_.has_own_values ? std::optional(what_.messages) : std::nullopt);
    if (!stream) return Answer();
    RunOptions options;
    options.memory = from;
    options.states_after_batches = true;
    if (is_observed) options.observe = ObserveCommand::What::calls;
    Result<Outcome> outcome = runs_.run(stream->stream, options);
    if (!outcome) return fail(outcome.error());
    if (outcome->load_error || outcome->killed) return Answer();
    Fed fed;
    const bool has_it = !outcome->states.empty();
    const Json state =
        parse_json(has_it ? outcome->states.front() : outcome->state).value_or(Json());
    fed.size = size_of(parts_, state);
    const Sequence last = stream->stream.batches.front()->batch.header.last();
    fed.has_failed = std::ranges::any_of(outcome->seen, [&](const Seen& seen) {
      return seen.error.has_value() && !(last < seen.input);
    });
    fed.is_enough =
        has_it || !outcome->cut || outcome->matched * usual >= growth_wanted * what_.messages;
    names_ = stream->names;
    fed.outcome = std::move(*outcome);
    return Answer(std::move(fed));
  }

  Result<void> find_failure(const Outcome& outcome, const Memory& from,
                            const Candidate& candidate) {
    std::size_t most = 0;
    for (const GrowingPart& part : parts_)
      if (is_enlarged(part, parts_)) most = std::max(most, size_at(part, candidate));
    const std::size_t length = most - std::min(most, entries_over);
    for (const Seen& seen : outcome.seen) {
      if (!seen.error || !is_of_size(*seen.error)) continue;
      answer_.failure = over_limit(trigger_, *seen.error, what_.path, length);
      return {};
    }
    if (outcome.cost.effects_cut == 0) return {};
    ReportedFailure& failure = answer_.failure.emplace();
    failure.sentence = fmt::format("with {} entries in {}, which may have so many, {}", length,
                                   words_of(what_.path), words_of_cut(outcome));
    failure.caused_at = {trigger_.path, 0};
    failure.details = {{"found", "effects"}, {"path", words_of(what_.path)}};
    const auto looked = feed(from, true);
    if (!looked) return fail(looked.error());
    if (!*looked) return {};
    const ScriptPlace place =
        place_of_most_effects(observed_calls((*looked)->outcome.observed, names_));
    if (place.line > 0) failure.caused_at = {trigger_.shown(place.script), place.line};
    return {};
  }

  HuntRuns& runs_;
  const TriggerFiles& trigger_;
  const FullSize& what_;
  const Json state_;
  Parts parts_;
  Nicknames names_;
  FullSizeAnswer answer_;
};

Result<FullSizeAnswer> look_at_full_size(HuntRuns& runs, const TriggerFiles& trigger,
                                         const FullSize& what, const std::vector<double>& numbers) {
  return FullSizeLook(runs, trigger, what).run(numbers);
}

}  // namespace hastur
