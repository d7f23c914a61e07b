#pragma once

// An allocator whose large blocks ask for huge pages: a table of a million keys, read here and
// there, otherwise misses the address cache as often as the data cache.

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace hastur {

template <class T>
struct LargeAllocator {
  using value_type = T;
  static constexpr std::size_t page = 2u << 20;

  LargeAllocator() = default;
  template <class U>
  LargeAllocator(const LargeAllocator<U>&) {}

  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (bytes < 2 * page) return static_cast<T*>(::operator new(bytes, align()));
    void* block = std::aligned_alloc(page, (bytes + page - 1) / page * page);
    if (block == nullptr) std::abort();
    // A wish: without huge pages all is as before.
    madvise(block, bytes, MADV_HUGEPAGE);
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t count) {
    if (count * sizeof(T) < 2 * page) {
      ::operator delete(block, align());
    } else {
      std::free(block);
    }
  }
  friend bool operator==(const LargeAllocator&, const LargeAllocator&) { return true; }

 private:
  static constexpr std::align_val_t align() {
    return std::align_val_t{alignof(T) > alignof(std::max_align_t) ? alignof(T)
                                                                   : alignof(std::max_align_t)};
  }
};

// Empties a list and gives its memory back, which `list = {}` does not.
template <class List>
void release(List& list) {
  List().swap(list);
}

}  // namespace hastur
