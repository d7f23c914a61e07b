#include "core/loop.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "core/check.h"

namespace hastur {
namespace {

using boost::system::error_code;

// What a handle and the wait under way share. The wait owns it too, because Asio may have queued
// its handler already when the handle goes, and because a call may destroy its own handle.
template <class Source>
struct Watched {
  template <class... Args>
  explicit Watched(Args&&... args) : source(std::forward<Args>(args)...) {}
  Source source;
  bool alive = true;
};

// `end` stops what is under way; `Watched::alive` keeps a handler that is queued already from
// calling.
template <class State, void (*end)(State&)>
class HandleOf final : public Loop::Handle {
 public:
  explicit HandleOf(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~HandleOf() override {
    state_->alive = false;
    end(*state_);
  }

 private:
  std::shared_ptr<State> state_;
};

struct Readable : Watched<boost::asio::posix::stream_descriptor> {
  using Watched::Watched;
  std::function<void()> call;

  static void wait(std::shared_ptr<Readable> state) {
    Readable& self = *state;
    self.source.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [state = std::move(state)](const error_code& error) {
                             if (error || !state->alive) return;
                             state->call();
                             if (state->alive) wait(state);
                           });
  }
  static void end(Readable& state) { state.source.release(); }
};

struct Timer : Watched<boost::asio::steady_timer> {
  using Watched::Watched;
  std::function<void()> call;
  // Zero: once.
  Micros period{0};

  static void wait(std::shared_ptr<Timer> state) {
    Timer& self = *state;
    self.source.async_wait([state = std::move(state)](const error_code& error) {
      if (error || !state->alive) return;
      // Counted from now: what the loop was too busy for is not made up.
      if (state->period > Micros{0}) state->source.expires_after(state->period);
      state->call();
      if (state->alive && state->period > Micros{0}) wait(state);
    });
  }
  static void end(Timer& state) { state.source.cancel(); }
};

struct Signals : Watched<boost::asio::signal_set> {
  using Watched::Watched;
  std::function<void(int)> call;

  static void wait(std::shared_ptr<Signals> state) {
    Signals& self = *state;
    self.source.async_wait([state = std::move(state)](const error_code& error, int signal) {
      if (error || !state->alive) return;
      state->call(signal);
      if (state->alive) wait(state);
    });
  }
  static void end(Signals& state) {
    error_code ignored;
    state.source.cancel(ignored);
    state.source.clear(ignored);
  }
};

}  // namespace

Loop::Loop() : work_(boost::asio::make_work_guard(context_)) {}
Loop::~Loop() = default;

void Loop::run() {
  context_.run();
  // After run(), so that a stop() that came before it is not forgotten.
  context_.restart();
}

bool Loop::run_some(Micros limit) {
  const bool ran = context_.run_one_for(limit) > 0;
  if (ran) context_.poll();
  if (context_.stopped()) context_.restart();
  return ran;
}

void Loop::stop() { context_.stop(); }

void Loop::post(std::function<void()> call) { boost::asio::post(context_, std::move(call)); }

std::unique_ptr<Loop::Handle> Loop::watch_readable(int fd, std::function<void()> call) {
  auto state = std::make_shared<Readable>(context_);
  error_code error;
  state->source.assign(fd, error);
  HASTUR_CHECK(!error, "a watched descriptor is open and watched once");
  state->call = std::move(call);
  Readable::wait(state);
  return std::make_unique<HandleOf<Readable, Readable::end>>(std::move(state));
}

std::unique_ptr<Loop::Handle> Loop::after(Micros delay, std::function<void()> call) {
  auto state = std::make_shared<Timer>(context_);
  state->call = std::move(call);
  state->source.expires_after(delay);
  Timer::wait(state);
  return std::make_unique<HandleOf<Timer, Timer::end>>(std::move(state));
}

std::unique_ptr<Loop::Handle> Loop::every(Micros period, std::function<void()> call) {
  HASTUR_CHECK(period > Micros{0}, "a period is above zero");
  auto state = std::make_shared<Timer>(context_);
  state->call = std::move(call);
  state->period = period;
  state->source.expires_after(period);
  Timer::wait(state);
  return std::make_unique<HandleOf<Timer, Timer::end>>(std::move(state));
}

std::unique_ptr<Loop::Handle> Loop::on_signals(std::initializer_list<int> signals,
                                               std::function<void(int)> call) {
  auto state = std::make_shared<Signals>(context_);
  for (const int signal : signals) {
    error_code error;
    state->source.add(signal, error);
    HASTUR_CHECK(!error, "a watched signal exists and can be caught");
  }
  state->call = std::move(call);
  Signals::wait(state);
  return std::make_unique<HandleOf<Signals, Signals::end>>(std::move(state));
}

boost::asio::io_context& Loop::context() { return context_; }

}  // namespace hastur
