#include "message/recording_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

namespace hastur {

Result<std::unique_ptr<RecordingFile>> RecordingFile::open(const std::string& path) {
  if (path == "-") {
    std::ios::sync_with_stdio(false);
    std::unique_ptr<RecordingFile> file(new RecordingFile("standard input"));
    file->is_stdin_ = true;
    return file;
  }
  std::unique_ptr<RecordingFile> file(new RecordingFile(path));
  std::error_code error;
  if (std::filesystem::is_directory(path, error))
    return fail(ErrorCode::not_found, fmt::format("cannot read {}: it is a folder", path));
  errno = 0;
  file->file_.open(path, std::ios::binary);
  if (!file->file_) {
    return fail(ErrorCode::not_found,
                fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (!error) file->bytes_ = bytes;
  return file;
}

std::istream& RecordingFile::stream() { return is_stdin_ ? std::cin : file_; }

std::uint64_t RecordingFile::bytes_read() {
  if (bytes_ == 0) return 0;
  if (file_.eof()) return bytes_;
  const std::streamoff at = file_.tellg();
  return at < 0 ? bytes_ : std::min(bytes_, static_cast<std::uint64_t>(at));
}

std::string refused_text(const RecordingReader& reader) {
  if (reader.refused() == 0) return {};
  return fmt::format(
      "{} of {} messages cannot be decoded, and came in as error messages, as they would in "
      "production; the first is {}",
      reader.refused(), reader.messages(), reader.first_refused());
}

}  // namespace hastur
