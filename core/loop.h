#pragma once

// The event loop of a process: descriptors, timers, signals and posted calls, on one thread.
//
// A thin wrapper of Boost.Asio, which the HTTP server uses too (context()). Everything called by
// the loop is called on the thread that runs it; only post() and stop() may be called from
// elsewhere.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "core/time.h"

namespace hastur {

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Ends when stop() is called; at once if it has been called since the last run.
  void run();
  // Runs what is ready, and waits for at most `limit` for something to be; true if anything ran.
  // For tests, and for programs that wait for one thing after the other.
  bool run_some(Micros limit);
  void stop();

  void post(std::function<void()> call);

  // Destroying the handle ends the watch or timer; what it would have called is not called any
  // more. It may be destroyed from within its own call, and must be before the loop.
  class Handle {
   public:
    virtual ~Handle() = default;
  };
  // Calls each time `fd` is readable (level-triggered: as long as there is something to read). Does
  // not own it: destroy the handle before closing it.
  [[nodiscard]] std::unique_ptr<Handle> watch_readable(int fd, std::function<void()> call);
  [[nodiscard]] std::unique_ptr<Handle> after(Micros delay, std::function<void()> call);
  // A `period` after the call before, the first after one period: what the loop was held up for is
  // not made up.
  [[nodiscard]] std::unique_ptr<Handle> every(Micros period, std::function<void()> call);
  // SIGTERM and SIGINT, SIGHUP …: the signal is blocked from its default action while the handle
  // lives.
  [[nodiscard]] std::unique_ptr<Handle> on_signals(std::initializer_list<int> signals,
                                                   std::function<void(int)> call);

  boost::asio::io_context& context();

 private:
  boost::asio::io_context context_;
  // Without it Asio's loop would end whenever nothing is being waited for.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
};

}  // namespace hastur
