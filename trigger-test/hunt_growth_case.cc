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

TestCase leading_to(const std::vector<MessageSpec>& few, std::size_t messages, Micros at,
                    Micros apart) {
  TestCase test;
  for (std::size_t i = 0; i < messages; ++i) {
    const MessageSpec& one = few[i % few.size()];
    test.ends += i + 1 == messages ? std::min<Micros>(apart, 2h) : Micros{1s};
    if (one.fields.empty()) continue;
    test.messages.push_back(one);
    test.messages.back().at = test.ends;
  }
  if (at > test.ends) test.start = whole_second(test.start + at - test.ends);
  test.ends += 1s;
  return test;
}

Result<std::optional<TestCase>> growing_case(HuntRuns& runs, const std::vector<MessageSpec>& few,
                                             const CameTo& look, Micros apart) {
  using Answer = std::optional<TestCase>;
  const std::size_t of_size = bytes_enough * look.messages / std::max<std::size_t>(look.bytes, 1);
  const std::size_t count = std::min(std::clamp(of_size, messages_min, messages_max),
                                     static_cast<std::size_t>(span_max / apart));
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

}  // namespace hastur
