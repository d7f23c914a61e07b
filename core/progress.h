#pragma once

// How far long work has come, for people: a bar on a terminal, a line now and then elsewhere.

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/time.h"

namespace hastur {

// "[#####---------------]  25 %, 1.2 M of 4.8 M inputs, 610 k/s, 6s left". Before there is a rate,
// without rate and estimate. `unit` is what is counted: "inputs". Without a total, which nobody
// knows: "1.2 M inputs, 610 k/s".
std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total,
                          std::string_view unit, Micros elapsed);

class Progress {
 public:
  // On `out`; the bar is drawn over itself if that is a terminal.
  Progress(std::FILE* out, bool is_terminal, std::optional<std::uint64_t> total, std::string unit)
      : out_(out), is_terminal_(is_terminal), total_(total), unit_(std::move(unit)) {}

  // To be called as often as one likes, with the time since the start.
  void show(std::uint64_t done, Micros elapsed);
  // Takes the bar away, so that something else can be printed.
  void clear();

 private:
  std::FILE* out_;
  bool is_terminal_;
  std::optional<std::uint64_t> total_;
  std::string unit_;
  std::optional<Micros> shown_at_;
  bool drawn_ = false;
};

}  // namespace hastur
