#include "trigger-test/nicknames.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "message/message.h"

namespace hastur {
namespace {

constexpr std::size_t uuid_letters = 36;

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
  std::array<char, uuid_letters> uuid{};
  if (normalise_uuid(text, uuid)) return std::string(uuid.data(), uuid.size());
  if (!is_nickname(text)) {
    return fail(ErrorCode::invalid,
                fmt::format("uuid '{}' is neither a uuid of 36 characters nor a nickname of "
                            "letters, digits, '.', '_' and '-'",
                            text));
  }
  const auto known = uuids_.find(text);
  if (known != uuids_.end()) return known->second;
  std::string made = text.size() <= 16 ? spelled_uuid(text) : dns_uuid(text + ".test.hastur");
  nicknames_.emplace(made, text);
  return uuids_.emplace(text, std::move(made)).first->second;
}

std::string Nicknames::read(std::string_view text) const {
  constexpr std::size_t before_dash = 8;
  std::string read;
  std::size_t taken = 0;
  for (std::size_t dash = text.find('-', before_dash); dash != std::string_view::npos;
       dash = text.find('-', dash + 1)) {
    if (dash < taken + before_dash) continue;
    const std::size_t begin = dash - before_dash;
    const auto known = nicknames_.find(text.substr(begin, uuid_letters));
    if (known == nicknames_.end()) continue;
    read.append(text.substr(taken, begin - taken)).append(known->second);
    taken = begin + uuid_letters;
  }
  return read.append(text.substr(taken));
}

}  // namespace hastur
