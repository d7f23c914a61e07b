#include "trigger-test/hunt_cases.h"

#include <algorithm>

#include "core/json.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

// A second is a tick, and each tick is an input: longer waits are not waited for.
constexpr Micros gap_max = 40min;

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
    if (span <= gap_max) spans.push_back(span);
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
  // Nothing has come yet when the first ticks do.
  if (dice.once_in(2)) at += std::min<Micros>(gap(dice), 2min);
  steady(20);
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
  at += gap(dice);
  steady(8);
  test.ends = at + gap(dice) + 2s;
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

std::optional<Micros> CaseMaker::longest_span() const {
  return words_.spans.empty() ? std::nullopt : std::optional(words_.spans.back());
}

TestCase resolved(const TestCase& test, const TestStream& stream) {
  TestCase single;
  single.name = test.name;
  single.start = test.start;
  single.ends = stream.end;
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
  return single;
}

}  // namespace hastur
