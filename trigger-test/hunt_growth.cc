#include "trigger-test/hunt_growth.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <ranges>
#include <set>
#include <span>

#include "core/json.h"
#include "trigger-test/hunt_full_size.h"
#include "trigger-test/hunt_growth_case.h"
#include "trigger-test/hunt_places.h"
#include "trigger-test/state_parts.h"
#include "trigger-test/state_weight.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

// A look feeds the same few messages on and on, in parts of like length, and takes the state after
// each. What a state remembers of each sender is in it after the first part; what it remembers of
// each message, or of each time, adds up.
//
// The first looks are short, and long pauses lie in them, so that what is forgotten after a while
// is forgotten, and what has a place by the calendar comes by its places again. What grows in all
// of them is looked at for longer: a list with an end, even a long one, must not be taken for one
// without.
struct Look {
  std::size_t part;
  std::size_t parts;
  Micros apart;
  // From the begin of a part to that of the next; 0: they follow each other.
  Micros pause;
  // What the second half must add at least.
  std::size_t weight_min;
  // One of so many bytes is enough, and the rest is not fed.
  std::size_t state_bytes_enough;
  // The messages are so far apart in the mean, each by a draw of its own.
  bool is_by_chance = false;
};

// After them the calendar shows the same date and time of day; weekday and time of day; place in
// thirty days, and in most parts of a day.
constexpr std::array<Micros, 3> pauses{std::chrono::days{1461}, std::chrono::days{1463},
                                       std::chrono::days{1440}};

// What has an effect for each day that was missed has too many after years, and that is no fault of
// its. After these the calendar is elsewhere: what has a place in it is told by the longer look.
constexpr std::array<Micros, 2> short_pauses{std::chrono::days{7}, std::chrono::days{10}};

// What goes on for so long may double that often, or count to a thousand: it is looked at if it
// costs next to nothing.
constexpr std::size_t long_way_part = 80;
constexpr std::uint64_t long_way_steps_max = 16'000'000;

// Messages that follow each other closely. In the long look even more so: the state is written out
// at each tick, and there are fewer of them then. It must grow with the messages: of the minutes of
// the day there is an end, which would not come.
constexpr Look dense_first{20, 16, 1s, {}, 64, 64 << 10};
constexpr Look dense_long{250, 64, 40ms, {}, 400, 200 << 10};
// So far apart that all that the script waits for comes between two of them. By chance, so that
// what has a place in a cycle, however long, soon comes to places where it was before.
constexpr Micros sparse_apart = std::chrono::seconds{593};
constexpr Look sparse_first{30, 16, sparse_apart, {}, 64, 64 << 10};
constexpr Look sparse_long{63, 128, 38h, {}, 64, 16 << 10, true};
// Each day of more than a year.
constexpr Look each_day{30, 20, 17h, {}, SIZE_MAX, SIZE_MAX, true};
// So close that what only messages keep is kept: a part of a span lies between two of them.
constexpr Look renewed_first{20, 16, 1s, {}, 64, 64 << 10, true};
constexpr Look renewed_long{40, 64, 1s, {}, 64, 32 << 10, true};
// Besides what the other looks take.
constexpr std::uint64_t renewed_steps_max = 60'000'000;
constexpr std::uint64_t own_values_steps_max = 40'000'000;
constexpr Micros renewed_apart = 500ms;
constexpr Micros renewed_span_min = 2s;
constexpr std::size_t renewed_spans_max = 6;
constexpr std::size_t renewed_messages_max = 8'000;
constexpr Micros year = std::chrono::days{400};
// What it takes to feed on what may yet have an end.
constexpr std::size_t chase_bytes_max = 150 << 20;
constexpr std::size_t chase_messages_max = 60'000;
// A look that came to its size in fewer parts says nothing: what grows by large pieces is looked at
// in smaller parts, and somewhat further, until it has enough of them.
constexpr std::size_t parts_min = 4;
constexpr int looks_max = 4;
constexpr std::size_t first_further = 2;
constexpr std::size_t further = 4;
// Of all steps, what each first look may take.
constexpr std::uint64_t first_part = 6;
// From 2024 on: no time is later than 2100.
constexpr Micros span_max = std::chrono::days{365 * 75};

