#include "trigger-runtime/host/input_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/trigger-runtime/host/driver.h"

namespace hastur {
namespace {

class InputMemoryTest : public ::testing::Test {
 protected:
  std::unique_ptr<SharedInputs> made_ = std::move(*SharedInputs::make(1u << 20));
  InputMemory& memory_ = static_cast<InputMemory&>(*made_);
};

TEST_F(InputMemoryTest, CanOnlyBeReadThroughItsDescriptor) {
  const int fd = memory_.file().fd();
  EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
  void* readable = mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
  ASSERT_NE(readable, MAP_FAILED);
  EXPECT_NE(mprotect(readable, 4096, PROT_READ | PROT_WRITE), 0);
  munmap(readable, 4096);
  EXPECT_LT(pwrite(fd, "x", 1, 0), 0);
  EXPECT_NE(ftruncate(fd, 0), 0);
  EXPECT_NE(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), 0);
}

TEST_F(InputMemoryTest, HoldsABatchOnceForAllWorkers) {
  const auto input = testing::numbered_input(1, 4, std::string(700u << 10, 'b'));
  const auto first = memory_.place_input(input);
  const auto second = memory_.place_input(input);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  memory_.give_back_input(input);
  EXPECT_FALSE(memory_.place(std::string(700u << 10, 'x')));
  memory_.give_back_input(input);
  EXPECT_TRUE(memory_.place(std::string(700u << 10, 'x')));
}

class Turn : public InputMemory::Waiter {
 public:
  bool room_made() override {
    ++calls;
    return satisfied;
  }
  int calls = 0;
  bool satisfied = false;
};

TEST_F(InputMemoryTest, ServesThoseWhoWaitInTheirOrder) {
  Turn first;
  Turn second;
  memory_.wait(first);
  memory_.wait(second);
  memory_.wait(first);
  EXPECT_TRUE(memory_.may_place(first));
  EXPECT_FALSE(memory_.may_place(second));
  memory_.serve_waiters();
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.calls, 0);
  first.satisfied = true;
  memory_.serve_waiters();
  EXPECT_EQ(second.calls, 1);
  EXPECT_TRUE(memory_.may_place(second));
  memory_.stop_waiting(second);
  EXPECT_TRUE(memory_.may_place(first));
}

}  // namespace
}  // namespace hastur
