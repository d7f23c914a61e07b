#include "trigger-runtime/host/memory_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

// Since Linux 5.1; glibc's headers have it only with _GNU_SOURCE and a new kernel's.
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace hastur {
namespace {

Failure cannot(const char* what) {
  return fail(ErrorCode::failed,
              fmt::format("cannot {} of memory shared with workers: {}", what, strerror(errno)));
}

}  // namespace

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) munmap(data_, size_);
}

Result<MemoryFile> MemoryFile::make(const char* name, std::size_t bytes) {
  Fd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.is_open()) return cannot("make a file");
  if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return cannot("set the size");
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
    return cannot("seal the size");
  return MemoryFile(std::move(fd), bytes);
}

Result<Mapping> MemoryFile::map(Access access) const {
  const int protection = access == Access::write ? PROT_READ | PROT_WRITE : PROT_READ;
  void* data = mmap(nullptr, size_, protection, MAP_SHARED, fd_.get(), 0);
  if (data == MAP_FAILED) return cannot("map a file");
  return Mapping(static_cast<std::byte*>(data), size_);
}

Result<void> MemoryFile::seal_against_writing() {
  if (fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) {
    return cannot("seal the contents");
  }
  return {};
}

void MemoryFile::discard(std::size_t offset, std::size_t bytes) const {
  // Failing costs memory, nothing else.
  static_cast<void>(fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                              static_cast<off_t>(offset), static_cast<off_t>(bytes)));
}

}  // namespace hastur
