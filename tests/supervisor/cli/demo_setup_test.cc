#include "supervisor/cli/demo_setup.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>

#include "core/fd.h"
#include "core/settings.h"

namespace hastur {
namespace {

struct Held {
  Fd socket;
  std::uint16_t port = 0;
};

Held hold_port(int type) {
  Held held{Fd(::socket(AF_INET, type, 0)), 0};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(held.socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(listen(held.socket.get(), 1), 0);
  }
  socklen_t size = sizeof address;
  getsockname(held.socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
  held.port = ntohs(address.sin_port);
  return held;
}

TEST(AvoidTakenPorts, ReplacesOnlyWhatIsTakenAndSaysSo) {
  const Held udp = hold_port(SOCK_DGRAM);
  const Held tcp = hold_port(SOCK_STREAM);
  DemoAddresses addresses;
  addresses.udp = "127.0.0.1:" + std::to_string(udp.port);
  addresses.publish = "tcp://127.0.0.1:0";
  addresses.request = "tcp://127.0.0.1:" + std::to_string(tcp.port);
  addresses.http = "127.0.0.1:0";
  const DemoAddresses before = addresses;
  const auto changes = avoid_taken_ports(addresses);
  ASSERT_TRUE(changes) << changes.error().message;
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[0].rfind("UDP port " + std::to_string(udp.port) + " is taken; using ", 0),
            0u);
  EXPECT_EQ((*changes)[1].rfind("TCP port " + std::to_string(tcp.port) + " is taken; using ", 0),
            0u);
  EXPECT_NE(addresses.udp, before.udp);
  EXPECT_EQ(addresses.request.rfind("tcp://127.0.0.1:", 0), 0u);
  EXPECT_NE(addresses.request, before.request);
  EXPECT_EQ(addresses.publish, before.publish);
  EXPECT_TRUE(accepts_connections(before.request));
  EXPECT_FALSE(accepts_connections(addresses.request));
}

TEST(AvoidTakenPorts, RefusesWhatIsNoAddress) {
  DemoAddresses addresses;
  addresses.udp = "8125";
  EXPECT_FALSE(avoid_taken_ports(addresses));
  EXPECT_FALSE(split_address("127.0.0.1:99999"));
  EXPECT_FALSE(split_address("127.0.0.1:80x"));
  EXPECT_EQ(split_address("tcp://[::1]:80")->host, "::1");
}

TEST(DemoConfig, ReadsBackTheAddressesItWasMadeOf) {
  const std::string path = testing::TempDir() + "demo_config.toml";
  DemoAddresses addresses;
  addresses.udp = "127.0.0.1:1";
  addresses.http = "127.0.0.1:2";
  std::ofstream(path) << demo_config(addresses, "/a", "/b");
  const auto read = read_addresses(path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, addresses);
  std::filesystem::remove(path);
}

TEST(FindScript, FindsTheFirstThatHoldsTheText) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "find_script";
  std::filesystem::create_directories(folder / "sub");
  std::ofstream(folder / "a.lua") << "nothing";
  std::ofstream(folder / "a.test.lua") << "wanted";
  std::ofstream(folder / "sub" / "b.lua") << "is wanted here";
  EXPECT_EQ(find_script(folder, "wanted"), folder / "sub" / "b.lua");
  EXPECT_EQ(find_script(folder, ""), folder / "a.lua");
  EXPECT_EQ(find_script(folder, "missing"), "");
  EXPECT_EQ(find_script(folder / "no", ""), "");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hastur
