#pragma once

// A receiver of notifications on an ephemeral port of loopback: keeps what it was sent and answers
// by script.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/check.h"
#include "core/fd.h"

namespace hastur {

class HttpReceiver {
 public:
  struct Request {
    std::string method, target;
    // Names in lowercase.
    std::map<std::string, std::string> headers;
    std::string body;
  };
  struct Answer {
    unsigned status = 202;
    std::string body = {};
    // Whole lines, each with its CRLF.
    std::string headers = {};
    // Of the body; the rest never comes.
    bool half = false;
    bool never = false;
  };

  HttpReceiver() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    HASTUR_CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
                 "bind");
    HASTUR_CHECK(listen(listener_.get(), 64) == 0, "listen");
    socklen_t size = sizeof address;
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~HttpReceiver() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    changed_.notify_all();
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    for (std::thread& peer : peers_) peer.join();
  }

  std::uint16_t port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path) const { return "http://" + host() + path; }

  // Each answer is given once, in order; when there is none, `always`.
  void answers(Answer answer) {
    const std::lock_guard lock(mutex_);
    script_.push_back(std::move(answer));
  }
  // Each request is judged by this instead; called with a lock held.
  void judges(std::function<Answer(const Request&)> judge) {
    const std::lock_guard lock(mutex_);
    judge_ = std::move(judge);
  }
  void always(Answer answer) {
    const std::lock_guard lock(mutex_);
    always_ = std::move(answer);
  }
  // Is no HTTP server: says this to who connects, then nothing.
  void greet(std::string text) {
    const std::lock_guard lock(mutex_);
    greeting_ = std::move(text);
  }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept(listener_.get(), nullptr, nullptr);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      if (ending_) {
        ::close(fd);
        return;
      }
      open_.push_back(fd);
      peers_.emplace_back([this, fd] { serve(fd); });
    }
  }

  void serve(int fd) {
    std::string bytes;
    while (auto request = greeted(fd) ? std::nullopt : read_request(fd, bytes)) {
      Answer answer;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(std::move(*request));
        answer = judge_ ? judge_(requests_.back()) : always_;
        if (!script_.empty()) {
          answer = script_.front();
          script_.pop_front();
        }
      }
      if (answer.never) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ending_; });
        break;
      }
      const std::string sent =
          "HTTP/1.1 " + std::to_string(answer.status) + " X\r\n" + answer.headers +
          "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" +
          (answer.half ? answer.body.substr(0, answer.body.size() / 2) : answer.body);
      if (::send(fd, sent.data(), sent.size(), MSG_NOSIGNAL) < 0 || answer.half) break;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
  }

  // Whether it was a greeting that went out; nothing else ever does.
  bool greeted(int fd) {
    std::unique_lock lock(mutex_);
    if (greeting_.empty()) return false;
    HASTUR_CHECK(::send(fd, greeting_.data(), greeting_.size(), MSG_NOSIGNAL) > 0, "send");
    changed_.wait(lock, [this] { return ending_; });
    return true;
  }

  static std::optional<Request> read_request(int fd, std::string& bytes) {
    const auto more = [&] {
      char buffer[4096];
      const ssize_t got = ::read(fd, buffer, sizeof buffer);
      if (got > 0) bytes.append(buffer, static_cast<std::size_t>(got));
      return got > 0;
    };
    std::size_t end;
    while ((end = bytes.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return std::nullopt;
    }
    Request request;
    std::size_t line = bytes.find("\r\n");
    const std::string first = bytes.substr(0, line);
    request.method = first.substr(0, first.find(' '));
    request.target =
        first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
    while (line < end) {
      const std::size_t from = line + 2;
      line = bytes.find("\r\n", from);
      const std::string header = bytes.substr(from, line - from);
      const std::size_t colon = header.find(':');
      std::string name = header.substr(0, colon);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      std::string value = header.substr(colon + 1);
      value.erase(0, value.find_first_not_of(' '));
      request.headers[name] = value;
    }
    const std::size_t size = request.headers.contains("content-length")
                                 ? std::stoul(request.headers["content-length"])
                                 : 0;
    bytes.erase(0, end + 4);
    while (bytes.size() < size) {
      if (!more()) return std::nullopt;
    }
    request.body = bytes.substr(0, size);
    bytes.erase(0, size);
    return request;
  }

  Fd listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Answer> script_;
  std::function<Answer(const Request&)> judge_;
  Answer always_;
  std::string greeting_;
  std::vector<Request> requests_;
  std::vector<int> open_;
  bool ending_ = false;
  std::list<std::thread> peers_;
  std::thread accepting_;
};

}  // namespace hastur
