#include "trigger-test/nicknames.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "message/message.h"

namespace hastur {
namespace {

bool is_nickname(std::string_view text) {
  return !text.empty() && text.size() <= 200 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// The letters themselves, in hexadecimal.
std::string spelled_uuid(std::string_view nickname) {
  std::string digits;
  for (const char c : nickname) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  digits.resize(32, '0');
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4),
                     digits.substr(12, 4), digits.substr(16, 4), digits.substr(20));
}

}  // namespace

Result<std::string> Nicknames::uuid_of(const std::string& text) {
  std::array<char, 36> uuid{};
  if (normalise_uuid(text, uuid)) return std::string(uuid.data(), uuid.size());
  if (!is_nickname(text)) {
    return fail(ErrorCode::invalid,
                fmt::format("uuid '{}' is neither a uuid of 36 characters nor a nickname of "
                            "letters, digits, '.', '_' and '-'",
                            text));
  }
  const auto known = std::ranges::find(pairs_, text, &Pair::nickname);
  if (known != pairs_.end()) return known->uuid;
  pairs_.push_back(
      {text.size() <= 16 ? spelled_uuid(text) : dns_uuid(text + ".test.hastur"), text});
  return pairs_.back().uuid;
}

std::string Nicknames::read(std::string text) const {
  for (const Pair& pair : pairs_) {
    for (std::size_t at = text.find(pair.uuid); at != std::string::npos;
         at = text.find(pair.uuid, at + pair.nickname.size())) {
      text.replace(at, pair.uuid.size(), pair.nickname);
    }
  }
  return text;
}

}  // namespace hastur
