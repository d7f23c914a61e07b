#include "trigger-test/hunt_growth_case.h"

#include <algorithm>
#include <array>

namespace hastur {
namespace {

using namespace std::chrono_literals;

// Each second is a tick, at which the state is written out.
constexpr Micros span_max = std::chrono::days{2};
constexpr std::size_t bytes_enough = 64 << 10;
constexpr std::size_t bytes_grown_min = 8;
constexpr std::size_t messages_min = 8;
constexpr std::size_t messages_max = 1'000;
// The values of each are written out.
constexpr std::size_t own_values_max = 16;

// `few`, so often that they come to `count`.
TestCase repeated(const std::vector<MessageSpec>& few, std::size_t count, Micros apart,
                  bool has_own_values) {
  TestCase test;
  Micros at{0};
  for (const MessageSpec& each : few) {
    if (each.fields.empty()) continue;
    MessageSpec spec = each;
    spec.at = at += apart;
    spec.every = apart * static_cast<std::int64_t>(few.size());
    spec.times = std::max<std::uint64_t>(count / few.size(), 1);
    if (has_own_values && may_have_own_value(spec.fields)) {
      const auto given = spec.fields["value"].get<double>();
      spec.fields.erase("value");
      for (std::size_t i = 0; i < spec.times; ++i)
        spec.values.emplace_back(given + static_cast<double>(i + 1) / 100);
    }
    test.messages.push_back(std::move(spec));
  }
  if (test.messages.empty()) test.ends = apart * static_cast<std::int64_t>(count);
  return test;
}

// With a span before each in which the trigger did not run: by then all that it does at a time of
// the day has come. Few are enough.
constexpr Micros span_of_days = std::chrono::hours{25};
constexpr std::array<std::size_t, 2> days_of_case{8, 32};

Expectation at_most(std::size_t bytes) {
  Expectation expectation;
  expectation.kind = Expectation::Kind::state;
  expectation.state_bytes_max = bytes;
  return expectation;
}

// What the state comes to; nothing if no stream can be made of it, or it is ended early.
Result<std::optional<std::size_t>> bytes_after(HuntRuns& runs, TestCase test) {
  using Answer = std::optional<std::size_t>;
  const auto prepared = runs.prepare(std::move(test), 0);
  if (!prepared) return Answer();
  const Result<Outcome> outcome = runs.run(*prepared, Way::straight);
  if (!outcome) return fail(outcome.error());
  return outcome->cut ? Answer() : Answer(outcome->state.size());
}

}  // namespace

TestCase leading_to(const std::vector<MessageSpec>& few, const std::vector<Micros>& times,
                    std::size_t count) {
  TestCase test;
  const std::size_t first = times.size() - std::min(count, times.size());
  if (first == times.size()) return test;
  const auto second_of = [&](Micros at) {
    return whole_second(time_from_us(test_start_us) + at) - time_from_us(test_start_us);
  };
  const Micros begin = first == 0 ? Micros{0} : second_of(times[first]) - 1s;
  test.start += begin;
  Micros last_tick{0};
  for (std::size_t i = first; i < times.size(); ++i) {
    const Micros at = times[i] - begin;
    const Micros second = second_of(times[i]) - begin;
    if (second > last_tick + 1s) {
      MessageSpec tick;
      tick.fields = {{"type", "tick"}};
      tick.at = second;
      tick.lost = second - last_tick - 1s;
      test.messages.push_back(std::move(tick));
    }
    last_tick = std::max(second, last_tick);
    const MessageSpec& one = few[i % few.size()];
    if (one.fields.empty()) continue;
    test.messages.push_back(one);
    test.messages.back().at = at;
  }
  test.ends = last_tick + 1s;
  return test;
}

Result<std::optional<TestCase>> growing_case(HuntRuns& runs, const std::vector<MessageSpec>& few,
                                             const CameTo& look, Micros apart) {
  using Answer = std::optional<TestCase>;
  const std::size_t of_size = bytes_enough * look.messages / std::max<std::size_t>(look.bytes, 1);
  const std::size_t most = look.has_own_values ? few.size() * own_values_max : messages_max;
  std::size_t count = std::min(std::clamp(of_size, messages_min, std::max(most, messages_min)),
                               static_cast<std::size_t>(span_max / apart));
  std::array<std::size_t, 2> bytes{};
  for (std::size_t half = 0; half < bytes.size();) {
    if (count < 4) return Answer();
    const auto prepared =
        runs.prepare(repeated(few, count / (2 - half), apart, look.has_own_values), 0);
    if (!prepared) return Answer();
    const Result<Outcome> outcome = runs.run(*prepared, Way::straight);
    if (!outcome) return fail(outcome.error());
    bytes[half] = outcome->state.size();
    // The look had messages among these that add less.
    if (outcome->cut) count /= 2;
    half = outcome->cut ? 0 : half + 1;
  }
  if (bytes[1] < bytes[0] + bytes_grown_min) return Answer();
  TestCase test = repeated(few, count, apart, look.has_own_values);
  test.expect.push_back(at_most(bytes[0]));
  return Answer(std::move(test));
}

Result<std::optional<TestCase>> growing_case_by_days(HuntRuns& runs,
                                                     const std::vector<MessageSpec>& few) {
  using Answer = std::optional<TestCase>;
  for (const std::size_t count : days_of_case) {
    std::vector<Micros> times;
    while (times.size() < count)
      times.push_back(span_of_days * static_cast<std::int64_t>(times.size() + 1));
    TestCase test = leading_to(few, times, count);
    times.resize(count / 2);
    const auto half = bytes_after(runs, leading_to(few, times, count / 2));
    if (!half) return fail(half.error());
    const auto whole = bytes_after(runs, test);
    if (!whole) return fail(whole.error());
    if (!*half || !*whole || **whole < **half + bytes_grown_min) continue;
    test.expect.push_back(at_most(**half));
    return Answer(std::move(test));
  }
  return Answer();
}

}  // namespace hastur
