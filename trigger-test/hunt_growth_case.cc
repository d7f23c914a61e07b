#include "trigger-test/hunt_growth_case.h"

#include <algorithm>
#include <array>

namespace hastur {
namespace {

using namespace std::chrono_literals;

// Each second is a tick, at which the state is written out.
constexpr Micros span_max = std::chrono::days{2};
constexpr std::size_t bytes_enough = 64 << 10;
constexpr std::size_t messages_min = 8;
constexpr std::size_t messages_max = 1'000;

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
  std::size_t count = std::min(std::clamp(of_size, messages_min, messages_max),
                               static_cast<std::size_t>(span_max / apart));
  std::array<std::size_t, 2> bytes{};
  for (std::size_t half = 0; half < bytes.size();) {
    if (count < 4) return Answer();
    const auto prepared = runs.prepare(repeated(few, count / (2 - half), apart), 0);
    if (!prepared) return Answer();
    const Result<Outcome> outcome = runs.run(*prepared, Way::straight);
    if (!outcome) return fail(outcome.error());
    bytes[half] = outcome->state.size();
    // The look had messages among these that add less.
    if (outcome->cut) count /= 2;
    half = outcome->cut ? 0 : half + 1;
  }
  if (bytes[1] < bytes[0] + 8) return Answer();
  TestCase test = repeated(few, count, apart);
  Expectation expectation;
  expectation.kind = Expectation::Kind::state;
  expectation.state_bytes_max = bytes[0];
  test.expect.push_back(std::move(expectation));
  return Answer(std::move(test));
}

}  // namespace hastur
