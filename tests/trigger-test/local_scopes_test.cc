#include "trigger-test/local_scopes.h"

#include <gtest/gtest.h>

#include <string>

namespace hastur {
namespace {

std::string lines_of(const LocalScopes& scopes, const char* name, std::uint32_t lines) {
  std::string alive;
  for (std::uint32_t line = 1; line <= lines; ++line)
    alive += scopes.is_alive(name, line) ? std::to_string(line) + " " : "";
  return alive;
}

TEST(LocalScopes, BeginBehindTheirDeclarationAndEndWithTheirBlock) {
  const LocalScopes scopes(R"(local ctx = hastur.trigger{}
ctx:every("1s", function(tick)
  for host, v in pairs(ctx.state.v) do
    local over, far = v - 10, 1
    if over > 0 then
      local left = 1
      print(left)
    else
      print(over)
    end
  end
  repeat local r = 1
    print(r)
  until true
  print("the end of for host in do")
end)
local function last(a) return a end
)");
  EXPECT_EQ(lines_of(scopes, "tick", 18), "2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 ");
  EXPECT_EQ(lines_of(scopes, "host", 18), "4 5 6 7 8 9 10 11 ");
  EXPECT_EQ(lines_of(scopes, "v", 18), "4 5 6 7 8 9 10 11 ");
  EXPECT_EQ(lines_of(scopes, "over", 18), "5 6 7 8 9 10 11 ");
  EXPECT_EQ(lines_of(scopes, "far", 18), "5 6 7 8 9 10 11 ");
  EXPECT_EQ(lines_of(scopes, "left", 18), "7 8 ");
  EXPECT_EQ(lines_of(scopes, "r", 18), "13 14 ");
  EXPECT_EQ(lines_of(scopes, "a", 18), "17 ");
  EXPECT_EQ(lines_of(scopes, "ctx", 3), "2 3 ");
  EXPECT_TRUE(scopes.is_alive("nowhere", 1));
}

TEST(LocalScopes, OfAFileThatIsNoLuaAreSome) {
  for (const char* text : {"", "local", "for", "function(", "end end until", "local a,", "for x,"})
    EXPECT_TRUE(LocalScopes(text).is_alive("nowhere", 1)) << text;
}

}  // namespace
}  // namespace hastur
