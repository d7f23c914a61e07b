#include "trigger-test/hunt_cases.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

// A second is a tick, and each tick is an input: longer waits are not waited for.
constexpr Micros gap_max = 40min;
// The same if each input is fed alone.
constexpr Micros own_gap_max = 2min;
// But once in a case.
constexpr Micros silence_max = 2h;
constexpr std::size_t interruptions_max = 12;
constexpr std::size_t uuid_letters = 36;
// None of those that MessageMaker knows: nothing that came of theirs is mixed with its own.
constexpr const char* steady_sender = "u13";

// As another sender sends it, with its hostname. A whole uuid is a filter's own, and stays.
void send_from(Json& fields, const std::string& sender) {
  const Json usual = fields.value("uuid", Json(""));
  if (!usual.is_string() || usual.get_ref<const std::string&>().size() >= uuid_letters) return;
  fields["uuid"] = sender;
  if (fields.value("hostname", Json()) == usual.get<std::string>() + ".example.com")
    fields["hostname"] = sender + ".example.com";
}

}  // namespace

std::optional<MessageSpec> CaseMaker::message(MessageMaker::Kind kind, Micros at,
                                              Dice& dice) const {
  std::vector<std::size_t> choices;
  for (std::size_t i = 0; i < messages_.subscriptions(); ++i) {
    if (kind == MessageMaker::Kind::odd || messages_.has_real(i)) choices.push_back(i);
  }
  if (choices.empty()) return std::nullopt;
  auto fields = messages_.make(dice.one_of(choices), kind, dice);
  if (!fields) return std::nullopt;
  MessageSpec spec;
  spec.fields = std::move(*fields);
  spec.at = at;
  return spec;
}

Micros CaseMaker::gap(Dice& dice) const {
  std::vector<Micros> spans;
  for (const Micros span : words_.spans) {
    if (span <= (messages_.takes_own() ? own_gap_max : gap_max)) spans.push_back(span);
  }
  if (spans.empty()) return 30s;
  static const std::vector<Micros> beside{0s, 1s, -1s, 500ms};
  return std::max<Micros>(dice.one_of(spans) + dice.one_of(beside), 0s);
}

// A little before what the script waits for by the calendar.
Time CaseMaker::start(Dice& dice) const {
  const Time usual = time_from_us(test_start_us);
  if (!words_.times_of_day.empty()) return usual + dice.one_of(words_.times_of_day) - 2min;
  const bool hours =
      std::ranges::any_of(words_.spans, [](Micros span) { return span >= std::chrono::hours{1}; });
  return hours ? usual - 2min : usual;
}

TestCase CaseMaker::flow(MessageMaker::Kind kind, Dice dice) const {
  TestCase test;
  test.start = start(dice);
  Micros at = 1s;
  const auto add = [&](Micros when) {
    if (auto made = message(kind, when, dice)) test.messages.push_back(std::move(*made));
  };
  static const std::vector<Micros> pauses{0s, 200ms, 1s, 1s, 5s, 10s, 30s};
  const auto steady = [&](int count) {
    for (int i = 0; i < count; ++i) add(at += dice.one_of(pauses));
  };
  // One more sender says the same number again and again, whose sums are not exact.
  const auto same = [&](int count) {
    const auto first = message(kind, at, dice);
    if (!first) return;
    Json fields = first->fields;
    if (!messages_.make_inexact(fields, dice)) return steady(count);
    send_from(fields, steady_sender);
    for (int i = 0; i < count; ++i) {
      MessageSpec spec;
      spec.fields = fields;
      spec.at = at += dice.one_of(pauses);
      test.messages.push_back(std::move(spec));
    }
  };
  // Nothing has come yet when the first ticks do.
  if (dice.once_in(2)) at += std::min<Micros>(gap(dice), 2min);
  const bool begins_the_same = dice.once_in(2);
  if (!begins_the_same) steady(8);
  same(12);
  if (begins_the_same) steady(8);
  for (int i = 0; i < 24; ++i) {
    if (dice.once_in(6)) at += 100ms;
    add(at);
  }
  at += gap(dice);
  steady(8);
  if (test.messages.empty()) {
    // It lives by ticks alone.
    test.ends = 2min + gap(dice);
    return test;
  }
  // The network brings some twice and some late.
  for (int i = 0; i < 6; ++i) {
    MessageSpec again = test.messages[dice.below(test.messages.size())];
    if (!again.timestamp) again.timestamp = again.at;
    at += 300ms;
    if (dice.once_in(2)) again.at = at;
    test.messages.push_back(std::move(again));
  }
  for (int i = 0; i < 4; ++i) {
    at += 1s;
    add(at);
    if (!test.messages.empty() && test.messages.back().at == at)
      test.messages.back().timestamp = std::max<Micros>(at - gap(dice) - 90s, 0s);
  }
  // What waited an hour for its way.
  add(at += 1s);
  if (!test.messages.empty() && test.messages.back().at == at)
    test.messages.back().timestamp = at - 1h;
  // What was sent by a clock that is wrong.
  for (const Micros ahead : {Micros{1h}, Micros{std::chrono::days{365}}}) {
    add(at += 1s);
    if (!test.messages.empty() && test.messages.back().at == at)
      test.messages.back().timestamp = at + ahead;
  }
  at += gap(dice);
  steady(8);
  test.ends = at + gap(dice) + 2s;
  return test;
}

