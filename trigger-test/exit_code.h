#pragma once

// What trigger-test ends with (DESIGN §11), and how it says why.

#include <optional>
#include <string>

#include "core/result.h"

namespace hastur {

enum class ExitCode : int { good = 0, trigger_failed = 1, usage = 2, internal = 3 };

// Writes the sentence to standard error.
ExitCode stop(ExitCode code, const std::string& sentence);
// `failed` is the trigger's fault, anything else ours or the machine's.
ExitCode stop(const Error& error);
// Of a command that prints json or text: nothing if `format` is one of these; else it has said so.
std::optional<ExitCode> refuse_format(const std::string& format);
// Writes it there too, unless it is empty, and goes on.
void tell(const std::string& sentence);

}  // namespace hastur
