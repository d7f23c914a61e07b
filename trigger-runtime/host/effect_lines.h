#pragma once

// How effects and errors of a run are written, one a line.

#include <cstdint>
#include <string>

#include "trigger-runtime/protocol/commands.h"

namespace hastur {

// Appends lines to a string. `seq` is the number of the message among the messages of the
// recording.
class EffectLines {
 public:
  struct Totals {
    // Canonical JSON of the state.
    std::string state;
    std::uint64_t messages = 0;
    std::uint64_t matched = 0;
    std::uint64_t errors = 0;
  };

  virtual ~EffectLines() = default;
  virtual void effect(std::string& out, std::uint64_t seq, const Effect& effect) const = 0;
  virtual void error(std::string& out, std::uint64_t seq, Time time,
                     const ScriptError& error) const = 0;
  virtual void end(std::string& out, const Totals& totals) const = 0;
};

// One JSON object a line, as DESIGN §11 lays them down.
class JsonLines final : public EffectLines {
 public:
  void effect(std::string& out, std::uint64_t seq, const Effect& effect) const override;
  void error(std::string& out, std::uint64_t seq, Time time,
             const ScriptError& error) const override;
  void end(std::string& out, const Totals& totals) const override;
};

// For people, printable.
class TextLines final : public EffectLines {
 public:
  void effect(std::string& out, std::uint64_t seq, const Effect& effect) const override;
  void error(std::string& out, std::uint64_t seq, Time time,
             const ScriptError& error) const override;
  void end(std::string& out, const Totals& totals) const override;
};

}  // namespace hastur
