#pragma once

// What tests with real sockets share.

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/loop.h"
#include "syndicator/client/zmq.h"

namespace hastur {

// A socket that was closed gives its port back a little later, on ZeroMQ's own thread.
inline void bind_again(ZmqSocket& socket, const std::string& address) {
  while (true) {
    const auto bound = socket.bind(address);
    if (bound) return;
    ASSERT_EQ(bound.error().code, ErrorCode::conflict) << bound.error().message;
  }
}

inline void run_until(Loop& loop, const std::function<bool()>& done) {
  while (!done()) {
    if (!loop.run_some(std::chrono::seconds{10})) {
      FAIL() << "nothing happened for 10 s";
    }
  }
}

}  // namespace hastur
