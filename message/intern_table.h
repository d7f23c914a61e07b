#pragma once

// Gives each distinct run of bytes a number, dense from 0 in order of first sight: the dictionaries
// of a batch.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"

namespace hastur {

// Open addressing with linear probing, at most half full. Reused from batch to batch: clear() costs
// nothing in the size of the table, because a slot counts only if it bears the current generation.
class InternTable {
 public:
  static constexpr std::uint32_t slots_min = 256;

  InternTable() : slots_(slots_min) {}

  std::uint32_t count() const { return static_cast<std::uint32_t>(ends_.size()); }
  // Where each entry ends in bytes(); it begins where the one before ends.
  const std::vector<std::uint32_t>& ends() const { return ends_; }
  const std::string& bytes() const { return bytes_; }

  std::string_view operator[](std::uint32_t id) const {
    const std::uint32_t begin = id == 0 ? 0 : ends_[id - 1];
    return {bytes_.data() + begin, ends_[id] - begin};
  }

  // The number of `text`; one that count() had before the call is new.
  std::uint32_t intern(std::string_view text) {
    const std::uint64_t hash = hash64(text);
    const std::uint32_t tag = tag_of(hash);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Slot slot = slots_[at];
      if (slot.tag == tag) {
        if ((*this)[slot.id] == text) return slot.id;
      } else if (slot.tag >> 16 != generation_) {
        return add(text, hash, at);
      }
    }
  }

  void clear() {
    ends_.clear();
    hashes_.clear();
    bytes_.clear();
    if (++generation_ > 0xFFFF) {
      generation_ = 1;
      std::fill(slots_.begin(), slots_.end(), Slot{});
    }
  }

 private:
  struct Slot {
    // Generation above, 16 bits of the hash below. 0 is never current.
    std::uint32_t tag = 0;
    std::uint32_t id = 0;
  };

  std::uint32_t tag_of(std::uint64_t hash) const {
    return generation_ << 16 | static_cast<std::uint32_t>(hash >> 48);
  }

  std::uint32_t add(std::string_view text, std::uint64_t hash, std::size_t at) {
    const std::uint32_t id = count();
    slots_[at] = {tag_of(hash), id};
    bytes_ += text;
    ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    hashes_.push_back(hash);
    if (hashes_.size() * 2 > slots_.size()) grow();
    return id;
  }

  void grow() {
    slots_.assign(slots_.size() * 4, Slot{});
    const std::size_t mask = slots_.size() - 1;
    for (std::uint32_t id = 0; id < hashes_.size(); ++id) {
      std::size_t at = hashes_[id] & mask;
      while (slots_[at].tag != 0) at = (at + 1) & mask;
      slots_[at] = {tag_of(hashes_[id]), id};
    }
  }

  std::vector<Slot> slots_;
  std::uint32_t generation_ = 1;
  std::vector<std::uint32_t> ends_;
  std::vector<std::uint64_t> hashes_;
  std::string bytes_;
};

}  // namespace hastur
