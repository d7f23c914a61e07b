#pragma once

// What a run on a recording leaves out, told on stderr: a sentence each, empty if there is nothing.

#include <cstdint>
#include <string>

#include "message/recording.h"

namespace hastur {

// Lines of a journal, which only a replay obeys, and what History had lost, of a recording that has
// been read.
std::string journal_text(const RecordingReader& reader);

// Effects over a limit (StreamCost::effects_cut).
std::string left_out_text(std::uint64_t effects_cut);

}  // namespace hastur
