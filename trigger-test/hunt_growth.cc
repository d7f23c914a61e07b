#include "trigger-test/hunt_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "trigger-test/hunt_places.h"

namespace hastur {
namespace {

// A look feeds the same few messages on and on, in parts of like length, and takes the state after
// each. What a state remembers of each sender is in it after the first part; what it remembers of
// each message, or of each time, adds up.
//
// The first look is short, and long pauses lie in it, so that what is forgotten after a while is
// forgotten. What grows in it is looked at for longer: a list with an end, even a long one, must
// not be taken for one without.
struct Look {
  std::size_t part;
  std::size_t parts;
  Micros apart;
  // Between two parts.
  Micros pause;
  // What the second half must add at least.
  std::size_t weight_min;
};
// After it the calendar shows the same day again.
constexpr Micros four_years = std::chrono::days{1461};

// Messages that follow each other closely. In the long look even more so: the state is written out
// at each tick, and there are fewer of them then. It must grow with the messages: of the minutes of
// the day there is an end, which would not come.
constexpr Look dense_first{100, 16, std::chrono::seconds{1}, four_years, 64};
constexpr Look dense_long{160, 64, std::chrono::milliseconds{40}, Micros{0}, 400};
// So far apart that all that the script waits for comes between two of them. These seconds come by
// every minute of the day within 1,440 messages.
constexpr Micros sparse_apart = std::chrono::seconds{593};
constexpr Look sparse_first{30, 16, sparse_apart, four_years, 64};
constexpr Look sparse_long{40, 64, sparse_apart, Micros{0}, 64};

// What a run shows that was ended by its cost after fewer messages is not sure: a list that is
// walked for each message may have an end.
constexpr std::size_t messages_sure = 2'500;

// A state is written out at each tick.
constexpr std::size_t state_bytes_enough = 64 * 1024;

// How much is in a state, by what is there and not by its digits, which come and go. What helpers
// keep is left aside: they bound it.
std::size_t weight_of(const Json& value, bool is_whole = false) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() + 2;
  if (!value.is_structured()) return 8;
  std::size_t weight = 0;
  for (const auto& [key, each] : value.items()) {
    if (is_whole && key.starts_with('@')) continue;
    weight += weight_of(each) + (value.is_object() ? key.size() : 0);
  }
  return weight;
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

// `count` of `few`, in turn.
std::vector<MessageSpec> in_turn(const std::vector<MessageSpec>& few, std::size_t count,
                                 const Look& how) {
  std::vector<MessageSpec> messages;
  Micros at = std::chrono::seconds{1};
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && i % how.part == 0) at += how.pause;
    MessageSpec spec = few[i % few.size()];
    spec.at = at += how.apart;
    messages.push_back(std::move(spec));
  }
  return messages;
}

struct Grown {
  std::string path;
  // Of the state's JSON.
  std::size_t bytes = 0;
  std::size_t messages = 0;
};

// Whether a state may forget something, as far as the words of the script tell.
bool may_forget(const TriggerFiles& trigger) {
  const std::string& text = trigger.script.text;
  return text.find("remove") != std::string::npos || text.find("nil") != std::string::npos;
}

Result<std::optional<Grown>> look(HuntRuns& runs, const std::vector<MessageSpec>& few,
                                  const Look& how) {
  using Answer = std::optional<Grown>;
  const auto made = make_sparse_stream(in_turn(few, how.part * how.parts, how),
                                       time_from_us(test_start_us), how.part);
  if (!made) return Answer();
  RunOptions options;
  options.states_after_batches = true;
  options.state_bytes_enough = state_bytes_enough;
  const Result<Outcome> outcome = runs.run(made->stream, options);
  if (!outcome) return fail(outcome.error());
  // As many parts as it came to, if it was ended early.
  const std::size_t quarter = outcome->states.size() / 4;
  if (outcome->killed || quarter == 0) return Answer();
  std::vector<Json> states;
  std::vector<std::size_t> weights;
  for (std::size_t i = 1; i <= 4; ++i) {
    states.push_back(parse_json(outcome->states[i * quarter - 1]).value_or(Json::object()));
    weights.push_back(weight_of(states.back(), true));
  }
  // A state over its limit goes back, and no longer grows.
  const bool is_too_large = std::ranges::any_of(outcome->seen, [](const Seen& seen) {
    return seen.error && seen.error->error.text.find("larger than") != std::string::npos;
  });
  // Twice as much for twice as many, or nearly so.
  const bool rises = std::ranges::adjacent_find(weights, std::greater_equal<>()) == weights.end();
  const bool grows = rises && weights[3] - weights[1] >= how.weight_min &&
                     2 * (weights[3] - weights[1]) >= 3 * (weights[1] - weights[0]);
  if (!grows && !is_too_large) return Answer();
  return Answer(Grown{made->names.read(growing_path(states.front(), states.back())),
                      outcome->states[4 * quarter - 1].size(), 4 * quarter * how.part});
}

// The call that wrote at `path`, in a short look; nothing if none did.
struct Wrote {
  FilePlace at;
  // At which of the few messages.
  std::size_t message = 0;
};