// Of the look at the calls that let it grow.
constexpr std::size_t write_parts = 4;

// What a run shows that was ended by its cost after fewer messages is not sure: a list that is
// walked for each message may have an end.
constexpr std::size_t messages_sure = 2'500;

// Of the judgements of a state the one that it is too large. What a script says in errors of its
// own are other words.
bool is_over_its_limit(const CallError& error) {
  return error.kind == CallError::Kind::judgement &&
         error.error.text.find(" is larger than ") != std::string::npos;
}

std::vector<Micros> times_of(const Look& how, Dice dice) {
  std::vector<Micros> times;
  Micros at = 1s;
  for (std::size_t i = 0; i < how.part * how.parts; ++i) {
    if (how.pause > Micros{0} && i % how.part == 0)
      at = 1s + how.pause * static_cast<std::int64_t>(i / how.part);
    const auto twice = static_cast<std::size_t>(2 * how.apart.count());
    at += how.is_by_chance ? Micros{static_cast<std::int64_t>(dice.below(twice)) + 1} : how.apart;
    if (at > span_max) break;
    times.push_back(at);
  }
  return times;
}

// Whether a state may forget something, as far as the words of the script tell.
bool may_forget(const TriggerFiles& trigger) {
  const std::string& text = trigger.script.text;
  return text.find("remove") != std::string::npos || text.find("nil") != std::string::npos;
}

// What only its own sender keeps alive is forgotten in pauses: these come often enough that nothing
// is. Some of the messages of one sender are enough, and one of each kind.
std::vector<MessageSpec> of_one_sender(const std::vector<MessageSpec>& few) {
  constexpr std::size_t most = 6;
  const auto sender = [](const MessageSpec& spec) { return spec.fields.value("uuid", ""); };
  std::map<std::string, std::size_t> counts;
  for (const MessageSpec& spec : few) {
    if (spec.fields.is_object()) ++counts[sender(spec)];
  }
  if (counts.empty()) return few;
  const auto usual =
      std::ranges::max_element(counts, {}, [](const auto& each) { return each.second; });
  std::vector<MessageSpec> result;
  std::set<std::string> kinds;
  for (const bool is_usual : {true, false}) {
    for (const MessageSpec& spec : few) {
      if ((sender(spec) == usual->first) != is_usual) continue;
      const std::string kind =
          spec.fields.value("type", "") + " " + canonical_json(spec.fields.value("name", Json()));
      if (kinds.insert(kind).second || (is_usual && result.size() < most)) result.push_back(spec);
    }
  }
  return result;
}

class GrowthHunt {
 public:
  GrowthHunt(HuntRuns& runs, const TriggerFiles& trigger, std::vector<MessageSpec> few, Micros far,
             const std::vector<double>& numbers, const IsMeant& is_meant, std::uint64_t seed,
             GrowthAnswer& answer)
      : runs_(runs),
        trigger_(trigger),
        numbers_(numbers),
        is_meant_(is_meant),
        seed_(seed),
        few_(std::move(few)),
        far_(far),
        answer_(answer) {}

  // Across all pauses.
  Result<void> find() {
    const std::uint64_t begin = runs_.steps();
    const auto found = find_growing(pauses);
    if (!found) return fail(found.error());
    if (*found == Pauses::are_too_long) {
      const auto again = find_growing(short_pauses);
      if (!again) return fail(again.error());
    }
    if (!is_answered() && !runs_.is_over()) {
      Look days = each_day;
      const auto seen = look(days);
      if (!seen) return fail(seen.error());
    }
    const std::uint64_t looks = 2 * pauses.size();
    const std::uint64_t expected =
        (runs_.steps() - begin) / looks * long_way_part / dense_first.part;
    if (is_answered() || expected > long_way_steps_max || runs_.is_over()) return {};
    Look how = dense_first;
    how.part = long_way_part;
    how.pause = *found == Pauses::are_too_long ? short_pauses.front() : pauses.front();
    // It is more than was promised: nothing is left out where it does not come to its end.
    const bool was_cut_short = answer_.is_cut_short;
    const auto seen = look(how);
    answer_.is_cut_short = was_cut_short;
    return seen ? Result<void>() : fail(seen.error());
  }

