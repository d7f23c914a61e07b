#include "trigger-test/written_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "core/printable.h"

namespace hastur {
namespace {

namespace fs = std::filesystem;

Failure cannot_write(const std::string& path, const std::string& cause) {
  return fail(ErrorCode::unavailable, fmt::format("cannot write {}: {}", printable(path), cause));
}

}  // namespace

Result<void> write_whole_file(const std::string& path, std::string_view text, Existing existing) {
  std::error_code error;
  if (const fs::path folder = fs::path(path).parent_path(); !folder.empty()) {
    fs::create_directories(folder, error);
    if (error) {
      return fail(ErrorCode::unavailable, fmt::format("cannot make the folder {}: {}",
                                                      printable(folder.string()), error.message()));
    }
  }
  const std::string written = existing == Existing::goes ? path + ".new" : path;
  FILE* file = std::fopen(written.c_str(), existing == Existing::goes ? "we" : "wxe");
  if (file == nullptr) {
    if (errno == EEXIST) {
      return fail(ErrorCode::conflict,
                  fmt::format("{} exists already: nothing was written", printable(path)));
    }
    return cannot_write(path, std::strerror(errno));
  }
  int cause = 0;
  if (std::fwrite(text.data(), 1, text.size(), file) != text.size()) cause = errno;
  // What was only taken into memory is refused here.
  if (std::fclose(file) != 0 && cause == 0) cause = errno;
  if (cause == 0 && existing == Existing::goes && std::rename(written.c_str(), path.c_str()) != 0)
    cause = errno;
  if (cause == 0) return {};
  fs::remove(written, error);
  return cannot_write(path, std::strerror(cause));
}

}  // namespace hastur
