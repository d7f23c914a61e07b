#pragma once

// A text that is the same for many keys but for the key in it: "no heartbeat from {key}".

#include <optional>
#include <string>
#include <string_view>

namespace hastur {

class KeyText {
 public:
  static constexpr std::string_view place = "{key}";

  KeyText() = default;
  // As it is written: with "{key}" once, or never.
  explicit KeyText(std::string_view written);
  // Of what was said of a key. Nothing if "{key}" itself was said.
  static std::optional<KeyText> of(std::string_view key, std::string_view text);

  bool empty() const { return !has_key_ && before_.empty(); }
  std::string written() const { return with(place); }
  std::string with(std::string_view key) const;
  // Whether with(key) is this text.
  bool fits(std::string_view key, std::string_view text) const;
  friend bool operator==(const KeyText&, const KeyText&) = default;

 private:
  std::string before_, after_;
  bool has_key_ = false;
};

}  // namespace hastur