Result<std::optional<Wrote>> find_write(HuntRuns& runs, const TriggerFiles& trigger,
                                        const std::vector<MessageSpec>& few, const Look& how,
                                        const std::string& path) {
  using Answer = std::optional<Wrote>;
  // What grows only now and then takes more.
  for (const std::size_t count : {40u, 400u}) {
    const auto made = make_sparse_stream(in_turn(few, count, how), time_from_us(test_start_us), 64);
    if (!made) return Answer();
    RunOptions options;
    options.observe = ObserveCommand::What::calls;
    const Result<Outcome> looked = runs.run(made->stream, options);
    if (!looked) return fail(looked.error());
    const std::vector<ObservedCall> calls = observed_calls(looked->observed, made->names);
    const ObservedCall* call = call_that_wrote(calls, path);
    if (call == nullptr) continue;
    const std::uint64_t message = made->stream.row_messages[call->input.value - 1];
    return Answer(Wrote{place_that_wrote(trigger, *call, path),
                        static_cast<std::size_t>(message > 0 ? message - 1 : 0) % few.size()});
  }
  return Answer();
}

// `few`, so often that they come to `count`.
TestCase repeated(const std::vector<MessageSpec>& few, std::size_t count, Micros apart) {
  TestCase test;
  Micros at{0};
  for (const MessageSpec& each : few) {
    if (each.fields.empty()) continue;
    MessageSpec spec = each;
    spec.at = at += apart;
    spec.every = apart * static_cast<std::int64_t>(few.size());
    spec.times = std::max<std::uint64_t>(count / few.size(), 1);
    test.messages.push_back(std::move(spec));
  }
  if (test.messages.empty()) test.ends = apart * static_cast<std::int64_t>(count);
  return test;
}

// A test that asks for a state of the size that it has half-way, and so fails. Nothing if it would
// take too many ticks, or the state does not grow in it.
Result<std::optional<TestCase>> make_test(HuntRuns& runs, const std::vector<MessageSpec>& few,
                                          Micros apart) {
  using Answer = std::optional<TestCase>;
  constexpr Micros long_enough = std::chrono::hours{24 * 2};
  const auto count = static_cast<std::size_t>(std::min<std::int64_t>(1'000, long_enough / apart));
  if (count < 4) return Answer();
  std::array<std::size_t, 2> bytes{};
  for (const std::size_t half : {0u, 1u}) {
    const auto prepared = runs.prepare(repeated(few, count / (2 - half), apart), 0);
    if (!prepared) return Answer();
    const Result<Outcome> outcome = runs.run(*prepared, Way::straight);
    if (!outcome) return fail(outcome.error());
    bytes[half] = outcome->state.size();
  }
  if (bytes[1] < bytes[0] + 8) return Answer();
  TestCase test = repeated(few, count, apart);
  Expectation expectation;
  expectation.kind = Expectation::Kind::state;
  expectation.state_bytes_max = bytes[0];
  test.expect.push_back(std::move(expectation));
  return Answer(std::move(test));
}

}  // namespace

Result<std::optional<Growth>> find_growth(HuntRuns& runs, const TriggerFiles& trigger,
                                          const CaseMaker& cases, std::uint64_t seed) {
  using Answer = std::optional<Growth>;
  const std::vector<MessageSpec> few = cases.few(Dice(seed));
  const Micros far = std::max(cases.longest_span().value_or(sparse_apart), sparse_apart);
  for (std::array looks :
       {std::array{dense_first, dense_long}, std::array{sparse_first, sparse_long}}) {
    const bool is_sparse = looks[0].apart == sparse_apart;
    for (Look& each : looks) each.apart = is_sparse ? far : each.apart;
    const auto first = look(runs, few, looks[0]);
    if (!first) return fail(first.error());
    if (!*first) continue;
    const auto longer = look(runs, few, looks[1]);
    if (!longer) return fail(longer.error());
    if (!*longer || ((*longer)->messages < messages_sure && !is_sparse && may_forget(trigger)))
      continue;

    const std::string& path = (*first)->path;
    Growth growth;
    growth.finding.sentence = fmt::format(
        "{} grows without end: after {} {} it has {} bytes, and goes on: forget what is no longer "
        "needed, keep sums instead of lists, or let ctx:window or ctx:keyed forget",
        path, (*longer)->messages,
        few.front().fields.empty() ? "ticks" : "messages of the same few senders",
        (*longer)->bytes);
    growth.finding.caused_at = {trigger.path, 0};
    growth.finding.details = {{"found", "growth"}, {"path", path}};
    growth.title = fmt::format("{} does not grow without end", path);
    const auto wrote = find_write(runs, trigger, few, looks[0], path);
    if (!wrote) return fail(wrote.error());
    // One message over and over is the smallest case, if it is enough.
    if (*wrote) {
      growth.finding.caused_at = (*wrote)->at;
      auto test = make_test(runs, {few[(*wrote)->message]}, looks[0].apart);
      if (!test) return fail(test.error());
      growth.test = std::move(*test);
    }
    if (!growth.test) {
      auto test = make_test(runs, few, looks[0].apart);
      if (!test) return fail(test.error());
      growth.test = std::move(*test);
    }
    return Answer(std::move(growth));
  }
  return Answer();
}

}  // namespace hastur
