#include "trigger-runtime/vm/keys_ahead.h"

#include <algorithm>

namespace hastur {
namespace {

// Messages ahead: first the place of the key in the table, from which its entry is known.
constexpr std::size_t place_ahead = 4;
constexpr std::size_t entry_ahead = 2;

}  // namespace

void KeysAhead::begin_batch(const BatchView& batch) {
  batch_ = &batch;
  end_message();
  followed_.clear();
}

void KeysAhead::end_batch() {
  batch_ = nullptr;
  end_message();
}

void KeysAhead::follow(Helper& helper, std::string_view key) {
  if (std::ranges::find(followed_, &helper, &Followed::helper) != followed_.end()) return;
  Field field = Field::uuid;
  while (field != Field::other && text(field, row_) != key)
    field = static_cast<Field>(static_cast<int>(field) + 1);
  followed_.push_back({&helper, field});
}

void KeysAhead::fetch(std::span<const Match> rest) const {
  for (const Followed& one : followed_) {
    if (one.field == Field::other) continue;
    if (rest.size() > place_ahead) one.helper->fetch_place(text(one.field, rest[place_ahead].row));
    if (rest.size() > entry_ahead) one.helper->fetch(text(one.field, rest[entry_ahead].row));
  }
}

std::string_view KeysAhead::text(Field field, std::uint32_t row) const {
  std::uint32_t id = batch_->uuids()[row];
  if (field == Field::host && batch_->hostnames()[row] != BatchView::none)
    id = batch_->hostnames()[row];
  return id == BatchView::none ? std::string_view() : batch_->string(id);
}

}  // namespace hastur
