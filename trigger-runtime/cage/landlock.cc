#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "core/fd.h"
#include "trigger-runtime/cage/walls.h"

namespace hastur {
namespace {

// linux/landlock.h as of ABI 7; Debian 12's headers stop at ABI 2. Fields and bits that a kernel
// does not know must be zero.
struct LandlockRules {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
constexpr std::uint32_t landlock_create_ruleset_version = 1;

constexpr std::uint64_t lowest_bits(int count) { return (std::uint64_t{1} << count) - 1; }

LandlockRules everything(long abi) {
  LandlockRules rules{};
  // ABI 1: 13 kinds of access. 2: REFER. 3: TRUNCATE. 5: IOCTL_DEV.
  rules.handled_access_fs = lowest_bits(13);
  if (abi >= 2) rules.handled_access_fs = lowest_bits(14);
  if (abi >= 3) rules.handled_access_fs = lowest_bits(15);
  if (abi >= 5) rules.handled_access_fs = lowest_bits(16);
  // BIND_TCP, CONNECT_TCP.
  if (abi >= 4) rules.handled_access_net = lowest_bits(2);
  // ABSTRACT_UNIX_SOCKET, SIGNAL.
  if (abi >= 6) rules.scoped = lowest_bits(2);
  return rules;
}

Failure cannot() {
  return fail(ErrorCode::unavailable, fmt::format("no Landlock: {}", strerror(errno)));
}

}  // namespace

Result<void> deny_files() {
  const long abi =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, landlock_create_ruleset_version);
  if (abi < 1) return cannot();
  const LandlockRules rules = everything(abi);
  const Fd ruleset(
      static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0)));
  // What is handled and has no rule is denied.
  if (!ruleset.is_open() || syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return cannot();
  }
  return {};
}

}  // namespace hastur
