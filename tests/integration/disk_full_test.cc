// Each database on a disk of its own that fills up under load, or in a process whose files may grow
// no further. Mounting wants root; without it those tests are skipped.

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/fd.h"
#include "tests/integration/load.h"
#include "tests/integration/one_pass.h"
#include "tests/integration/platform.h"
#include "tests/integration/scripts.h"
#include "tests/integration/waiting.h"

namespace hastur {
namespace {

constexpr Micros soon = std::chrono::seconds{60};
constexpr std::uint64_t per_second = is_sanitized ? 500 : 5'000;

// A tmpfs on a folder, while it lives.
class SmallDisk {
 public:
  SmallDisk(std::string folder, const char* size) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    const std::string options = fmt::format("size={}", size);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) why_not_ = strerror(errno);
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }
  const std::string& why_not() const { return why_not_; }

  static constexpr const char* remedy = "free space on its disk";
  // To the last page.
  void fill() {
    const Fd file(open(ballast().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    const std::string block(4096, 'x');
    while (write(file.get(), block.data(), block.size()) > 0) {
    }
  }
  void free() { std::filesystem::remove(ballast()); }

 private:
  std::string ballast() const { return folder_ + "/ballast"; }
  std::string folder_, why_not_;
  bool mounted_ = false;
};

// A limit on how large a process may make its files, from fill() to free(); its log has room.
class FileLimit {
 public:
  explicit FileLimit(pid_t process) : process_(process) {}
  static constexpr const char* remedy = "(ulimit -f, LimitFSIZE)";
  void fill() { set(rlim_t{256} << 10); }
  void free() { set(RLIM_INFINITY); }

 private:
  void set(rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    EXPECT_EQ(prlimit(process_, RLIMIT_FSIZE, &limit, nullptr), 0) << strerror(errno);
  }
  pid_t process_;
};

class DiskFull : public testing::Test {
 protected:
  void start() {
    platform_.save_script("chatty", chatty_script);
    platform_.save_script("each_second", each_second_script);
    ASSERT_TRUE(platform_.start_syndicator());
    ASSERT_TRUE(platform_.start_supervisor());
    ASSERT_TRUE(platform_.wait_for_triggers());
  }
  // Sends before, while and after the disk is full; `process` says so, and then that it is over.
  template <typename Disk>
  void overfill(Disk& disk, Process& process, const std::string& sentence) {
    Sender sender(platform_.udp_port());
    sender.send(per_second, per_second);
    sender.finish();
    ASSERT_TRUE(platform_.settle("chatty"));
    disk.fill();
    sender.send(4 * per_second, per_second);
    EXPECT_TRUE(wait_until(
        [&] {
          // What it frees of its own is taken too.
          disk.fill();
          return process.log_since_start().find(sentence) != std::string::npos;
        },
        soon))
        << process.log_since_start();
    EXPECT_NE(process.log_since_start().find(disk.remedy), std::string::npos)
        << process.log_since_start();
    sender.finish();
    disk.free();
    sender.send(per_second, per_second);
    sender.finish();
    ASSERT_TRUE(platform_.settle("chatty"));
    EXPECT_TRUE(process.is_running());
    sent_ = sender.sent();
    platform_.stop();
    Remains remains(platform_);
    remains.expect_every_datagram_once(sent_);
    EXPECT_GT(remains.expect_one_pass(), 0u);
    fmt::print("{} of {} datagrams received\n", remains.census().datagrams, sent_);
  }

  Platform platform_;
  std::uint64_t sent_ = 0;
};

TEST_F(DiskFull, OfTheHistoryLosesNothingThatWasCounted) {
  SmallDisk disk(platform_.history_folder(), "24m");
  if (!disk.is_mounted())
    GTEST_SKIP() << "NOT TESTED: a small disk cannot be mounted: " << disk.why_not();
  start();
  ASSERT_FALSE(HasFailure());
  overfill(disk, platform_.syndicator(), "the History cannot be written");
}

TEST_F(DiskFull, OfTheStateFileHoldsEffectsBackUntilThereIsRoom) {
  SmallDisk disk(std::filesystem::path(platform_.state_file()).parent_path(), "24m");
  if (!disk.is_mounted())
    GTEST_SKIP() << "NOT TESTED: a small disk cannot be mounted: " << disk.why_not();
  start();
  ASSERT_FALSE(HasFailure());
  overfill(disk, platform_.supervisor(), "nothing leaves until a commit succeeds");
}

TEST_F(DiskFull, ALimitOfFileSizeIsAFullDiskToTheHistory) {
  start();
  ASSERT_FALSE(HasFailure());
  FileLimit limit(platform_.syndicator().pid());
  overfill(limit, platform_.syndicator(), "the History cannot be written");
}

TEST_F(DiskFull, ALimitOfFileSizeIsAFullDiskToTheStateFile) {
  start();
  ASSERT_FALSE(HasFailure());
  FileLimit limit(platform_.supervisor().pid());
  overfill(limit, platform_.supervisor(), "nothing leaves until a commit succeeds");
}

}  // namespace
}  // namespace hastur
