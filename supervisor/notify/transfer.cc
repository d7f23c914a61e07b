#include "supervisor/notify/transfer.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "core/clock.h"
#include "supervisor/notify/url.h"

namespace hastur {
namespace {

constexpr std::size_t kept_bytes_max = 4'096;
constexpr Micros connect_span_max = std::chrono::seconds{5};
constexpr Micros quit_span_max = std::chrono::milliseconds{500};

long ms_of(Micros span) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(span).count());
}

// What all transfers have in common.
class CurlTransfer : public Transfer {
 public:
  CurlTransfer(Micros timeout, const std::string& ca_file, const char* protocols)
      : easy_(curl_easy_init()) {
    HASTUR_CHECK(easy_ != nullptr, "libcurl has memory for a handle");
    set(CURLOPT_PRIVATE, static_cast<Transfer*>(this));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, ms_of(timeout));
    set(CURLOPT_CONNECTTIMEOUT_MS, ms_of(std::min(timeout, connect_span_max)));
    set(CURLOPT_PROTOCOLS_STR, protocols);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    // Only what hastur.toml says decides where a notification goes.
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_ERRORBUFFER, error_);
    set(CURLOPT_WRITEFUNCTION, keep_body);
    set(CURLOPT_WRITEDATA, &body_);
    if (!ca_file.empty()) {
      set(CURLOPT_CAINFO, ca_file.c_str());
      set(CURLOPT_CAPATH, nullptr);
    }
  }

  CURL* easy() override { return easy_.get(); }

 protected:
  template <class T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }
  std::string cause(CURLcode code) const {
    return receiver_line(error_[0] != '\0' ? error_ : curl_easy_strerror(code));
  }
  long status() const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

  CurlEasy easy_;
  std::string body_;

 private:
  static std::size_t keep_body(char* bytes, std::size_t, std::size_t count, void* body_pointer) {
    auto* body = static_cast<std::string*>(body_pointer);
    if (body->size() < kept_bytes_max) body->append(bytes, count);
    return count;
  }
  char error_[CURL_ERROR_SIZE] = {};
};

class HttpTransfer final : public CurlTransfer {
 public:
  HttpTransfer(WebRequest request, Micros timeout)
      : CurlTransfer(timeout, request.ca_file, "http,https"), request_(std::move(request)) {
    set(CURLOPT_URL, request_.url.reveal().c_str());
    for (const Secret& line : request_.headers) headers_.append(line.reveal().c_str());
    // No waiting for "100 Continue".
    headers_.append("Expect:");
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, "hastur");
    if (request_.method == "GET") {
      set(CURLOPT_HTTPGET, 1L);
    } else {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.reveal().size()));
      set(CURLOPT_POSTFIELDS, request_.body.reveal().c_str());
      set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    }
    if (request_.public_only) {
      // A connection of another request has not been checked.
      set(CURLOPT_FRESH_CONNECT, 1L);
      set(CURLOPT_OPENSOCKETFUNCTION, open_public);
      set(CURLOPT_OPENSOCKETDATA, this);
    }
  }

  Answer answer(CURLcode code) override {
    if (blocked_) {
      return {Answer::Verdict::refused,
              "the host has an address of a private network; set allow_private to permit that",
              {}};
    }
    if (code != CURLE_OK) return {Answer::Verdict::again, cause(code), {}};
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy(), CURLINFO_RETRY_AFTER, &seconds);
    std::optional<Micros> retry_after;
    constexpr curl_off_t week_seconds = 604'800;
    if (seconds > 0) retry_after = std::chrono::seconds{std::min(seconds, week_seconds)};
    return judge_http(status(), body_, retry_after);
  }

 private:
  // Asked for each address that the host stands for, right before it is connected to.
  static curl_socket_t open_public(void* self, curlsocktype, curl_sockaddr* address) {
    if (!is_public_address(address->addr)) {
      static_cast<HttpTransfer*>(self)->blocked_ = true;
      return CURL_SOCKET_BAD;
    }
    static_cast<HttpTransfer*>(self)->blocked_ = false;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  WebRequest request_;
  CurlList headers_;
  bool blocked_ = false;
};

