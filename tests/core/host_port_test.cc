#include "core/host_port.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hastur {
namespace {

std::string parts(std::string_view text) {
  const auto split = split_host_port(text);
  return split ? fmt::format("{} {}", split->host, split->port) : "none";
}

TEST(HostPort, IsSplitAtItsLastColon) {
  EXPECT_EQ(parts("127.0.0.1:8125"), "127.0.0.1 8125");
  EXPECT_EQ(parts("[::1]:0"), "::1 0");
  EXPECT_EQ(parts("metrics.example.com:65535"), "metrics.example.com 65535");
  EXPECT_EQ(parts("*:1"), "* 1");
}

TEST(HostPort, IsNoneWithoutAHostOrAPort) {
  for (const char* text :
       {"", ":", "a", "a:", ":1", "a:b", "a:1b", "a:65536", "a:-1", "a: 1", "[::1]"})
    EXPECT_EQ(parts(text), "none") << text;
}

}  // namespace
}  // namespace hastur