// Each of the spans that the script waits for, if there are not too many, and some of them twice:
// what goes wrong at the second time.
std::vector<Micros> CaseMaker::interruptions(Dice& dice) const {
  std::vector<Micros> spans = words_.spans;
  // An outage takes as long as it takes.
  for (const Micros span : {Micros{1min}, Micros{1h}, Micros{8h}}) spans.push_back(span);
  std::ranges::sort(spans);
  spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
  while (spans.size() > interruptions_max)
    spans.erase(spans.begin() + static_cast<std::ptrdiff_t>(dice.below(spans.size() - 1)));
  const std::vector<Micros> once = spans;
  while (spans.size() < interruptions_max) spans.push_back(dice.one_of(once));
  for (std::size_t i = spans.size(); i > 1; --i) std::swap(spans[i - 1], spans[dice.below(i)]);
  return spans;
}

TestCase CaseMaker::interrupted(Dice dice) const {
  TestCase test;
  test.start = start(dice);
  Micros at = 1s;
  static const std::vector<Micros> pauses{0s, 200ms, 1s, 1s, 5s, 10s};
  static const std::vector<Micros> beside{0s, 1s, -1s, 2s};
  const auto messages_come = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      at += dice.one_of(pauses);
      if (auto made = message(MessageMaker::Kind::real, at, dice))
        test.messages.push_back(std::move(*made));
    }
  };
  bool may_be_silent = !messages_.takes_own();
  messages_come(3);
  std::size_t silent = 0;
  for (const Micros span : interruptions(dice)) {
    const Micros length = std::max<Micros>(
        (dice.once_in(3) ? 2 * span : span) + dice.one_of(beside), std::chrono::seconds{2});
    at += length;
    MessageSpec tick;
    tick.fields = {{"type", "tick"}};
    const Micros since_second = (test.start + at) - whole_second(test.start + at);
    tick.at = at - std::min(since_second, at);
    if (may_be_silent && length <= silence_max && dice.once_in(2)) {
      may_be_silent = length <= gap_max / 10;
    } else if (dice.once_in(2)) {
      tick.deaf = std::min(length, tick.at);
      test.messages.push_back(std::move(tick));
    } else {
      tick.lost = std::min(length, tick.at);
      test.messages.push_back(std::move(tick));
    }
    // Nobody may be there any more, also for more than one of them.
    if (silent > 0) {
      --silent;
    } else if (dice.once_in(6)) {
      silent = 2;
    } else {
      messages_come(dice.below(5));
    }
  }
  test.ends = at + 2s;
  return test;
}

TestCase CaseMaker::ties(Dice dice) const {
  TestCase test;
  test.start = start(dice);
  Micros at = 1s;
  for (int group = 0; group < 12; ++group) {
    at += dice.once_in(3) ? gap(dice) : 1s;
    const std::size_t subscription = dice.below(messages_.subscriptions());
    if (!messages_.has_real(subscription)) continue;
    for (int i = 0; i < 5; ++i) {
      MessageSpec spec;
      auto fields = messages_.make(subscription, MessageMaker::Kind::real, dice);
      if (!fields) continue;
      spec.fields = std::move(*fields);
      spec.at = at;
      test.messages.push_back(std::move(spec));
    }
  }
  test.ends = at + gap(dice) + 2s;
  return test;
}

std::vector<MessageSpec> CaseMaker::few(Dice dice) const {
  std::vector<MessageSpec> few;
  for (int i = 0; i < 24; ++i) {
    if (auto made = message(MessageMaker::Kind::real, Micros{0}, dice))
      few.push_back(std::move(*made));
  }
  if (few.empty()) few.emplace_back();
  return few;
}

TestCase CaseMaker::of_many_senders(Dice dice, std::size_t senders) const {
  TestCase test;
  test.start = start(dice);
  const std::vector<MessageSpec> few = this->few(dice);
  if (few.front().fields.empty()) return test;
  Micros at = 1s;
  for (std::size_t i = 0; i < senders; ++i) {
    MessageSpec spec = few[i % few.size()];
    spec.at = at += 5ms;
    send_from(spec.fields, fmt::format("s{}", i));
    test.messages.push_back(std::move(spec));
  }
  at = 70s;
  for (const Micros lost : {Micros{1h}, Micros{std::chrono::days{1}}}) {
    MessageSpec tick;
    tick.fields = {{"type", "tick"}};
    tick.at = at += lost;
    tick.lost = lost;
    test.messages.push_back(std::move(tick));
  }
  test.ends = at + 2s;
  return test;
}

std::optional<Micros> CaseMaker::longest_span() const {
  std::optional<Micros> longest;
  for (const Micros span : words_.spans) {
    if (span <= std::chrono::weeks{1}) longest = span;
  }
  return longest;
}

TestCase begin_of(TestCase test, std::uint64_t messages, Micros end) {
  std::erase_if(test.messages, [&](const MessageSpec& spec) {
    if (spec.is_tick()) return spec.at > end;
    if (messages == 0) return true;
    --messages;
    return false;
  });
  return test;
}

TestCase resolved(const TestCase& test, const TestStream& stream) {
  TestCase single;
  single.name = test.name;
  single.start = test.start;
  single.ends = stream.end;
  for (const MessageSpec& spec : test.messages) {
    if (spec.is_tick()) single.messages.push_back(spec);
  }
  for (const std::string& text : stream.messages) {
    Result<Json> message = parse_json(stream.names.read(text));
    if (!message || message->value("type", "") == "tick") continue;
    MessageSpec spec;
    const auto since_start = [&](const char* key) {
      return Micros{message->value(key, to_us(test.start))} - test.start.time_since_epoch();
    };
    spec.at = since_start("received_at");
    const Micros sent = since_start("timestamp");
    if (sent != spec.at) spec.timestamp = sent;
    for (const char* key : {"received_at", "timestamp", "seq", "origin"}) message->erase(key);
    spec.fields = std::move(*message);
    single.messages.push_back(std::move(spec));
  }
  std::ranges::stable_sort(single.messages, {}, &MessageSpec::at);
  return single;
}

}  // namespace hastur