class MailTransfer final : public CurlTransfer {
 public:
  MailTransfer(MailRequest request, Micros timeout, const std::atomic<bool>& stopping)
      : CurlTransfer(timeout, request.ca_file, "smtp,smtps"),
        request_(std::move(request)),
        stopping_(stopping),
        end_(clock_.monotonic() + timeout + quit_span_max) {
    set(CURLOPT_URL, request_.server.c_str());
    const long tls = request_.tls == "required"     ? CURLUSESSL_ALL
                     : request_.tls == "if_offered" ? CURLUSESSL_TRY
                                                    : CURLUSESSL_NONE;
    set(CURLOPT_USE_SSL, tls);
    if (!request_.user.empty()) {
      set(CURLOPT_USERNAME, request_.user.c_str());
      set(CURLOPT_PASSWORD, request_.password.reveal().c_str());
    }
    set(CURLOPT_MAIL_FROM, request_.from.c_str());
    for (const std::string& recipient : request_.recipients) {
      if (!request_.progress.is_settled(recipient)) recipients_.append(recipient.c_str());
    }
    set(CURLOPT_MAIL_RCPT, recipients_.get());
    // One wrong address does not keep the mail from the others.
    set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    // libcurl takes a connection after STARTTLS for a plain one, and would use it again whatever
    // certificates the next mail believes in.
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, read_text);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.text.size()));
    set(CURLOPT_HEADERFUNCTION, keep_line);
    set(CURLOPT_HEADERDATA, this);
    // What it asks, to know what is answered.
    set(CURLOPT_VERBOSE, 1L);
    set(CURLOPT_DEBUGFUNCTION, see_command);
    set(CURLOPT_DEBUGDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, is_over);
    set(CURLOPT_XFERINFODATA, this);
  }

  Answer answer(CURLcode code) override {
    outcome_.taken = code == CURLE_OK;
    if (code != CURLE_OK) outcome_.cause = cause(code);
    return judge_mail(request_, outcome_);
  }

 private:
  static std::size_t read_text(char* into, std::size_t size, std::size_t count,
                               void* self_pointer) {
    auto* self = static_cast<MailTransfer*>(self_pointer);
    const std::string& text = self->request_.text;
    const std::size_t taken = std::min(size * count, text.size() - self->position_);
    std::memcpy(into, text.data() + self->position_, taken);
    self->position_ += taken;
    return taken;
  }
  static int see_command(CURL*, curl_infotype type, char* bytes, std::size_t count,
                         void* self_pointer) {
    if (type != CURLINFO_HEADER_OUT) return 0;
    auto* self = static_cast<MailTransfer*>(self_pointer);
    const std::string_view command(bytes, count);
    self->asked_ = command.starts_with("RCPT TO:") ? Asked::recipient
                   : command.starts_with("QUIT")   ? Asked::goodbye
                                                   : Asked::whole;
    if (self->asked_ == Asked::recipient) self->outcome_.answers.emplace_back();
    return 0;
  }
  // The server's replies, line by line.
  static std::size_t keep_line(char* bytes, std::size_t size, std::size_t count,
                               void* self_pointer) {
    auto* self = static_cast<MailTransfer*>(self_pointer);
    const std::string line = receiver_line({bytes, size * count});
    if (line.empty() || self->asked_ == Asked::goodbye) return size * count;
    (self->asked_ == Asked::recipient ? self->outcome_.answers.back() : self->outcome_.last) = line;
    return size * count;
  }

  // When libcurl gives up a connection it says QUIT and waits for the answer, for two minutes and
  // without regard to the timeout; but it asks this each second.
  static int is_over(void* self_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* self = static_cast<MailTransfer*>(self_pointer);
    return self->stopping_ || self->clock_.monotonic() > self->end_ ? 1 : 0;
  }

  MailRequest request_;
  const std::atomic<bool>& stopping_;
  SystemClock clock_;
  Micros end_;
  CurlList recipients_;
  std::size_t position_ = 0;
  // What the server's next reply is to.
  enum class Asked { whole, recipient, goodbye } asked_ = Asked::whole;
  MailOutcome outcome_;
};

}  // namespace

std::unique_ptr<Transfer> make_transfer(WebRequest request, Micros timeout) {
  return std::make_unique<HttpTransfer>(std::move(request), timeout);
}
std::unique_ptr<Transfer> make_transfer(MailRequest request, Micros timeout,
                                        const std::atomic<bool>& stopping) {
  return std::make_unique<MailTransfer>(std::move(request), timeout, stopping);
}

}  // namespace hastur
