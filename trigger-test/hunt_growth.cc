#include "trigger-test/hunt_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/json.h"
#include "trigger-test/hunt_places.h"

namespace hastur {
namespace {

constexpr std::size_t parts = 3;

// The first look is short. What grows in it is looked at for longer: a list with an end, even a
// long one, must not be taken for one without. The state is written out at each tick, so there are
// fewer of them the longer it is.
struct Look {
  std::size_t messages;
  Micros apart;
  // What a part must add at least, in bytes.
  std::size_t bytes_min;
};
constexpr Look first_look{400, std::chrono::seconds{1}, 200};
constexpr Look long_look{2'500, std::chrono::milliseconds{40}, 300};

// Bytes of each part of a state, as far as helpers do not keep it: they bound what they keep.
std::size_t own_bytes(const Json& state) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : state.items()) {
    if (!key.starts_with('@')) bytes += key.size() + canonical_json(value).size();
  }
  return bytes;
}

// The path of the part that grew most from one state to the other.
std::string growing_path(const Json& before, const Json& after) {
  std::string path = "state";
  const Json* one = &before;
  const Json* other = &after;
  while (one->is_object() && other->is_object()) {
    const std::string* most = nullptr;
    std::size_t most_bytes = 0;
    static const Json none;
    for (auto entry = other->begin(); entry != other->end(); ++entry) {
      if (entry.key().starts_with('@') && path == "state") continue;
      const auto old = one->find(entry.key());
      const std::size_t then = old == one->end() ? 0 : canonical_json(*old).size();
      const std::size_t now = canonical_json(*entry).size();
      if (now < then + most_bytes || now == then) continue;
      most_bytes = now - then;
      most = &entry.key();
    }
    // Many parts that are new: it is this table that grows.
    if (most == nullptr || !one->contains(*most) ||
        2 * most_bytes < canonical_json(*other).size() - canonical_json(*one).size())
      return path;
    path += "." + *most;
    const std::string key = *most;
    one = &one->at(key);
    other = &other->at(key);
  }
  return path;
}

struct Grown {
  Json before;
  Json after;
  std::size_t bytes = 0;
  std::size_t messages = 0;
};

Result<std::optional<Grown>> look(HuntRuns& runs, const CaseMaker& cases, const Look& how,
                                  std::uint64_t seed) {
  using Answer = std::optional<Grown>;
  const auto messages = cases.growth(how.messages, parts, how.apart, Dice(seed));
  const auto stream = make_sparse_stream(messages, time_from_us(test_start_us), how.messages);
  if (!stream || messages.empty()) return Answer();
  RunOptions options;
  options.states_after_batches = true;
  const Result<Outcome> outcome = runs.run(*stream, options);
  if (!outcome) return fail(outcome.error());
  if (outcome->killed || outcome->states.size() < parts) return Answer();
  std::vector<Json> states;
  std::vector<std::size_t> bytes;
  for (const std::string& text : outcome->states) {
    states.push_back(parse_json(text).value_or(Json::object()));
    bytes.push_back(own_bytes(states.back()));
  }
  const auto added = [&](std::size_t i) {
    return bytes[i] > bytes[i - 1] ? bytes[i] - bytes[i - 1] : 0;
  };
  // A state over its limit goes back, and no longer grows.
  const bool is_too_large = std::ranges::any_of(outcome->seen, [](const Seen& seen) {
    return seen.error && seen.error->error.text.find("larger than") != std::string::npos;
  });
  const bool grows =
      added(1) >= how.bytes_min && added(2) >= how.bytes_min && 10 * added(2) >= 7 * added(1);
  if (!grows && !is_too_large) return Answer();
  return Answer(
      Grown{std::move(states[0]), std::move(states.back()), bytes.back(), messages.size()});
}

}  // namespace

Result<std::optional<ReportedFailure>> find_growth(HuntRuns& runs, const TriggerFiles& trigger,
                                                   const CaseMaker& cases, std::uint64_t seed) {
  using Answer = std::optional<ReportedFailure>;
  const auto first = look(runs, cases, first_look, seed);
  if (!first) return fail(first.error());
  if (!*first) return Answer();
  const auto longer = look(runs, cases, long_look, seed);
  if (!longer) return fail(longer.error());
  if (!*longer) return Answer();

  const std::string path = growing_path((*first)->before, (*first)->after);
  ReportedFailure finding;
  finding.sentence = fmt::format(
      "{} grows without end: after {} messages of the same few senders it has {} bytes, and goes "
      "on: forget what is no longer needed, keep sums instead of lists, or let ctx:window or "
      "ctx:keyed forget",
      path, (*longer)->messages, (*longer)->bytes);
  finding.caused_at = {trigger.path, 0};
  finding.details = {{"found", "growth"}, {"path", path}};
  TestCase few;
  few.messages = cases.growth(first_look.messages, 1, first_look.apart, Dice(seed));
  few.messages.resize(std::min<std::size_t>(few.messages.size(), 40));
  if (const auto small = runs.prepare(few, seed)) {
    const Result<Outcome> looked = runs.run(*small, Way::observed);
    if (!looked) return fail(looked.error());
    const std::vector<ObservedCall> calls = HuntRuns::calls(*small, *looked);
    if (const ObservedCall* call = call_that_wrote(calls, path))
      finding.caused_at = place_that_wrote(trigger, *call, path);
  }
  return Answer(std::move(finding));
}

}  // namespace hastur
