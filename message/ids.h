#pragma once

// The identifiers that stand in messages, frames and databases. Different ids are different types.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hastur {

// A place in the stream. The first message of a stream has sequence 1; 0 is "before everything".
struct Sequence {
  std::uint64_t value = 0;
  friend auto operator<=>(const Sequence&, const Sequence&) = default;
  Sequence next() const { return {value + 1}; }
  Sequence plus(std::uint64_t count) const { return {value + count}; }
};

// One life of a trigger: its version, counted limits, runtime build and starting state. Counts up
// from 1 per trigger name; 0 is "never ran".
struct Run {
  std::uint64_t value = 0;
  friend auto operator<=>(const Run&, const Run&) = default;
};

// Random, made with a History and never changed: two streams' sequences cannot be taken for each
// other's.
struct StreamId {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const StreamId&, const StreamId&) = default;
  // 32 lowercase hex digits.
  std::string to_string() const;
  static std::optional<StreamId> from_string(std::string_view hex);
};

// Random, made with a state store: names the supervisor that owns it.
struct OwnerId {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const OwnerId&, const OwnerId&) = default;
  std::string to_string() const;
  static std::optional<OwnerId> from_string(std::string_view hex);
};

// Counts up each time a lease of trigger names is granted; what comes with an older epoch is
// refused.
struct Epoch {
  std::uint64_t value = 0;
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

// A trigger's path in its repo without the ending: "billing/variable_load".
using TriggerName = std::string;

}  // namespace hastur

template <>
struct std::hash<hastur::Sequence> {
  std::size_t operator()(const hastur::Sequence& sequence) const noexcept { return sequence.value; }
};
