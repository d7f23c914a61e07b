#pragma once

// A small HTTP server on an ephemeral port of loopback: answers what it was told to.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/fd.h"

namespace hastur {

class FakeApi {
 public:
  struct Answer {
    unsigned status = 404;
    std::string body = R"({"error":"there is nothing here","reason":"not_found"})";
  };

  FakeApi() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    HASTUR_CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
                 "bind");
    HASTUR_CHECK(listen(listener_.get(), 8) == 0, "listen");
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeApi() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  const std::string& address() const { return address_; }

  // Each answer to `target` (path and query as they come) is used once, the last one for ever.
  void answers(const std::string& target, std::string body, unsigned status = 200) {
    const std::lock_guard lock(mutex_);
    answers_[target].push_back({status, std::move(body)});
  }
  // The first answer to `target` waits until so much else has been asked and answered.
  void holds(const std::string& target, int others) {
    const std::lock_guard lock(mutex_);
    held_target_ = target;
    held_others_ = others;
  }
  // The next request for `target` gets no answer, and its connection ends.
  void is_deaf_once(const std::string& target) {
    const std::lock_guard lock(mutex_);
    deaf_target_ = target;
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  // From its first line to the end of its body.
  std::string last_request() {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  void serve() {
    while (true) {
      Fd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer.is_open()) return;
      std::string request;
      char bytes[4096];
      while (!is_whole(request)) {
        const ssize_t count = ::read(peer.get(), bytes, sizeof bytes);
        if (count <= 0) break;
        request.append(bytes, static_cast<std::size_t>(count));
      }
      {
        const std::lock_guard lock(mutex_);
        last_request_ = request;
      }
      const std::size_t from = request.find(' ') + 1;
      const std::string target = request.substr(from, request.find(' ', from) - from);
      if (passes_over(target)) continue;
      if (holds_back(target)) {
        held_ = std::move(peer);
        continue;
      }
      reply(peer, take(target));
      if (held_.is_open() && --held_others_ == 0) reply(Fd(std::move(held_)), take(held_target_));
    }
  }

  static void reply(const Fd& peer, const Answer& answer) {
    const std::string text =
        "HTTP/1.1 " + std::to_string(answer.status) +
        " X\r\nConnection: close\r\nContent-Length: " + std::to_string(answer.body.size()) +
        "\r\n\r\n" + answer.body;
    // Whoever asked may have gone.
    (void)!::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }

  bool passes_over(const std::string& target) {
    const std::lock_guard lock(mutex_);
    if (target != deaf_target_) return false;
    deaf_target_.clear();
    return true;
  }

  bool holds_back(const std::string& target) {
    const std::lock_guard lock(mutex_);
    return target == held_target_ && held_others_ > 0 && !held_.is_open();
  }

  static bool is_whole(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    constexpr const char* name = "Content-Length: ";
    const std::size_t at = request.find(name);
    if (at == std::string::npos || at > end) return true;
    return request.size() >= end + 4 + std::stoul(request.substr(at + std::strlen(name)));
  }

  Answer take(const std::string& target) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(target);
    const auto found = answers_.find(target);
    if (found == answers_.end()) return {};
    const Answer answer = found->second.front();
    if (found->second.size() > 1) found->second.erase(found->second.begin());
    return answer;
  }

  Fd listener_;
  std::string address_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Answer>> answers_;
  std::vector<std::string> asked_;
  std::string last_request_;
  std::string held_target_;
  int held_others_ = 0;
  std::string deaf_target_;
  Fd held_;
  std::thread thread_;
};

}  // namespace hastur
