#include "core/settings.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>

namespace hastur {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  std::string udp = "127.0.0.1:8125";
  std::vector<std::string> core;
  std::uint64_t ring_max = 1000;
  bool verbose = false;
  Micros retention = 168h;
  std::uint64_t size_max = 10u << 20;
  std::string durability = "default";
  std::string state = "state.db";
  Settings settings;

  Fixture() {
    Section& syndicator = settings.section("syndicator");
    syndicator.text("udp", &udp, "where datagrams arrive");
    syndicator.list("core", &core, "Hastur cores");
    syndicator.number("ring_max", &ring_max, "messages kept");
    syndicator.truth("verbose", &verbose, "say more");
    syndicator.span("retention", &retention, "how long");
    syndicator.bytes("size_max", &size_max, "how much");
    syndicator.choice("durability", &durability, {"default", "synced"}, "what survives");
    settings.section("syndicator.disk").text("path", &state, "where");
    settings.allow({"supervisor", "notify.*"});
  }
  std::string refusal(std::string_view text) {
    const auto read = settings.read_text(text, "hastur.toml");
    return read ? "" : read.error().message;
  }
  std::string flag_refusal(const std::string& key, std::string_view value) {
    const auto set = settings.set("syndicator", key, value);
    return set ? "" : set.error().message;
  }
};

TEST(Settings, ReadsEveryKindOfKeyAndKeepsDefaults) {
  Fixture f;
  ASSERT_EQ(f.refusal(R"(
# a comment
[syndicator]
udp = "0.0.0.0:9000"
core = ["tcp://a:1", "tcp://b:2"]
ring_max = 5
verbose = true
retention = "2h"
size_max = "3MiB"
[syndicator.disk]
path = "x.db"
[supervisor]
whatever = 1
[notify.oncall]
url = "x"
)"),
            "");
  EXPECT_EQ(f.udp, "0.0.0.0:9000");
  EXPECT_EQ(f.core, (std::vector<std::string>{"tcp://a:1", "tcp://b:2"}));
  EXPECT_EQ(f.ring_max, 5u);
  EXPECT_TRUE(f.verbose);
  EXPECT_EQ(f.retention, 2h);
  EXPECT_EQ(f.size_max, 3u << 20);
  EXPECT_EQ(f.durability, "default");
  EXPECT_EQ(f.state, "x.db");
}

TEST(Settings, NamesFileLineAndNearestKey) {
  Fixture f;
  EXPECT_EQ(f.refusal("[syndicator]\n\nupd = \"x\"\n"),
            "hastur.toml:3: unknown key \"upd\" in [syndicator]; did you mean \"udp\"?");
  EXPECT_EQ(f.refusal("[syndicator]\nzzzzz = 1\n"),
            "hastur.toml:2: unknown key \"zzzzz\" in [syndicator]; it takes udp, core, ring_max, "
            "verbose, retention, "
            "size_max, durability");
  EXPECT_EQ(f.refusal("\n[sindicator]\nudp = \"x\"\n"),
            "hastur.toml:2: unknown section [sindicator]; did you mean \"syndicator\"?");
  EXPECT_EQ(f.refusal("[syndicator.dick]\npath = \"x\"\n"),
            "hastur.toml:1: unknown section [syndicator.dick]; did you mean \"syndicator.disk\"?");
  EXPECT_EQ(f.refusal("[[syndicator]]\nudp = \"x\"\n"),
            "hastur.toml:1: [[syndicator]] begins a list of sections, and there is one: write "
            "[syndicator]");
  EXPECT_EQ(f.refusal("udp = \"x\"\n"),
            "hastur.toml:1: \"udp\" stands outside of a section; a section begins with a line like "
            "[syndicator]");
}

