#include "supervisor/http/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/fd.h"

namespace hastur {
namespace {

using namespace std::chrono_literals;

struct HttpServerTest : testing::Test {
  void listen(HttpServer::Options options = {}) {
    options.address = "127.0.0.1:0";
    auto made = HttpServer::listen(loop, options,
                                   [this](const HttpRequest& request, HttpServer::Respond respond) {
                                     last = request;
                                     if (request.path == "/never") {
                                       kept = std::move(respond);
                                     } else {
                                       respond({200, "text/plain", "hello " + request.path});
                                     }
                                   });
    ASSERT_TRUE(made) << made.error().message;
    server = std::move(*made);
  }
  Fd connect() {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    while (loop.run_some(10ms)) {
    }
    return fd;
  }
  // What came on the connection; "closed" stands for its end.
  std::string exchange(const Fd& fd, std::string_view text) {
    (void)send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    while (loop.run_some(20ms)) {
    }
    std::string all;
    char buffer[4096];
    while (true) {
      const ssize_t got = recv(fd.get(), buffer, sizeof buffer, 0);
      if (got == 0) return all + "closed";
      if (got < 0) return all;
      all.append(buffer, static_cast<std::size_t>(got));
    }
  }
  Loop loop;
  std::unique_ptr<HttpServer> server;
  HttpRequest last;
  HttpServer::Respond kept;
};

TEST_F(HttpServerTest, AnswersSeveralRequestsOnOneConnection) {
  listen();
  const Fd fd = connect();
  EXPECT_NE(exchange(fd, "GET /a%2Fb?x=1&y=a+b%21 HTTP/1.1\r\nHost: h\r\n\r\n").find("hello /a/b"),
            std::string::npos);
  EXPECT_EQ(last.query["y"], "a b!");
  EXPECT_TRUE(last.from_loopback);
  EXPECT_NE(exchange(fd, "GET /c HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer secret\r\n\r\n")
                .find("hello /c"),
            std::string::npos);
  EXPECT_EQ(last.token, "secret");
}

TEST_F(HttpServerTest, RefusesATargetThatIsMalformed) {
  listen();
  for (const char* target : {"/a%zz", "/a%", "/a%2", "/a?x=%zz", "/a?%g1=x", "/a?x=1&y=2&x=1"}) {
    const Fd fd = connect();
    const std::string answer =
        exchange(fd, fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target));
    EXPECT_NE(answer.find(" 400 "), std::string::npos) << target << ": " << answer;
    EXPECT_NE(answer.find(R"("reason":"bad_argument")"), std::string::npos) << target;
  }
  EXPECT_EQ(last.path, "") << "none came through";
  const Fd fd = connect();
  EXPECT_NE(exchange(fd, "GET /a?x=%25&&y HTTP/1.1\r\nHost: h\r\n\r\n").find("hello /a"),
            std::string::npos);
  EXPECT_EQ(last.query, (std::map<std::string, std::string>{{"x", "%"}, {"y", ""}}));
}

TEST_F(HttpServerTest, RefusesWhatIsNoHttpAndWhatIsTooLarge) {
  HttpServer::Options options;
  options.body_bytes_max = [](const HttpRequest& head) {
    return head.token == "more" ? 1'000 : 100;
  };
  listen(options);
  const Fd garbage = connect();
  const auto expect_refused = [&](std::string_view request, std::string_view status,
                                  std::string_view reason) {
    const Fd fd = connect();
    const std::string answer = exchange(fd, request);
    EXPECT_NE(answer.find(fmt::format(" {} ", status)), std::string::npos) << answer;
    EXPECT_NE(answer.find(fmt::format(R"("reason":"{}")", reason)), std::string::npos) << answer;
  };
  expect_refused("\x01\x02nonsense\r\n\r\n", "400", "not_http");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", "413", "too_large");
  expect_refused(
      "POST / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer more\r\nContent-Length: 1001\r\n\r\n",
      "413", "too_large");
  expect_refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" +
                     std::string(255, 'a') + "\r\n0\r\n\r\n",
                 "413", "too_large");
  const Fd trusted = connect();
  EXPECT_NE(exchange(trusted,
                     "POST /large HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer more\r\n"
                     "Content-Length: 500\r\n\r\n" +
                         std::string(500, 'a'))
                .find("hello /large"),
            std::string::npos);
  expect_refused("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", "431",
                 "too_large");
  expect_refused("GET / HTTP/1.1\r\nHost: h\r\nHost: other\r\n\r\n", "400", "not_http");
}

