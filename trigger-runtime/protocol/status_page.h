#pragma once

// What a worker is doing right now: the first page of its output memory.
//
// The worker writes it, the parent reads it to say what a killed worker was at, and to see whether
// one callback goes on for too long. A hint, never a proof: a broken worker can write anything
// here.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hastur {

struct StatusPage {
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  // Goes up whenever the worker turns to something else: a command, a callback, a judgement. The
  // guard on CPU time counts within one value of it.
  std::atomic<std::uint64_t> turn{0};
  // The sequence of the input; 0 outside of inputs.
  std::atomic<std::uint64_t> sequence{0};
  // The trigger's handle, or none.
  std::atomic<std::uint32_t> handle{none};
  // The callback's number, or none.
  std::atomic<std::uint32_t> callback{none};
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "shared between processes");

// Replies begin here in the output memory.
inline constexpr std::size_t status_page_bytes = 4096;
static_assert(sizeof(StatusPage) <= status_page_bytes);

}  // namespace hastur