  // While nothing is forgotten for want of messages. `spans`: what the script waits for, in order.
  Result<void> find_renewed(const std::vector<Micros>& spans) {
    std::vector<Micros> all;
    for (const Micros span : spans | std::views::reverse) {
      if (span >= renewed_span_min && all.size() < renewed_spans_max) all.push_back(span);
    }
    if (all.empty() && !may_forget(trigger_)) return {};
    const auto twice = static_cast<std::int64_t>(2 * few_.size());
    std::set<StatePath> known;
    all.push_back(renewed_apart * twice);
    for (const Micros span : all) {
      if (is_answered()) return {};
      // The longest ones show most.
      if (runs_.is_over()) {
        answer_.is_cut_short = answer_.is_cut_short || span == all.front();
        return {};
      }
      Look how = renewed_first;
      how.apart = span / twice;
      const auto seen = look(how);
      if (!seen) return fail(seen.error());
      if (!seen->grown || has_an_end_.contains(seen->grown->path)) continue;
      if (known.insert(seen->grown->path).second || span == all.back()) {
        const auto ends = full_size(*seen->grown, how.apart, false);
        if (!ends) return fail(ends.error());
        if (*ends || answer_.found) continue;
      }
      const Micros waits = spans.empty() ? Micros{0} : spans.back();
      HASTUR_TRY(go_on(*seen, how, std::max(span, waits)));
    }
    return {};
  }

  // While each gauge and counter has another value: of these there is no end, if one is a key. It
  // says nothing of what it had no steps for.
  Result<void> find_by_values() {
    const auto has_one = [](const MessageSpec& spec) { return may_have_own_value(spec.fields); };
    if (std::ranges::none_of(few_, has_one) || is_answered()) return {};
    has_own_values_ = true;
    const bool was_cut_short = answer_.is_cut_short;
    const auto found = find_growing(pauses);
    has_own_values_ = false;
    answer_.is_cut_short = was_cut_short;
    return found ? Result<void>() : fail(found.error());
  }

 private:
  std::optional<std::size_t> own_values_from(std::size_t place) const {
    return has_own_values_ ? std::optional(place) : std::nullopt;
  }
  bool is_answered() const { return answer_.found || !answer_.suspicious.empty(); }

  struct Grown {
    StatePath path;
    // With nicknames instead of uuids.
    StatePath shown;
    // Of the state's JSON.
    std::size_t bytes = 0;
    std::size_t messages = 0;
    Memory end;
    std::uint64_t state_bytes_max = 0;
    bool is_too_large = false;
    // After a quarter of them.
    Json early;
  };
  struct Seen {
    std::optional<Grown> grown;
    // At its end, and whether it was the same some time before.
    std::size_t weight = 0;
    bool is_full = false;
    // How many parts it came to, and whether it was ended by the size of its state.
    std::size_t parts = 0;
    bool is_large = false;
    // What an input made was over a limit, or came to nothing else.
    bool is_too_much = false;
  };

  enum class Pauses : std::uint8_t { will_do, are_too_long };
  Result<Pauses> find_growing(std::span<const Micros> all_pauses) {
    for (const bool is_sparse : {false, true}) {
      if (is_sparse && has_own_values_) break;
      const Micros apart = is_sparse ? far_ : dense_first.apart;
      std::optional<Grown> first;
      std::size_t first_weight = 0;
      Look how = is_sparse ? sparse_first : dense_first;
      how.apart = apart;
      for (const Micros pause : all_pauses) {
        if (is_cut_short()) return Pauses::will_do;
        how.pause = pause;
        auto seen = look(how);
        if (!seen) return fail(seen.error());
        if (pause > year && (seen->is_too_much || seen->is_large)) return Pauses::are_too_long;
        first = std::move(seen->grown);
        first_weight = seen->weight;
        if (!first || has_an_end_.contains(first->path)) break;
      }
      if (!first || has_an_end_.contains(first->path)) continue;
      const auto short_one = full_size(*first, apart, true);
      if (!short_one) return fail(short_one.error());
      if (*short_one || answer_.found) continue;
      how = is_sparse ? sparse_long : dense_long;
      if (is_sparse) how.apart = std::max(how.apart, far_);
      auto longer = look(how);
      if (!longer) return fail(longer.error());
      // It came to its end in it.
      if (longer->is_full && longer->weight >= 2 * first_weight) has_an_end_.insert(first->path);
      if (!longer->grown) continue;
      auto sure =
          is_sure(*longer->grown, is_sparse, is_sparse ? how.apart : apart, how.is_by_chance);
      if (!sure) return fail(sure.error());
      Look again = is_sparse ? sparse_first : dense_first;
      again.apart = apart;
      again.pause = all_pauses.front();
      if (*sure) HASTUR_TRY(tell(first->shown, *longer->grown, again));
      if (answer_.found) break;
    }
    return Pauses::will_do;
  }

