#include "supervisor/notify/mime.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>

namespace hastur {
namespace {

Mail mail_of(std::string subject, std::string body) {
  Mail mail;
  mail.from = {"", "a@example.com"};
  mail.to = {{"", "b@example.com"}};
  mail.message_id = "n-0001.x@example.com";
  mail.subject = std::move(subject);
  mail.body = std::move(body);
  return mail;
}

std::string body_text(const std::string& body) {
  const auto text = mail_text(mail_of("s", body));
  EXPECT_TRUE(text);
  return text ? text->substr(text->find("\r\n\r\n") + 4) : "";
}

TEST(Mime, Base64HasPadding) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("\xff\xfe\xfd"), "//79");
}

TEST(Mime, ReadsAddresses) {
  EXPECT_EQ(parse_mail_address("a@b.c")->address, "a@b.c");
  EXPECT_EQ(parse_mail_address(" Al <a@b.c> ")->name, "Al");
  EXPECT_EQ(parse_mail_address("\"A, l\" <a@b.c>")->name, "A, l");
  for (const char* text :
       {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b,c@d", "<a@b", "a@b>", "a@b\n", "a@b\r\nX: y",
        "A\nB <a@b>", "ü@b", "a@\xc3\xbc", "-oQ/tmp@b", "a@b;c"}) {
    EXPECT_FALSE(parse_mail_address(text)) << text;
  }
}

TEST(Mime, EncodesTheBody) {
  EXPECT_EQ(body_text("a=b\n \nend "), "a=3Db\r\n=20\r\nend=20\r\n");
  EXPECT_EQ(body_text("a\r\nb\rc\n"), "a\r\nb\r\nc\r\n\r\n");
  EXPECT_EQ(body_text("\xff"), "=EF=BF=BD\r\n");
  EXPECT_EQ(body_text(std::string(1, '\0')), "=00\r\n");
}

TEST(Mime, LongSubjectsAreManyWords) {
  std::string subject;
  for (int i = 0; i < 100; ++i) subject += "ü";
  const auto text = mail_text(mail_of(subject, ""));
  ASSERT_TRUE(text);
  std::size_t line_start = 0;
  for (std::size_t end; (end = text->find("\r\n", line_start)) != std::string::npos;
       line_start = end + 2)
    EXPECT_LE(end - line_start, 84u);
}

// Whatever the texts: headers are as many as we wrote, lines are short, and there is no bare CR or
// LF.
RC_GTEST_PROP(Mime, NoTextLeavesItsPlace, (const std::string& subject, const std::string& body)) {
  const auto text = mail_text(mail_of(subject, body));
  if (!text) {
    RC_ASSERT(std::ranges::any_of(
        subject, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    return;
  }
  std::size_t headers = 0;
  bool in_head = true;
  std::size_t from = 0;
  for (std::size_t end; (end = text->find("\r\n", from)) != std::string::npos; from = end + 2) {
    const std::string line = text->substr(from, end - from);
    RC_ASSERT(line.size() <= 998u);
    RC_ASSERT(line.find_first_of("\r\n") == std::string::npos);
    if (line.empty()) in_head = false;
    if (in_head && line[0] != ' ') ++headers;
  }
  RC_ASSERT(from == text->size());
  RC_ASSERT(headers == 9u);
}

}  // namespace
}  // namespace hastur
