#pragma once

// Fetches, while a message is in hand, what finding the keys of those behind it will need.
//
// Finding one of a million keys is waiting for memory. Mostly a key is a field of the message, and
// the messages that follow are known: which field it is, is learnt anew in each batch. A wrong
// guess costs a few nanoseconds and changes nothing.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "message/batch.h"
#include "message/router.h"
#include "trigger-runtime/vm/helpers/helper.h"

namespace hastur {

class KeysAhead {
 public:
  // Below so many keys all of them are in the caches.
  static constexpr std::uint32_t keys_min = 16 * 1024;

  // `batch` must live until end_batch().
  void begin_batch(const BatchView& batch);
  void end_batch();

  // The first of `rest` is in hand from now on, until the next one or end_message(). Its rows are
  // in the batch.
  void begin_message(std::span<const Match> rest) {
    row_ = rest.front().row;
    if (!followed_.empty()) [[unlikely]]
      fetch(rest);
  }
  void end_message() { row_ = BatchView::none; }

  // The callback under way names this key of the helper.
  void learn(Helper& helper, std::string_view key) {
    if (helper.keys().count() >= keys_min && row_ != BatchView::none) [[unlikely]]
      follow(helper, key);
  }

 private:
  enum class Field : std::uint8_t { uuid, host, other };
  struct Followed {
    Helper* helper;
    Field field;
  };

  void follow(Helper& helper, std::string_view key);
  void fetch(std::span<const Match> rest) const;
  std::string_view text(Field field, std::uint32_t row) const;

  const BatchView* batch_ = nullptr;
  std::uint32_t row_ = BatchView::none;
  std::vector<Followed> followed_;
};

}  // namespace hastur