TEST(Settings, SaysWhatAKeyTakes) {
  Fixture f;
  const auto refusal = [&](std::string line) { return f.refusal("[syndicator]\n" + line + "\n"); };
  EXPECT_EQ(refusal("udp = 8125"),
            "hastur.toml:2: [syndicator] udp takes a text in quotes, not 8125");
  EXPECT_EQ(
      refusal("core = \"x\""),
      "hastur.toml:2: [syndicator] core takes a list of texts like [\"a\", \"b\"], not \"x\"");
  EXPECT_EQ(
      refusal("core = [1]"),
      "hastur.toml:2: [syndicator] core takes a list of texts like [\"a\", \"b\"], not a list with "
      "1 in it");
  EXPECT_EQ(refusal("ring_max = -1"),
            "hastur.toml:2: [syndicator] ring_max takes a whole number from 0 up, not -1");
  EXPECT_EQ(refusal("ring_max = 1.5"),
            "hastur.toml:2: [syndicator] ring_max takes a whole number from 0 up, not 1.5");
  EXPECT_EQ(refusal("verbose = 1"),
            "hastur.toml:2: [syndicator] verbose takes true or false, not 1");
  EXPECT_EQ(refusal("retention = 5"),
            "hastur.toml:2: [syndicator] retention takes a span in quotes like \"5m\", not 5");
  EXPECT_EQ(refusal("size_max = \"3MB\""),
            "hastur.toml:2: [syndicator] size_max takes a number of bytes or a text like "
            "\"16MiB\", not \"3MB\"");
  EXPECT_EQ(
      refusal("durability = \"sync\""),
      "hastur.toml:2: [syndicator] durability takes one of \"default\", \"synced\", not \"sync\"");
  EXPECT_EQ(refusal("udp = {a = 1}"),
            "hastur.toml:2: [syndicator] udp takes a text in quotes, not a table");
}

TEST(Settings, RefusesHeadersThatAreHalfTyped) {
  for (const char* header :
       {"[", "[[", "[[[", "[]", "[[]]", "[.]", "[a.]", "[.a]", "[[[syndicator]]]", "[ ", "[\"",
        "[=]", "[syndicator", "[[syndicator]", "[#]", "a", "a.", "="}) {
    for (const char* end : {"", "\n", "\r\n", " \n", "\nudp = \"x\"\n", "\0"}) {
      Fixture f;
      const std::string refusal = f.refusal(std::string(header) + end);
      EXPECT_NE(refusal.find("hastur.toml:1"), std::string::npos) << header << end << refusal;
      EXPECT_EQ(f.udp, Fixture().udp);
    }
  }
}

TEST(Settings, AFileWithAnErrorChangesNothing) {
  Fixture f;
  EXPECT_NE(f.refusal("[syndicator]\nring_max = 7\nverbose = 3\n"), "");
  EXPECT_EQ(f.ring_max, 1000u);
}

TEST(Settings, PassesOverWhatItDoesNotKnowIfToldTo) {
  Fixture f;
  f.settings.pass_over_unknown();
  EXPECT_EQ(f.refusal("top = 1\n[syndicator]\nudp = \"x\"\nnew = 2\n[other.deeper]\na = 1\n"), "");
  EXPECT_EQ(f.udp, "x");
  EXPECT_NE(f.refusal("[syndicator]\nudp = 1\n"), "");
}

TEST(Settings, SaysWhereATextIsNotToml) {
  Fixture f;
  EXPECT_EQ(f.refusal("[syndicator]\nudp = \n").rfind("hastur.toml:2: not TOML: ", 0), 0u)
      << f.refusal("[syndicator]\nudp = \n");
  EXPECT_NE(f.refusal("[syndicator]\nudp = \"a\"\nudp = \"b\"\n").find("hastur.toml:3: not TOML"),
            std::string::npos);
}

TEST(Settings, SaysWhyAFileCannotBeRead) {
  Fixture f;
  const auto missing = f.settings.read_file("/nonexistent/hastur.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().message,
            "cannot read /nonexistent/hastur.toml: No such file or directory");
  const auto folder = f.settings.read_file("/");
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message, "cannot read /: Is a directory");
}

TEST(Settings, ReadsAFile) {
  Fixture f;
  const auto path = std::filesystem::path(testing::TempDir()) / "settings_test.toml";
  std::ofstream(path) << "[syndicator]\nudp = \"a:1\"\n";
  ASSERT_TRUE(f.settings.read_file(path));
  EXPECT_EQ(f.udp, "a:1");
  std::ofstream(path).flush();
  ASSERT_TRUE(f.settings.read_file(path)) << "an empty file is in order";
  std::filesystem::remove(path);
}

