#pragma once

// The recording that a command was given to read.

#include <fstream>
#include <istream>
#include <memory>
#include <string>

#include "core/result.h"
#include "message/recording.h"

namespace hastur {

class RecordingFile {
 public:
  // "-" is standard input. Fails if the file cannot be read.
  static Result<std::unique_ptr<RecordingFile>> open(const std::string& path);

  std::istream& stream();
  // For errors: "standard input".
  const std::string& name() const { return name_; }
  // Of a file, what is left to read at its start; 0: not known.
  std::uint64_t bytes() const { return bytes_; }
  // How many of them have been read.
  std::uint64_t bytes_read();

 private:
  explicit RecordingFile(std::string name) : name_(std::move(name)) {}
  std::string name_;
  std::ifstream file_;
  bool is_stdin_ = false;
  std::uint64_t bytes_ = 0;
};

// How many messages of a recording could not be decoded so far, and which was the first: one
// sentence, empty if there was none.
std::string refused_text(const RecordingReader& reader);

}  // namespace hastur
