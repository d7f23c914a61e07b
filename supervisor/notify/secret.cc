#include "supervisor/notify/secret.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>
#include <vector>

#include "core/json.h"
#include "supervisor/notify/mime.h"

namespace hastur {
namespace {

constexpr std::size_t secret_bytes_max = 16u << 10;
constexpr std::size_t redacted_bytes_min = 4;

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// Where a text was cut ("…", or its end) the beginning of a secret may be left.
void replace_cut(std::string& text, std::string_view secret, std::string_view with) {
  constexpr std::string_view cut = "…";
  constexpr std::size_t beginning_bytes_min = 3;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find(cut, from), text.size());
    std::size_t length = std::min(secret.size() - 1, end - from);
    while (length >= beginning_bytes_min &&
           std::string_view(text).substr(end - length, length) != secret.substr(0, length))
      --length;
    from = end + cut.size();
    if (length < beginning_bytes_min) continue;
    text.replace(end - length, length, with);
    from = end - length + with.size() + cut.size();
  }
}

// What a receiver may repeat of it by itself: "Bearer KEY" without the scheme, the last parts of a
// URL's path. Not the URL's host, which tells what could not be reached.
std::vector<std::string> parts_of(const std::string& secret) {
  constexpr std::size_t part_bytes_min = 8;
  std::vector<std::string> parts;
  std::size_t from = secret.find("://");
  from = from == std::string::npos ? 0 : std::min(secret.find('/', from + 3), secret.size());
  while (from < secret.size()) {
    const std::size_t end = std::min(secret.find_first_of(" /?&=:,", from), secret.size());
    if (end - from >= part_bytes_min) parts.push_back(secret.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

// What is the same in base64 whatever stands before and after it, for each place at which it may
// begin: of "user:KEY" in "Basic …" only KEY is ours.
std::vector<std::string> base64_forms(std::string_view text) {
  constexpr std::size_t form_characters_min = 6;
  std::vector<std::string> forms;
  for (std::size_t before = 0; before < 3; ++before) {
    const std::string encoded = base64(std::string(before, 'x') + std::string(text));
    const std::size_t begin = before == 0 ? 0 : before + 1;
    const std::size_t end = (before + text.size()) * 8 / 6;
    if (end >= begin + form_characters_min) forms.push_back(encoded.substr(begin, end - begin));
  }
  return forms;
}

// The other way round: "Basic …" holds a password that a receiver may repeat as it is.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (const char c : text) {
    const int digit = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 0xff);
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

Secret::~Secret() { explicit_bzero(text_.data(), text_.size()); }

std::string Secret::redact(std::string text) const {
  if (text_.size() < redacted_bytes_min) return text;
  std::string in_json;
  append_json_string(in_json, text_);
  std::vector<std::string> forms{text_, percent_encoded(text_),
                                 in_json.substr(1, in_json.size() - 2)};
  std::vector<std::string> parts = parts_of(text_);
  if (text_.starts_with("Basic ")) {
    const auto user_and_password = decoded(std::string_view(text_).substr(6));
    const auto colon = user_and_password ? user_and_password->find(':') : std::string::npos;
    if (colon != std::string::npos && user_and_password->size() - colon > redacted_bytes_min)
      parts.push_back(user_and_password->substr(colon + 1));
  }
  parts.push_back(text_);
  for (const std::string& part : parts) {
    forms.push_back(part);
    std::ranges::move(base64_forms(part), std::back_inserter(forms));
  }
  for (const std::string& form : forms) replace_all(text, form, "(secret)");
  for (const std::string& form : forms) replace_cut(text, form, "(secret)");
  return text;
}

Result<void> SecretSetting::read(std::string_view key) {
  if (!given()) return {};
  const auto refuse = [](std::string message) { return fail(ErrorCode::invalid, message); };
  if (!file.empty() && !env.empty()) {
    return refuse(fmt::format("{0}_file and {0}_env are both given; keep one", key));
  }
  std::string text;
  std::string source;
  if (!file.empty()) {
    // Not what stands there: if that is the secret itself, it would be shown.
    source = fmt::format("the file that {}_file names", key);
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    text.resize(secret_bytes_max + 1);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) {
      return refuse(
          fmt::format("{} cannot be read: {}", source, std::generic_category().message(errno)));
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
  } else {
    source = fmt::format("the environment variable that {}_env names", key);
    const char* set = std::getenv(env.c_str());
    if (set == nullptr) return refuse(fmt::format("{} is not set", source));
    text = set;
  }
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) return refuse(source + " is empty");
  if (text.size() > secret_bytes_max) return refuse(source + " is larger than 16 KiB");
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(text, is_control)) {
    return refuse(source + " holds a line break or another control character");
  }
  value = Secret(std::move(text));
  return {};
}

}  // namespace hastur
