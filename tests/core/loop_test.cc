#include "core/loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <memory>

#include "core/fd.h"

namespace hastur {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reading = Fd(ends[0]);
    writing = Fd(ends[1]);
  }
  void write_byte() { EXPECT_EQ(::write(writing.get(), "x", 1), 1); }
  void read_byte() {
    char byte = 0;
    EXPECT_EQ(::read(reading.get(), &byte, 1), 1);
  }
  Fd reading, writing;
};

TEST(Loop, CallsAgainAsLongAsThereIsSomethingToRead) {
  Loop loop;
  Pipe pipe;
  int calls = 0;
  const auto watch = loop.watch_readable(pipe.reading.get(), [&] {
    ++calls;
    pipe.read_byte();
  });
  pipe.write_byte();
  pipe.write_byte();
  while (calls < 2) ASSERT_TRUE(loop.run_some(seconds{5}));
  EXPECT_FALSE(loop.run_some(milliseconds{1}));
  pipe.write_byte();
  ASSERT_TRUE(loop.run_some(seconds{5}));
  EXPECT_EQ(calls, 3);
}

TEST(Loop, LeavesTheDescriptorOpenWhenTheWatchEnds) {
  Loop loop;
  Pipe pipe;
  auto watch = loop.watch_readable(pipe.reading.get(), [] { ADD_FAILURE(); });
  pipe.write_byte();
  watch.reset();
  EXPECT_FALSE(loop.run_some(milliseconds{1}) && loop.run_some(milliseconds{1}));
  pipe.read_byte();
  // And it may be watched anew.
  bool called = false;
  watch = loop.watch_readable(pipe.reading.get(), [&] {
    called = true;
    pipe.read_byte();
  });
  pipe.write_byte();
  while (!called) ASSERT_TRUE(loop.run_some(seconds{5}));
}

TEST(Loop, AWatchMayEndItselfWithinItsCall) {
  Loop loop;
  Pipe pipe;
  int calls = 0;
  std::unique_ptr<Loop::Handle> watch;
  watch = loop.watch_readable(pipe.reading.get(), [&] {
    ++calls;
    watch.reset();
  });
  pipe.write_byte();
  ASSERT_TRUE(loop.run_some(seconds{5}));
  EXPECT_FALSE(loop.run_some(milliseconds{1}));
  EXPECT_EQ(calls, 1);
}

TEST(Loop, ADestroyedTimerIsNotCalledThoughItWasDue) {
  Loop loop;
  std::unique_ptr<Loop::Handle> second;
  bool first_called = false;
  const auto first = loop.after(Micros{0}, [&] {
    first_called = true;
    second.reset();
  });
  second = loop.after(Micros{0}, [] { ADD_FAILURE() << "its handle was destroyed before"; });
  while (loop.run_some(milliseconds{1})) {
  }
  EXPECT_TRUE(first_called);
}

TEST(Loop, APeriodicTimerGoesOnUntilItsHandleGoes) {
  Loop loop;
  int calls = 0;
  auto timer = loop.every(milliseconds{1}, [&] { ++calls; });
  while (calls < 3) ASSERT_TRUE(loop.run_some(seconds{5}));
  timer.reset();
  loop.run_some(milliseconds{1});
  const int then = calls;
  EXPECT_FALSE(loop.run_some(milliseconds{5}));
  EXPECT_EQ(calls, then);
}

TEST(Loop, RunEndsWhenStoppedAndCanRunAgain) {
  Loop loop;
  int calls = 0;
  loop.post([&] {
    ++calls;
    loop.stop();
  });
  loop.run();
  loop.post([&] {
    ++calls;
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(calls, 2);
  loop.stop();
  loop.run();  // returns at once
}

TEST(Loop, BringsASignalInsteadOfItsDefaultAction) {
  Loop loop;
  int got = 0;
  const auto signals = loop.on_signals({SIGTERM, SIGHUP}, [&](int signal) { got = signal; });
  ASSERT_EQ(::raise(SIGHUP), 0);
  while (got != SIGHUP) ASSERT_TRUE(loop.run_some(seconds{5}));
  ASSERT_EQ(::raise(SIGTERM), 0);
  while (got != SIGTERM) ASSERT_TRUE(loop.run_some(seconds{5}));
}

}  // namespace
}  // namespace hastur
