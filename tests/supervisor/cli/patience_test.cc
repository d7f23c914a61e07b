#include "supervisor/cli/patience.h"

#include <gtest/gtest.h>

#include "tests/supervisor/cli/fake_api.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

const Patience little{100ms, 200ms, 2s};

struct Asked {
  Result<HttpClient::Answer> answer;
  std::string said;
};

Asked ask(const std::string& address, const Patience& patience, const std::string& busy = {}) {
  HttpClient http(address, 60s);
  std::string said;
  wait_patiently(
      http, patience, [&](std::string_view line) { said += line; }, busy);
  auto answer = http.get("/v1/slow");
  return {std::move(answer), said};
}

TEST(Patience, WaitsInSilenceForOneThatWorks) {
  FakeApi api;
  api.answers("/v1/slow", R"({"verdict":1})");
  api.answers("/healthz", "{}");
  api.holds("/v1/slow", 3);
  const Asked asked = ask(api.address(), little);
  ASSERT_TRUE(asked.answer) << asked.answer.error().message;
  EXPECT_EQ(asked.answer->body, R"({"verdict":1})");
  EXPECT_EQ(asked.said, "");
}

TEST(Patience, SaysOnceThatItTakesLong) {
  FakeApi api;
  api.answers("/v1/slow", "{}");
  api.answers("/healthz", "{}");
  api.holds("/v1/slow", 3);
  const Asked asked = ask(api.address(), little, "it is not decided yet");
  ASSERT_TRUE(asked.answer) << asked.answer.error().message;
  EXPECT_EQ(asked.said, "it is not decided yet\n");
  EXPECT_EQ(ask(api.address(), little, "it is not decided yet").said, "") << "it answers at once";
}

// Its port takes connections, as that of a process that was stopped does.
TEST(Patience, GivesUpOneThatAnswersNothing) {
  const Fd stopped(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  ASSERT_EQ(bind(stopped.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  ASSERT_EQ(listen(stopped.get(), 8), 0);
  ASSERT_EQ(getsockname(stopped.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  const std::string address = "127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  const Asked asked = ask(address, little);
  ASSERT_FALSE(asked.answer);
  EXPECT_EQ(asked.answer.error().code, ErrorCode::unavailable);
  EXPECT_NE(asked.answer.error().message.find("has answered nothing for 2s"), std::string::npos)
      << asked.answer.error().message;
  EXPECT_EQ(asked.said, "the supervisor at " + address +
                            " takes requests and answers none; waiting for it, 2s at most\n");
}

TEST(Patience, SaysWhenItAnswersAgain) {
  FakeApi api;
  api.answers("/v1/slow", "{}");
  api.answers("/healthz", "{}");
  api.holds("/v1/slow", 2);
  api.is_deaf_once("/healthz");
  const Asked asked = ask(api.address(), little);
  ASSERT_TRUE(asked.answer) << asked.answer.error().message;
  EXPECT_NE(asked.said.find("answers none"), std::string::npos);
  EXPECT_NE(asked.said.find("answers again\n"), std::string::npos) << asked.said;
}

}  // namespace
}  // namespace hastur