  // What a first look saw grow, over all that the script waits and long enough to come by all
  // places of the year, unless it grows with the messages and not with the time.
  Result<void> go_on(const Seen& first, const Look& how, Micros waits) {
    const auto count_of = [&](Micros span) { return static_cast<std::size_t>(span / how.apart); };
    const std::size_t needed = count_of(2 * waits);
    if (needed > renewed_messages_max) return {};
    const bool has_all_places = count_of(year) <= renewed_messages_max;
    if (!has_all_places) {
      Look closer = how;
      closer.apart = how.apart / 4;
      const auto again = look(closer);
      if (!again) return fail(again.error());
      if (!again->grown || 2 * again->weight < first.weight) return {};
    }
    Look longer = renewed_long;
    longer.apart = how.apart;
    const std::size_t messages =
        std::max({messages_sure, needed, has_all_places ? count_of(year) : 0});
    longer.part = messages / longer.parts + 1;
    const auto seen = look(longer);
    if (!seen) return fail(seen.error());
    if (!seen->grown) return {};
    // It may have been ended by its size.
    if (seen->grown->messages < needed) return {};
    const auto sure = is_sure(*seen->grown, true, how.apart, longer.is_by_chance);
    if (!sure) return fail(sure.error());
    if (*sure) HASTUR_TRY(tell(seen->grown->shown, *seen->grown, longer));
    return {};
  }

  // Whether there are no steps left to look further, which the answer then says.
  bool is_cut_short() {
    answer_.is_cut_short = answer_.is_cut_short || runs_.is_over();
    return answer_.is_cut_short;
  }

  // `how` comes to the parts that it took.
  Result<Seen> look(Look& how) {
    const std::size_t times = how.pause > Micros{0} ? first_further : further;
    Result<Seen> seen = look_once(how);
    for (int i = 1; seen && seen->is_large && seen->parts < parts_min && i < looks_max; ++i) {
      // So that the parts reach a little further than it is expected to come.
      const std::size_t messages = times * how.part * seen->parts;
      how.part = std::max<std::size_t>(messages * 4 / (how.parts * 3), 1);
      how.state_bytes_enough *= times;
      seen = look_once(how);
    }
    return seen;
  }

