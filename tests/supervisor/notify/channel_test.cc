#include "supervisor/notify/channel.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <type_traits>

#include "core/json.h"
#include "supervisor/config.h"
#include "supervisor/notify/mime.h"
#include "tests/supervisor/notify/channels.h"
#include "tests/support/started_program.h"

namespace hastur {
namespace {

struct ChannelTest : testing::Test {
  ChannelTest() { std::ofstream(folder.file("key")) << "R0UT1NGKEY\n"; }
  std::string key_line(const std::string& key) {
    return key + "_file = \"" + folder.file("key") + "\"\n";
  }
  TemporaryFolder folder;
};

TEST_F(ChannelTest, ReadsEachKind) {
  std::ofstream(folder.file("slack")) << "https://hooks.slack.com/services/T0/B0/xyz";
  const auto channels = channels_of(
      "[notify.oncall]\nkind = \"pager_duty\"\ndefault = true\n" + key_line("routing_key") +
      "[notify.mail]\nkind = \"email\"\nserver = \"smtp://mail:587\"\nfrom = \"a@b\"\nuser = "
      "\"u\"\n" +
      key_line("password") + "[notify.hook]\nkind = \"web_hook\"\nallow = [\"*.example.com\"]\n" +
      key_line("signing_key") + "timeout = \"3s\"\nexpire_after = \"2h\"\n" +
      "[notify.chat]\nkind = \"slack\"\nurl_file = \"" + folder.file("slack") + "\"\n" +
      "[notify.am]\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:9093\"\n" +
      "[notify.local]\nkind = \"command\"\ncommand = [\"/bin/true\", \"-x\"]\n" +
      "[notify.log]\nkind = \"file\"\npath = \"n.jsonl\"\n");
  ASSERT_EQ(channels.size(), 7u);
  const auto& oncall = channels.at("oncall");
  EXPECT_TRUE(oncall.is_default);
  EXPECT_EQ(oncall.kind, "pager_duty");
  EXPECT_EQ(std::get<PagerDutyChannel>(oncall.way).routing_key.value.reveal(), "R0UT1NGKEY");
  EXPECT_EQ(channels.at("hook").timeout, std::chrono::seconds{3});
  EXPECT_EQ(channels.at("hook").expire_after, std::chrono::hours{2});
  EXPECT_EQ(std::get<CommandChannel>(channels.at("local").way).command.size(), 2u);
}

TEST_F(ChannelTest, NamesTheLineAndTheNearestWord) {
  EXPECT_EQ(refusal_of("[notify.a]\nkind = \"pagerduty\"\n").substr(0, 41),
            "hastur.toml:1: [notify.a] kind must be on");
  EXPECT_NE(refusal_of("[notify.a]\nkind = \"pagerduty\"\n").find("did you mean \"pager_duty\"?"),
            std::string::npos);
  EXPECT_EQ(refusal_of("\n[notify.a]\nkind = \"slack\"\nurl_fil = \"x\"\n"),
            "hastur.toml:4: unknown key \"url_fil\" in [notify.a]; did you mean \"url_file\"?");
  // The key of another kind.
  EXPECT_NE(refusal_of("[notify.a]\nkind = \"slack\"\nserver = \"x\"\n").find("unknown key"),
            std::string::npos);
  // The secret itself has no key.
  const std::string planted =
      refusal_of("[notify.a]\nkind = \"pager_duty\"\nrouting_key = \"R0UT\"\n");
  EXPECT_NE(planted.find("did you mean \"routing_key_env\"?"), std::string::npos);
  EXPECT_EQ(planted.find("R0UT"), std::string::npos);
  EXPECT_NE(refusal_of("[notify.a.b]\nkind = \"slack\"\n"), "");
  EXPECT_NE(refusal_of("[notify]\nkind = \"slack\"\n"), "");
}

TEST_F(ChannelTest, RefusesWhatCannotWork) {
  const auto expect = [](const std::string& toml, const std::string& part) {
    const std::string refusal = refusal_of(toml);
    EXPECT_NE(refusal.find(part), std::string::npos) << "got: " << refusal;
  };
  expect("[notify.a]\nkind = \"pager_duty\"\n", "[notify.a] routing_key_file or routing_key_env");
  expect("[notify.a]\nkind = \"pager_duty\"\nrouting_key_file = \"/none/there\"\n",
         "the file that routing_key_file names cannot be read: No such file");
  expect("[notify.a]\nkind = \"pager_duty\"\nrouting_key_env = \"HASTUR_TEST_UNSET\"\n",
         "the environment variable that routing_key_env names is not set");
  expect("[notify.a]\nkind = \"pager_duty\"\nrouting_key_env = \"X\"\n" + key_line("routing_key"),
         "both given");
  std::ofstream(folder.file("two")) << "a\nb\n";
  expect("[notify.a]\nkind = \"pager_duty\"\nrouting_key_file = \"" + folder.file("two") + "\"\n",
         "line break");
  std::ofstream(folder.file("none")) << "\n";
  expect("[notify.a]\nkind = \"pager_duty\"\nrouting_key_file = \"" + folder.file("none") + "\"\n",
         "is empty");
  expect("[notify.a]\nkind = \"pager_duty\"\nurl = \"ftp://x/\"\n" + key_line("routing_key"),
         "url");
  expect("[notify.a]\nkind = \"slack\"\n" + key_line("url"), "what url_file or url_env names");
  expect("[notify.a]\nkind = \"email\"\nserver = \"mail:25\"\nfrom = \"a@b\"\n", "server");
  expect("[notify.a]\nkind = \"email\"\nserver = \"smtp://m\"\nfrom = \"nobody\"\n",
         "from: a mail address");
  expect("[notify.a]\nkind = \"email\"\nserver = \"smtp://m\"\nfrom = \"a@b\"\nuser = \"u\"\n",
         "belong together");
  expect(
      "[notify.a]\nkind = \"email\"\nserver = \"smtp://m\"\nfrom = \"a@b\"\nuser = \"u\"\ntls = "
      "\"none\"\n" +
          key_line("password"),
      "only sent over TLS");
  expect("[notify.a]\nkind = \"web_hook\"\n", "allow");
  expect("[notify.a]\nkind = \"web_hook\"\nallow = [\"http://x/\"]\n", "allow");
  expect("[notify.a]\nkind = \"web_hook\"\nurl = \"http://u:p@x/\"\n",
         "secrets do not stand in URLs");
  expect("[notify.a]\nkind = \"command\"\ncommand = [\"ls\"]\n", "whole path");
  expect("[notify.a]\nkind = \"file\"\n", "path");
  expect("[notify.a]\nkind = \"file\"\npath = \"x\"\ntimeout = \"1us\"\n", "timeout");
  expect(
      "[notify.a]\nkind = \"file\"\npath = \"x\"\ndefault = true\n"
      "[notify.b]\nkind = \"command\"\ncommand = [\"/bin/ls\"]\ndefault = true\n",
      "[notify.b] default: [notify.a] is the default of kind command or file already");
}

TEST_F(ChannelTest, ACallGoesToTheChannelItNamesOrToItsKindsDefault) {
  const auto channels = channels_of(
      "[notify.oncall]\nkind = \"pager_duty\"\ndefault = true\n" + key_line("routing_key") +
      "[notify.second]\nkind = \"pager_duty\"\n" + key_line("routing_key"));
  EXPECT_EQ((*channel_for(channels, "pager_duty", ""))->name, "oncall");
  EXPECT_EQ((*channel_for(channels, "pager_duty", "second"))->name, "second");
  EXPECT_EQ((*channel_for(channels, "slack", "second"))->name, "second");
  EXPECT_EQ(channel_for(channels, "pager_duty", "secnd").error().message,
            "no channel \"secnd\" is configured; did you mean \"second\"?");
  EXPECT_NE(channel_for(channels, "send_email", "").error().message.find("kind = \"email\""),
            std::string::npos);
}

TEST_F(ChannelTest, TheDefaultOfAFileTakesWhatHasNoOther) {
  const auto channels = channels_of(
      "[notify.oncall]\nkind = \"pager_duty\"\ndefault = true\n" + key_line("routing_key") +
      "[notify.log]\nkind = \"file\"\npath = \"x\"\ndefault = true\n");
  EXPECT_EQ((*channel_for(channels, "pager_duty", ""))->name, "oncall");
  EXPECT_EQ((*channel_for(channels, "send_email", ""))->name, "log");
}

TEST_F(ChannelTest, TheSupervisorsConfigurationHasThem) {
  SupervisorConfig config;
  Settings settings;
  config.declare(settings);
  ASSERT_TRUE(
      settings.read_text("[notify.a]\nkind = \"pager_duty\"\nrouting_key_file = \"/none\"\n", "t"));
  const auto checked = config.check();
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("[notify.a]"), std::string::npos);
}

TEST_F(ChannelTest, AnAddressThatOthersCanReachWantsAToken) {
  for (const char* address : {"0.0.0.0:8127", "[::]:8127", "192.168.0.7:8127"}) {
    SupervisorConfig config;
    config.http = address;
    const auto checked = config.check();
    ASSERT_FALSE(checked) << address;
    EXPECT_NE(checked.error().message.find("set token_file, or use a loopback address"),
              std::string::npos)
        << checked.error().message;
    std::ofstream(folder.file("token")) << "0123456789abcdef\n";
    config.token_file = folder.file("token");
    EXPECT_TRUE(config.check()) << address;
  }
}

// A secret gets into no text by accident: this does not compile.
template <class T>
concept Printable = requires(std::ostringstream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_constructible_v<Json, Secret>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(Secret, IsTakenOutOfWhatReceiversSay) {
  const Secret secret("p\"ss w/rd");
  EXPECT_EQ(secret.redact(R"(bad key p"ss w/rd and p\"ss w/rd, p%22ss%20w%2Frd)"),
            "bad key (secret) and (secret), (secret)");
  EXPECT_EQ(Secret("ok").redact("it is ok"), "it is ok");
  // base64 of it, of "user:" and it, of "me:" and it and of NULs, user and it; each its own shape.
  const Secret password("l3tm3in-planted");
  for (const std::string& before :
       {std::string(), std::string("user:"), std::string("me:"), std::string("\0hastur\0", 8)}) {
    const std::string encoded = base64(before + "l3tm3in-planted");
    const std::string shown = password.redact("535 bad " + encoded + " here");
    EXPECT_NE(shown.find("(secret)"), std::string::npos) << before;
    EXPECT_EQ(shown.find(encoded.substr(encoded.size() / 2, 8)), std::string::npos) << shown;
  }
  const Secret basic("Basic " + base64("user:l3tm3in"));
  EXPECT_EQ(basic.redact("no l3tm3in, and no " + base64("user:l3tm3in")),
            "no (secret), and no (secret)");
  EXPECT_EQ(Secret().redact("nothing"), "nothing");
}

TEST(Secret, IsTakenOutWhereverWhatTheReceiverSaysWasCut) {
  for (const std::string text : {"AUTHSECRET1-hunter2", "Bearer AUTHSECRET1-hunter2",
                                 "https://hooks.example.com/services/T00/AUTHSECRET1-hunter2"}) {
    const Secret secret(text);
    for (std::size_t before = 0; before < 310; ++before) {
      const std::string said = std::string(before, '.') + text;
      for (const std::string& line : {said, said + " and more", said + std::string(600, '!')}) {
        const Answer answer = judge_http(302, line, {});
        const std::string shown = secret.redact(answer.text);
        EXPECT_EQ(shown.find("AUT"), std::string::npos) << before << ": " << shown;
        EXPECT_LT(shown.size(), 400u);
      }
    }
  }
}

TEST(AllowedHost, MatchesHostAndPort) {
  const auto matches = [](const char* entry, const char* url) {
    const auto allowed = parse_allowed_host(entry);
    const auto parsed = parse_url(url, {"http", "https"});
    EXPECT_TRUE(allowed) << entry;
    EXPECT_TRUE(parsed) << url;
    return allowed && parsed && allowed->matches(*parsed);
  };
  EXPECT_TRUE(matches("hooks.example.com", "https://hooks.example.com/x"));
  EXPECT_TRUE(matches("Hooks.example.com", "https://HOOKS.example.com:443/x"));
  EXPECT_FALSE(matches("hooks.example.com", "https://hooks.example.com:8443/x"));
  EXPECT_FALSE(matches("hooks.example.com", "https://hooks.example.com.evil.org/x"));
  EXPECT_FALSE(matches("hooks.example.com", "https://evil.org/hooks.example.com"));
  EXPECT_FALSE(matches("hooks.example.com", "https://evil.org#@hooks.example.com/"));
  EXPECT_TRUE(matches("*.example.com", "https://a.b.example.com/"));
  EXPECT_FALSE(matches("*.example.com", "https://example.com/"));
  EXPECT_FALSE(matches("*.example.com", "https://badexample.com/"));
  EXPECT_TRUE(matches("127.0.0.1:9000", "http://127.0.0.1:9000/"));
  // Another writing of the same address is that address.
  EXPECT_TRUE(matches("127.0.0.1:9000", "http://0x7f000001:9000/"));
  EXPECT_TRUE(matches("[::1]:9000", "http://[::1]:9000/"));
  EXPECT_FALSE(parse_allowed_host("http://x"));
  EXPECT_FALSE(parse_allowed_host("x:0"));
  EXPECT_FALSE(parse_allowed_host("*.10.0.0.1"));
  EXPECT_FALSE(parse_allowed_host(""));
  for (const char* url : {"https://user:word@hooks.example.com/", "file:///etc/passwd", "https://",
                          "hooks.example.com", "https://a b/", "https://a\r\nb/", "gopher://x/"}) {
    EXPECT_FALSE(parse_url(url, {"http", "https"})) << url;
  }
}

TEST(PublicAddress, IsNotOfAPrivateNetwork) {
  const auto is_public = [](const std::string& text) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1)
      return is_public_address(reinterpret_cast<const sockaddr&>(six));
    sockaddr_in four{};
    four.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &four.sin_addr), 1) << text;
    return is_public_address(reinterpret_cast<const sockaddr&>(four));
  };
  for (const char* address : {"8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111",
                              "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    EXPECT_TRUE(is_public(address)) << address;
  }
  for (const char* address : {"127.0.0.1",
                              "127.9.9.9",
                              "0.0.0.0",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "fe80::1",
                              "fd00::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "2002:7f00:1::",
                              "2001:0:1::1"}) {
    EXPECT_FALSE(is_public(address)) << address;
  }
}

}  // namespace
}  // namespace hastur
