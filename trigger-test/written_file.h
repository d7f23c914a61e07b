#pragma once

// A file that is written whole or not at all.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace hastur {

enum class Existing : std::uint8_t { stays, goes };

// Writes the text, with what stands at the path before it replaced only when all is on its way to
// the disk. With Existing::stays it fails with `conflict` if there is anything. Folders on the way
// are made. Nothing of a failure is left.
Result<void> write_whole_file(const std::string& path, std::string_view text, Existing existing);

}  // namespace hastur