  Result<Seen> look_once(const Look& how) {
    Seen seen;
    const std::vector<Micros> times = times_of(how, Dice(seed_));
    const auto made =
        make_sparse_stream(few_, times, time_from_us(test_start_us), how.part, own_values_from(0));
    if (!made) return seen;
    RunOptions options;
    options.states_after_batches = true;
    options.state_bytes_enough = how.state_bytes_enough;
    // There are several of the first.
    const bool is_first = how.pause > Micros{0};
    Result<Outcome> outcome =
        runs_.run(made->stream, options, is_first ? first_part : HuntRuns::usual_part);
    if (!outcome) return fail(outcome.error());
    // A state over its limit goes back, and no longer grows.
    bool is_too_large = false;
    seen.is_too_much = outcome->cost.effects_cut > 0;
    for (const hastur::Seen& each : outcome->seen) {
      if (!each.error) continue;
      is_too_large = is_too_large || is_over_its_limit(*each.error);
      seen.is_too_much = seen.is_too_much || each.error->kind == CallError::Kind::instructions;
    }
    HASTUR_TRY(note_failure(*outcome, made->stream, times, how.pause));
    // As many parts as it came to, if it was ended early.
    seen.parts = outcome->states.size();
    seen.is_large = seen.parts > 0 && outcome->states.back().size() >= how.state_bytes_enough;
    const std::size_t quarter = seen.parts / 4;
    if (outcome->killed) return seen;
    if (quarter == 0) {
      const bool is_cut_short = outcome->cut && !seen.is_large;
      // In shorter pauses it may come to something.
      seen.is_too_much = seen.is_too_much || is_cut_short;
      answer_.is_cut_short = answer_.is_cut_short || (is_cut_short && how.pause < year);
      return seen;
    }
    const std::set<std::string> bounded = bounded_helpers(outcome->loaded);
    std::vector<Json> states;
    std::vector<std::size_t> weights;
    for (std::size_t i = 1; i <= 4; ++i) {
      states.push_back(parse_json(outcome->states[i * quarter - 1]).value_or(Json::object()));
      weights.push_back(state_weight(states.back(), bounded));
    }
    seen.weight = weights[3];
    seen.is_full = weights[2] == weights[3];
    // Twice as much for twice as many, or nearly so.
    const bool rises = std::ranges::adjacent_find(weights, std::greater_equal<>()) == weights.end();
    const bool grows = rises && weights[3] - weights[1] >= how.weight_min &&
                       2 * (weights[3] - weights[1]) >= 3 * (weights[1] - weights[0]);
    if (!grows && !is_too_large) return seen;
    Grown& grown = seen.grown.emplace();
    grown.path = growing_path(states.front(), states.back(), bounded);
    grown.shown = grown.path;
    for (std::string& key : grown.shown) key = made->names.read(key);
    grown.bytes = outcome->states[4 * quarter - 1].size();
    grown.messages = 4 * quarter * how.part;
    const Time end = time_from_us(test_start_us) + times.back();
    grown.end = {Sequence{}, end, std::move(outcome->state), std::move(outcome->runtime)};
    grown.state_bytes_max = outcome->loaded.state_bytes_max;
    grown.is_too_large = is_too_large;
    grown.early = std::move(states.front());
    return seen;
  }

  // The messages up to the first failure are suspicious, and the fewer of them that show it.
  Result<void> note_failure(const Outcome& outcome, const Stream& stream,
                            const std::vector<Micros>& times, Micros pause) {
    // No case has values of their own.
    if (!answer_.suspicious.empty() || has_own_values_) return {};
    std::size_t until = outcome.cost.effects_cut > 0 && pause < year ? times.size() : 0;
    for (const hastur::Seen& each : outcome.seen) {
      if (!each.error || is_meant_(*each.error)) continue;
      // No trigger has to make up for years.
      if (pause > year && each.error->kind == CallError::Kind::instructions) continue;
      const Micros at = stream.time_at(each.input) - time_from_us(test_start_us);
      const auto after = std::ranges::find_if(times, [&](Micros time) { return time > at; });
      // A tick comes before the message of its second.
      until = static_cast<std::size_t>(after - times.begin()) + 1;
      break;
    }
    if (until == 0) return {};
    const std::vector<Micros> fed(
        times.begin(), times.begin() + static_cast<std::ptrdiff_t>(std::min(until, times.size())));
    for (const std::size_t count : {std::size_t{30}, std::size_t{200}, fed.size()}) {
      if (count <= fed.size()) answer_.suspicious.push_back(leading_to(few_, fed, count));
    }
    return {};
  }

  // Whether it turns out to have an end, or a call fails before, which is then told.
  Result<bool> full_size(const Grown& grown, Micros apart, bool is_lasting) {
    bytes_unsure_ = 0;
    are_lists_ = false;
    if (grown.is_too_large || grown.messages == 0) return false;
    auto held = look_at_full_size(runs_, trigger_,
                                  {few_, grown.path, grown.early, grown.end, grown.messages,
                                   grown.state_bytes_max, apart, is_lasting, has_own_values_},
                                  numbers_);
    if (!held) return fail(held.error());
    if (held->failure) answer_.found = Growth{std::move(*held->failure), std::nullopt, ""};
    if (held->has_an_end) has_an_end_.insert(grown.path);
    bytes_unsure_ = held->bytes_unsure;
    are_lists_ = held->are_lists;
    return held->has_an_end;
  }

