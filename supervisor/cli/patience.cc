#include "supervisor/cli/patience.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "core/clock.h"

namespace hastur {
namespace {

class Watch {
 public:
  Watch(std::string address, const Patience& patience, std::function<void(std::string_view)> say,
        std::string busy)
      : patience_(patience),
        say_(std::move(say)),
        busy_(std::move(busy)),
        health_(std::move(address), patience.look_max) {}

  Result<void> look() {
    if (health_.get("/healthz")) {
      if (std::exchange(silent_since_, std::nullopt)) say_("the supervisor answers again\n");
      if (!busy_.empty()) say_(std::exchange(busy_, "") + "\n");
      return {};
    }
    const Micros now = clock_.monotonic();
    if (!silent_since_) {
      silent_since_ = now;
      say_(
          fmt::format("the supervisor at {} takes requests and answers none; waiting for it, {} "
                      "at most\n",
                      health_.address(), format_span(patience_.silent_max)));
    }
    if (now - *silent_since_ < patience_.silent_max) return {};
    silent_since_.reset();
    return fail(ErrorCode::unavailable,
                fmt::format("the supervisor at {} has answered nothing for {}; is it stopped, or "
                            "its disk? Its log tells",
                            health_.address(), format_span(patience_.silent_max)));
  }

 private:
  Patience patience_;
  std::function<void(std::string_view)> say_;
  std::string busy_;
  HttpClient health_;
  SystemClock clock_;
  std::optional<Micros> silent_since_;
};

}  // namespace

void wait_patiently(HttpClient& http, const Patience& patience,
                    std::function<void(std::string_view line)> say, std::string busy) {
  auto watch = std::make_shared<Watch>(http.address(), patience, std::move(say), std::move(busy));
  http.while_waiting(patience.look_every, [watch] { return watch->look(); });
}

}  // namespace hastur
