#include "core/suggest.h"

#include <gtest/gtest.h>

#include <vector>

namespace hastur {
namespace {

const std::vector<std::string> known = {"name", "labels", "hostname", "none_of", "udp"};

TEST(Nearest, FindsTheWordThatWasMeant) {
  EXPECT_EQ(nearest("lables", known), "labels");
  EXPECT_EQ(nearest("nam", known), "name");
  EXPECT_EQ(nearest("hostnam", known), "hostname");
  EXPECT_EQ(nearest("upd", known), "udp");
  EXPECT_EQ(nearest("none-of", known), "none_of");
}

TEST(Nearest, SuggestsNothingFarFetched) {
  EXPECT_EQ(nearest("colour", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(100'000, 'n'), known), "");
  EXPECT_EQ(nearest("name", {}), "");
}

}  // namespace
}  // namespace hastur