  // Whether it has no end, or as good as none.
  Result<bool> is_sure(const Grown& grown, bool is_sparse, Micros apart, bool is_by_chance) {
    const auto ends = full_size(grown, apart, true);
    if (!ends) return fail(ends.error());
    if (*ends || answer_.found) return false;
    if (grown.messages < messages_sure && !is_sparse && may_forget(trigger_)) return false;
    if (bytes_unsure_ <= grown.bytes) return true;
    return passes(grown, bytes_unsure_, apart, is_by_chance);
  }

  // Feeds it on until its state has so many bytes, as far as that is cheap. Whether it gets there
  // and goes on.
  Result<bool> passes(const Grown& grown, std::size_t bytes, Micros apart, bool is_by_chance) {
    constexpr std::size_t parts = 8;
    const std::size_t more = bytes - grown.bytes;
    // A tenth further.
    const std::size_t messages = more * 11 / 10 * grown.messages / grown.bytes + parts;
    const std::size_t ticks = apart >= Micros{1s}
                                  ? messages
                                  : messages * static_cast<std::size_t>(apart.count()) / 1'000'000;
    const auto unsure = [&] {
      if (are_lists_) return true;
      answer_.unsure = ReportedFailure{
          fmt::format("{} grows as far as the hunt went, to {} bytes, and whether a number of the "
                      "script is its end the hunt left out: say that by a smaller number in a test",
                      words_of(grown.shown), grown.bytes),
          {},
          {trigger_.path, 0},
          {{"found", "left out"}}};
      return false;
    };
    if (ticks * (bytes + grown.bytes) / 2 > chase_bytes_max || messages > chase_messages_max ||
        runs_.is_over())
      return unsure();
    const Look how{messages / parts + 1, parts, apart, {}, 0, SIZE_MAX, is_by_chance};
    const auto made = make_sparse_stream(few_, times_of(how, Dice(seed_ + 1)), grown.end.time,
                                         how.part, own_values_from(grown.messages));
    if (!made) return unsure();
    RunOptions options;
    options.memory = grown.end;
    options.states_after_batches = true;
    const Result<Outcome> outcome = runs_.run(made->stream, options);
    if (!outcome) return fail(outcome.error());
    if (outcome->load_error || outcome->killed) return unsure();
    for (const hastur::Seen& each : outcome->seen) {
      if (each.error && is_over_its_limit(*each.error)) return true;
    }
    if (outcome->cut || outcome->states.size() < parts) return unsure();
    std::size_t last = grown.bytes;
    for (const std::string& state : outcome->states) {
      if (state.size() <= last) {
        has_an_end_.insert(grown.path);
        return false;
      }
      last = state.size();
    }
    return last >= bytes ? Result<bool>(true) : Result<bool>(unsure());
  }

  // `how` a look sees it.
  Result<void> tell(const StatePath& path, const Grown& grown, const Look& how) {
    Growth growth;
    growth.finding.sentence =
        fmt::format("{} grows without end: after {} {} it has {} bytes, and goes on: {}",
                    words_of(path), grown.messages,
                    few_.front().fields.empty() ? "ticks"
                    : has_own_values_ ? "messages of the same few senders, each with another value,"
                                      : "messages of the same few senders",
                    grown.bytes, has_own_values_ ? remedy_of_values() : remedy(path));
    growth.finding.caused_at = {trigger_.path, 0};
    growth.finding.details = {{"found", "growth"}, {"path", words_of(path)}};
    growth.title = fmt::format("{} does not grow without end", words_of(path));
    const auto wrote = find_write(path, how);
    if (!wrote) return fail(wrote.error());
    // One message over and over is the smallest case, if it is enough.
    std::vector<std::vector<MessageSpec>> smallest;
    if (*wrote) {
      growth.finding.caused_at = (*wrote)->at;
      smallest.push_back({few_[(*wrote)->message]});
    }
    smallest.push_back(few_);
    for (const std::vector<MessageSpec>& few : smallest) {
      if (growth.test) break;
      auto test = smallest_case(few, {grown.bytes, grown.messages, has_own_values_}, how.apart);
      if (!test) return fail(test.error());
      growth.test = std::move(*test);
    }
    for (const std::vector<MessageSpec>& few : smallest) {
      if (growth.test || has_own_values_) break;
      auto test = growing_case_by_days(runs_, few);
      if (!test) return fail(test.error());
      growth.test = std::move(*test);
    }
    answer_.found = std::move(growth);
    return {};
  }

