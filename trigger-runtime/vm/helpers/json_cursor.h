#pragma once

// Reads canonical JSON (no white space) from front to back, without building anything.

#include <optional>
#include <string>
#include <string_view>

namespace hastur {

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool at_end() const { return at_ == end_; }
  // Whether the character stands here.
  bool at(char c) const { return at_ != end_ && *at_ == c; }
  // Goes past the character, or word, if it stands here.
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word);
  // A string; its bytes stand in the text itself or, if it has escapes, in this cursor until the
  // next one. Nothing if none stands here.
  std::optional<std::string_view> text();
  std::optional<double> number();
  // A whole number of at most 53 bits.
  std::optional<std::int64_t> whole();
  std::optional<bool> boolean();
  // The text of the value that stands here, whatever it is.
  std::optional<std::string_view> value();

  // Calls `field(key)` for each entry of the object that stands here; it must go past the value and
  // returns false to end it all. False if it did, or if no object stands here.
  template <class Field>
  bool object(Field field) {
    if (!take('{')) return false;
    if (take('}')) return true;
    do {
      const std::optional<std::string_view> key = text();
      if (!key || !take(':') || !field(*key)) return false;
    } while (take(','));
    return take('}');
  }
  // The same for the entries of a list.
  template <class Entry>
  bool list(Entry entry) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
      if (!entry()) return false;
    } while (take(','));
    return take(']');
  }

 private:
  bool skip_text();

  const char* at_;
  const char* end_;
  std::string unescaped_;
};

}  // namespace hastur