TEST(Settings, TakesFlags) {
  Fixture f;
  EXPECT_EQ(f.flag_refusal("udp", "x:1"), "");
  EXPECT_EQ(f.udp, "x:1");
  EXPECT_EQ(f.flag_refusal("core", "tcp://a:1, tcp://b:2"), "");
  EXPECT_EQ(f.core, (std::vector<std::string>{"tcp://a:1", "tcp://b:2"}));
  EXPECT_EQ(f.flag_refusal("core", ""), "");
  EXPECT_TRUE(f.core.empty());
  EXPECT_EQ(f.flag_refusal("ring_max", "12"), "");
  EXPECT_EQ(f.ring_max, 12u);
  EXPECT_EQ(f.flag_refusal("size_max", "4KiB"), "");
  EXPECT_EQ(f.size_max, 4096u);
  EXPECT_EQ(f.flag_refusal("retention", "1d"), "");
  EXPECT_EQ(f.retention, 24h);
  EXPECT_EQ(f.flag_refusal("verbose", "true"), "");
  EXPECT_TRUE(f.verbose);

  EXPECT_EQ(f.flag_refusal("ring_max", "12x"),
            "--ring-max takes a whole number from 0 up, not \"12x\"");
  EXPECT_EQ(f.flag_refusal("durability", "x"),
            "--durability takes one of \"default\", \"synced\", not \"x\"");
  EXPECT_EQ(f.flag_refusal("verbose", "yes"), "--verbose takes true or false, not \"yes\"");
  EXPECT_EQ(f.flag_refusal("retention", "5"),
            "--retention takes a span like 90s, 5m or 7d, not \"5\"");
}

TEST(Settings, ShowsWhatAKeyHoldsAsAFlagWouldGiveIt) {
  Fixture f;
  for (const Section::Key& key : f.settings.section("syndicator").keys()) {
    EXPECT_TRUE(f.settings.set("syndicator", key.name, key.current()))
        << key.name << " " << key.current();
  }
  EXPECT_EQ(f.retention, 168h);
  EXPECT_EQ(f.size_max, 10u << 20);
}

TEST(Bytes, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "MiB", "-1", "1.5MiB", "1MB", "1 MiB", "99999999999999999999", "99999999999999GiB"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

RC_GTEST_PROP(Bytes, ReadsBackWhatItWrites, (std::uint64_t bytes)) {
  RC_ASSERT(parse_bytes(format_bytes(bytes)).value() == bytes);
  const std::uint64_t whole = bytes >> 34 << 20;
  RC_ASSERT(parse_bytes(format_bytes(whole)).value() == whole);
}

struct FamilyFixture {
  struct Pet {
    std::string kind;
    std::uint64_t legs = 0;
    std::string song;
  };
  std::map<std::string, Pet> pets;
  Settings settings;

  FamilyFixture() {
    settings.section("house").number("rooms", &rooms, "rooms");
    settings.family(
        "pet", "kind",
        [this](const std::string& name, const std::string& kind, Section& section) -> Result<void> {
          if (kind != "dog" && kind != "bird")
            return fail(ErrorCode::invalid, "[pet." + name + "] is no pet");
          Pet& pet = pets[name];
          section.text("kind", &pet.kind, "what it is");
          if (kind == "dog") section.number("legs", &pet.legs, "legs");
          if (kind == "bird") section.text("song", &pet.song, "song");
          return {};
        });
  }
  std::string refusal(std::string_view text) {
    const auto read = settings.read_text(text, "f.toml");
    return read ? "" : read.error().message;
  }
  std::uint64_t rooms = 1;
};

TEST(Settings, AFamilysSectionsAreNamedByTheFile) {
  FamilyFixture f;
  EXPECT_EQ(f.refusal("[pet.rex]\nkind = \"dog\"\nlegs = 3\n[house]\nrooms = 2\n"
                      "[pet.tweety]\nsong = \"la\"\nkind = \"bird\"\n"),
            "");
  EXPECT_EQ(f.pets.at("rex").legs, 3u);
  EXPECT_EQ(f.pets.at("tweety").song, "la");
  EXPECT_EQ(f.rooms, 2u);
}

TEST(Settings, AFamilysFaultsHaveTheirPlace) {
  EXPECT_EQ(FamilyFixture().refusal("\n[pet.rex]\nkind = \"cat\"\n"),
            "f.toml:2: [pet.rex] is no pet");
  EXPECT_EQ(FamilyFixture().refusal("[pet.rex]\nlegs = 4\n"), "f.toml:1: [pet.rex] is no pet");
  EXPECT_EQ(FamilyFixture().refusal("[pet.rex]\nkind = \"dog\"\nsong = \"x\"\n"),
            "f.toml:3: unknown key \"song\" in [pet.rex]; it takes kind, legs");
  EXPECT_EQ(FamilyFixture().refusal("[pets.rex]\nkind = \"dog\"\n"),
            "f.toml:1: unknown section [pets]; did you mean \"pet\"?");
  EXPECT_NE(FamilyFixture().refusal("[pet]\nkind = \"dog\"\n"), "");
  EXPECT_EQ(FamilyFixture().refusal("[house]\n"), "");
}

}  // namespace
}  // namespace hastur
