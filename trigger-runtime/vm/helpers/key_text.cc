#include "trigger-runtime/vm/helpers/key_text.h"

namespace hastur {

KeyText::KeyText(std::string_view written) : before_(written) {
  const std::size_t at = written.find(place);
  if (at == std::string_view::npos) return;
  has_key_ = true;
  before_ = written.substr(0, at);
  after_ = written.substr(at + place.size());
}

std::optional<KeyText> KeyText::of(std::string_view key, std::string_view text) {
  KeyText made;
  // The last one: a short key may stand in the words before it.
  const std::size_t at = key.empty() ? std::string_view::npos : text.rfind(key);
  made.has_key_ = at != std::string_view::npos;
  made.before_ = text.substr(0, at);
  if (made.has_key_) made.after_ = text.substr(at + key.size());
  // What is written must be read as the same.
  if (KeyText(made.written()) != made) return std::nullopt;
  return made;
}

std::string KeyText::with(std::string_view key) const {
  std::string text = before_;
  if (has_key_) text += key;
  return text += after_;
}

bool KeyText::fits(std::string_view key, std::string_view text) const {
  const std::string_view inside = has_key_ ? key : std::string_view();
  return text.size() == before_.size() + inside.size() + after_.size() &&
         text.starts_with(before_) && text.substr(before_.size()).starts_with(inside) &&
         text.ends_with(after_);
}

}  // namespace hastur