  // Of `few` the half that still grows, as long as there is one.
  Result<std::optional<TestCase>> smallest_case(std::vector<MessageSpec> few, const CameTo& look,
                                                Micros apart) {
    auto smallest = growing_case(runs_, few, look, apart);
    while (smallest && *smallest && few.size() > 1) {
      const auto middle = few.begin() + static_cast<std::ptrdiff_t>(few.size() / 2);
      std::vector<std::vector<MessageSpec>> halves{{few.begin(), middle}, {middle, few.end()}};
      bool is_smaller = false;
      for (std::vector<MessageSpec>& half : halves) {
        auto test = growing_case(runs_, half, look, apart);
        if (!test) return test;
        is_smaller = test->has_value();
        if (!is_smaller) continue;
        smallest = std::move(test);
        few = std::move(half);
        break;
      }
      if (!is_smaller) break;
    }
    return smallest;
  }

  static std::string remedy_of_values() {
    return "a value is hardly ever the same again: make keys of what comes again, as "
           "math.floor(value / 10) is, or forget them";
  }

  static std::string remedy(const StatePath& path) {
    if (!is_of_helper(path)) {
      return "forget what is no longer needed, keep sums instead of lists, or let ctx:window or "
             "ctx:keyed forget";
    }
    const std::string kind = helper_kind(path);
    if (kind == "window")
      return "its keys stay until they are dropped: give it keys that come again, not times, or "
             "call its drop(k)";
    if (kind == "alert")
      return "its keys stay open until they are cleared: give it keys that come again, not times, "
             "clear them, or let them go with stale = …";
    return "keep sums instead of lists in the values of its keys, and give it keys that come again";
  }

  // The call that wrote at `path`, in a short look; nothing if none did.
  struct Wrote {
    FilePlace at;
    // At which of the few messages.
    std::size_t message = 0;
  };

  // `how`: as in a look that saw it grow, so that what lets it grow by the calendar comes, too.
  Result<std::optional<Wrote>> find_write(const StatePath& path, const Look& how) {
    using Answer = std::optional<Wrote>;
    Answer nearly;
    // In the first two of so many parts each of the few has been there. What grows only now and
    // then takes more.
    for (const std::size_t count : {12u, 120u}) {
      Look closer = how;
      closer.part = count;
      closer.parts = write_parts;
      const std::vector<Micros> times = times_of(closer, Dice(seed_));
      const auto made =
          make_sparse_stream(few_, times, time_from_us(test_start_us), count, own_values_from(0));
      if (!made) return nearly;
      RunOptions options;
      options.observe = ObserveCommand::What::calls;
      const Result<Outcome> looked = runs_.run(made->stream, options);
      if (!looked) return fail(looked.error());
      const std::vector<ObservedCall> calls = observed_calls(looked->observed, made->names);
      const auto answer = [&](const ObservedCall& call, FilePlace place) {
        const std::uint64_t message = made->stream.row_messages[call.input.value - 1];
        return Wrote{std::move(place),
                     static_cast<std::size_t>(message > 0 ? message - 1 : 0) % few_.size()};
      };
      const auto place_in = [&](const ObservedCall& call) {
        return is_of_helper(path)
                   ? place_that_told(trigger_, call, helper_name(path))
                   : place_that_wrote(trigger_, call, words_of(path), hastur::Wrote::more);
      };
      if (const ObservedCall* call = call_that_added(calls, path))
        return Answer(answer(*call, place_in(*call)));
      for (const ObservedCall& call : calls | std::views::reverse) {
        if (auto place = place_that_grew(call, path))
          return Answer(answer(call, std::move(*place)));
      }
      const ObservedCall* call = call_that_wrote(calls, path);
      if (call != nullptr && !nearly) nearly = answer(*call, place_in(*call));
    }
    return nearly;
  }