TEST_F(HttpServerTest, AClientThatNeverFinishesLosesItsConnectionAndNobodyElse) {
  HttpServer::Options options;
  options.client_span = 50ms;
  listen(options);
  const Fd slow = connect();
  (void)send(slow.get(), "GET / HT", 8, MSG_NOSIGNAL);
  const Fd quick = connect();
  EXPECT_NE(exchange(quick, "GET /q HTTP/1.1\r\nHost: h\r\n\r\n").find("hello /q"),
            std::string::npos);
  for (int i = 0; i < 20; ++i) (void)loop.run_some(20ms);
  EXPECT_NE(exchange(slow, "").find("closed"), std::string::npos);
}

TEST_F(HttpServerTest, TheConnectionThatWaitsLongestGivesWayToANewOne) {
  HttpServer::Options options;
  options.connections_max = 2;
  listen(options);
  const std::string request = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  const Fd first = connect();
  const Fd second = connect();
  EXPECT_NE(exchange(first, request).find("hello /a"), std::string::npos);
  const Fd third = connect();
  EXPECT_EQ(exchange(second, ""), "closed") << "it never sent a request";
  EXPECT_NE(exchange(third, request).find("hello /a"), std::string::npos);
  EXPECT_NE(exchange(first, request).find("hello /a"), std::string::npos);
  EXPECT_EQ(server->counts().open, 2u);
  EXPECT_EQ(server->counts().gave_way, 1u);
}

TEST_F(HttpServerTest, IfAllAreBeingAnsweredANewOneIsTurnedAway) {
  HttpServer::Options options;
  options.connections_max = 1;
  listen(options);
  const Fd first = connect();
  EXPECT_EQ(exchange(first, "GET /never HTTP/1.1\r\nHost: h\r\n\r\n"), "");
  const Fd second = connect();
  const std::string answer = exchange(second, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(answer.find("503"), std::string::npos) << answer;
  EXPECT_NE(answer.find(R"("reason":"busy"})"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("closed")) << answer;
  EXPECT_EQ(server->counts().turned_away, 1u);
  kept({200, "text/plain", "late"});
  EXPECT_NE(exchange(first, "").find("late"), std::string::npos) << "it is answered nevertheless";
}

TEST_F(HttpServerTest, AnAnswerAfterTheClientHasGoneIsIgnored) {
  listen();
  {
    const Fd fd = connect();
    (void)exchange(fd, "GET /never HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  while (loop.run_some(20ms)) {
  }
  ASSERT_TRUE(kept);
  kept({200, "text/plain", "too late"});
  server.reset();
  kept({200, "text/plain", "far too late"});
}

TEST_F(HttpServerTest, SaysThatAnAddressIsTaken) {
  listen();
  HttpServer::Options options;
  options.address = "127.0.0.1:" + std::to_string(server->port());
  const auto second =
      HttpServer::listen(loop, options, [](const HttpRequest&, HttpServer::Respond) {});
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(options.address), std::string::npos);
}

TEST(ListenAddress, IsALiteralAddressAndAPort) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8127")->port, 8127);
  EXPECT_TRUE(parse_listen_address("[::1]:1")->loopback);
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->loopback);
  for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                           "host:1", "127.0.0.1:-1"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

}  // namespace
}  // namespace hastur
