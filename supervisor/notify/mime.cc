#include "supervisor/notify/mime.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "core/json.h"

namespace hastur {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// RFC 2047: each encoded word is at most 75 characters, whole characters only.
constexpr std::size_t encoded_word_bytes_max = 45;

std::string encoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(text.size(), encoded_word_bytes_max);
    while (size < text.size() && size > 1 &&
           (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
      --size;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

// Unstructured text: as it is where that is safe and short, else encoded.
std::string header_text(std::string_view text) {
  constexpr std::size_t line_max = 900;
  if (is_ascii(text) && text.find("=?") == std::string_view::npos && text.size() <= line_max)
    return std::string(text);
  std::string clean;
  append_utf8(clean, text);
  return encoded_words(clean);
}

std::string header_address(const MailAddress& address) {
  if (address.name.empty()) return address.address;
  if (!is_ascii(address.name))
    return fmt::format("{} <{}>", encoded_words(address.name), address.address);
  std::string quoted;
  for (const char c : address.name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("\"{}\" <{}>", quoted, address.address);
}

std::string header_addresses(const std::vector<MailAddress>& addresses) {
  std::string out;
  for (const MailAddress& address : addresses) {
    if (!out.empty()) out += ",\r\n ";
    out += header_address(address);
  }
  return out;
}

// RFC 2045, 6.7. Line ends of any form become CRLF.
std::string quoted_printable(std::string_view text) {
  constexpr std::size_t line_max = 75;
  std::string out;
  std::size_t line = 0;
  const auto put = [&](std::string_view piece) {
    if (line + piece.size() > line_max) {
      out += "=\r\n";
      line = 0;
    }
    out += piece;
    line += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool ends = c == '\n' || c == '\r';
    if (ends) {
      if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      out += "\r\n";
      line = 0;
      continue;
    }
    const bool before_end = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool plain = c == ' ' || c == '\t' ? !before_end : c > ' ' && c < 0x7f && c != '=';
    put(plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned char>(c)));
  }
  return out + "\r\n";
}

}  // namespace

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    const std::size_t held = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j) {
      three = three << 8 | (j < held ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += j <= held ? digits[three >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

Result<MailAddress> parse_mail_address(std::string_view text) {
  const auto refuse = [](std::string_view why) {
    return fail(ErrorCode::invalid, fmt::format("a mail address {}", why));
  };
  if (std::ranges::any_of(text, is_control)) {
    return refuse("holds a line break or another control character");
  }
  const auto trimmed = [](std::string_view part) {
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    return part;
  };
  MailAddress address;
  std::string_view inner = trimmed(text);
  if (const auto open = inner.rfind('<'); open != std::string_view::npos && inner.ends_with('>')) {
    std::string_view name = trimmed(inner.substr(0, open));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) {
      name = name.substr(1, name.size() - 2);
    }
    address.name = name;
    inner = inner.substr(open + 1, inner.size() - open - 2);
  }
  const auto at = inner.find('@');
  const bool odd = std::ranges::any_of(inner, [](char c) {
    return std::string_view(" <>,;:\\\"()[]").find(c) != std::string_view::npos;
  });
  if (!is_ascii(inner)) return refuse("is not ASCII; write its domain in punycode");
  if (odd || at == std::string_view::npos || at == 0 || at + 1 == inner.size() ||
      inner.find('@', at + 1) != std::string_view::npos || inner.size() > 254 ||
      inner.starts_with('-')) {
    return refuse("is written a@example.com or Name <a@example.com>");
  }
  address.address = inner;
  return address;
}

Result<std::string> mail_text(const Mail& mail) {
  std::string out;
  std::string wrong;
  const auto header = [&](std::string_view name, std::string_view given, const std::string& value) {
    if (wrong.empty() && std::ranges::any_of(given, is_control)) wrong = name;
    out += fmt::format("{}: {}\r\n", name, value);
  };
  const auto addresses = [&](std::string_view name, const std::vector<MailAddress>& given) {
    std::string names;
    for (const MailAddress& address : given) names += address.name + address.address;
    if (!given.empty()) header(name, names, header_addresses(given));
  };
  const std::string date =
      fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000",
                  fmt::gmtime(static_cast<std::time_t>(to_us(mail.date) / us_per_second)));
  addresses("From", {mail.from});
  addresses("To", mail.to);
  addresses("Cc", mail.cc);
  header("Subject", mail.subject, header_text(mail.subject));
  header("Date", "", date);
  header("Message-ID", mail.message_id, fmt::format("<{}>", mail.message_id));
  if (!mail.thread.empty()) {
    header("In-Reply-To", mail.thread, fmt::format("<{}>", mail.thread));
    header("References", mail.thread, fmt::format("<{}>", mail.thread));
  }
  header("Auto-Submitted", "", "auto-generated");
  for (const auto& [name, value] : mail.headers) header(name, name + value, header_text(value));
  header("MIME-Version", "", "1.0");
  header("Content-Type", "", "text/plain; charset=utf-8");
  header("Content-Transfer-Encoding", "", "quoted-printable");
  if (!wrong.empty()) {
    return fail(ErrorCode::invalid,
                fmt::format("the mail's {} holds a line break or another control character; a "
                            "header field is one line",
                            wrong));
  }
  std::string body;
  append_utf8(body, mail.body);
  return out + "\r\n" + quoted_printable(body);
}

}  // namespace hastur