  // The last that put something under a new key of the table at `path` that stays there through a
  // quarter of all calls: what comes and goes does not let it grow. Null if none did.
  static const ObservedCall* call_that_added(const std::vector<ObservedCall>& calls,
                                             const StatePath& path) {
    const auto table_in = [&](const Json& state) -> const Json* {
      const Json* part = part_at(state, path);
      return part != nullptr && part->is_object() ? part : nullptr;
    };
    const std::size_t late = calls.size() - calls.size() / write_parts;
    const auto stays = [&](const std::string& key, std::size_t from) {
      return std::all_of(calls.begin() + static_cast<std::ptrdiff_t>(from), calls.end(),
                         [&](const ObservedCall& call) {
                           const Json* before = table_in(call.before);
                           const Json* after = table_in(call.after);
                           return (before == nullptr || before->contains(key)) &&
                                  (after == nullptr || after->contains(key));
                         });
    };
    // By the end of the first half all that there is of each sender is there.
    for (std::size_t i = late; i-- > calls.size() / 2;) {
      const Json* before = table_in(calls[i].before);
      const Json* after = table_in(calls[i].after);
      if (before == nullptr || after == nullptr) continue;
      for (const auto& [key, unused] : after->items()) {
        if (!before->contains(key) && stays(key, i + 1)) return &calls[i];
      }
    }
    return nullptr;
  }

  // If a list or text at `path` or below grew in the call, the line that let it.
  std::optional<FilePlace> place_that_grew(const ObservedCall& call, const StatePath& path) const {
    if (!call.before.is_object() || !call.after.is_object()) return std::nullopt;
    for (const GrowingPart& part : growing_parts(call.before, call.after)) {
      if (part.kind == GrowingPart::Kind::table ||
          std::ranges::mismatch(path, part.path).in1 != path.end())
        continue;
      if (!is_of_helper(path))
        return place_that_wrote(trigger_, call, words_of(part.path), hastur::Wrote::more);
      // The keys of helpers are theirs; below them are those of the script.
      const bool is_named = std::ranges::any_of(call.steps, [&](const CallStep& step) {
        return find_word(source_line(trigger_, step.script, step.line), part.path.back()) !=
               std::string_view::npos;
      });
      if (is_named)
        return place_that_wrote(trigger_, call, words_of(StatePath{part.path.back()}),
                                hastur::Wrote::more);
    }
    return std::nullopt;
  }

  HuntRuns& runs_;
  const TriggerFiles& trigger_;
  const std::vector<double>& numbers_;
  const IsMeant& is_meant_;
  const std::uint64_t seed_;
  const std::vector<MessageSpec> few_;
  const Micros far_;
  // Each message has a value of its own.
  bool has_own_values_ = false;
  // What was seen to grow no more.
  std::set<StatePath> has_an_end_;
  // Of the last look at full size.
  std::size_t bytes_unsure_ = 0;
  bool are_lists_ = false;
  GrowthAnswer& answer_;
};

}  // namespace

Result<GrowthAnswer> find_growth(HuntRuns& runs, const TriggerFiles& trigger,
                                 const CaseMaker& cases, const ScriptWords& words,
                                 const IsMeant& is_meant, std::uint64_t seed) {
  GrowthAnswer answer;
  const Micros far = std::max(cases.longest_span().value_or(sparse_apart), sparse_apart);
  const std::vector<MessageSpec> few = cases.few(Dice(seed));
  GrowthHunt all(runs, trigger, few, far, words.numbers, is_meant, seed, answer);
  HASTUR_TRY(all.find());
  if (answer.found || !answer.suspicious.empty()) return answer;
  {
    const HuntRuns::Budget budget(runs, renewed_steps_max);
    HASTUR_TRY(
        GrowthHunt(runs, trigger, of_one_sender(few), far, words.numbers, is_meant, seed, answer)
            .find_renewed(words.spans));
  }
  const HuntRuns::Budget budget(runs, own_values_steps_max);
  std::vector<MessageSpec> free = few;
  std::erase_if(free, [&](const MessageSpec& spec) {
    return may_have_own_value(spec.fields) && !cases.has_free_value(spec);
  });
  if (free.size() == few.size()) {
    HASTUR_TRY(all.find_by_values());
  } else {
    HASTUR_TRY(GrowthHunt(runs, trigger, free, far, words.numbers, is_meant, seed, answer)
                   .find_by_values());
  }
  return answer;
}

}  // namespace hastur
