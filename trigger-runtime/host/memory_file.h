#pragma once

// Memory with a descriptor, to be shared with a worker. Its size is sealed, so that nobody can make
// a mapped page vanish under a reader.

#include <cstddef>
#include <span>
#include <string>

#include "core/fd.h"
#include "core/result.h"

namespace hastur {

// A mapping with one owner.
class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  friend class MemoryFile;
  Mapping(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

class MemoryFile {
 public:
  enum class Access { read, write };

  // So many bytes of zeros; memory is used as pages are written. `name` is for people who look into
  // /proc.
  static Result<MemoryFile> make(const char* name, std::size_t bytes);

  // The whole file, shared.
  Result<Mapping> map(Access access) const;
  // Refuses every new way to write it; a writable mapping that exists stays.
  Result<void> seal_against_writing();
  // Gives whole pages of the range back to the system; they read as zeros then.
  void discard(std::size_t offset, std::size_t bytes) const;

  int fd() const { return fd_.get(); }
  std::size_t size() const { return size_; }

 private:
  MemoryFile(Fd fd, std::size_t size) : fd_(std::move(fd)), size_(size) {}
  Fd fd_;
  std::size_t size_;
};

}  // namespace hastur
