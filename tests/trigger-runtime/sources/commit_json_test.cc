#include "trigger-runtime/sources/commit_json.h"

#include <gtest/gtest.h>

namespace hastur {
namespace {

TEST(CommitJson, GivesBackWhatItWasMadeOf) {
  CommitFiles commit;
  commit.commit = std::string(40, 'a');
  commit.author = "Ada";
  commit.subject = "a \"change\"";
  commit.time = time_from_us(1'704'067'200'000'000);
  commit.files = {{"a.lua", "one\ntwo\t"}, {"lib/\xc3\xbc.lua", ""}};
  commit.problems = {"b.lua: a link is not followed; copy what it points at"};
  const auto text = canonical_json(commit_to_json(commit));
  const auto again = commit_from_json(parse_json(text).value());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->commit, commit.commit);
  EXPECT_EQ(again->author, commit.author);
  EXPECT_EQ(again->subject, commit.subject);
  EXPECT_EQ(again->time, commit.time);
  EXPECT_EQ(again->files, commit.files);
  EXPECT_EQ(again->problems, commit.problems);
}

TEST(CommitJson, NamesTheFieldThatIsWrong) {
  CommitFiles commit;
  commit.commit = std::string(40, 'a');
  const Json good = commit_to_json(commit);
  ASSERT_TRUE(commit_from_json(good));
  const Json numbers = parse_json("[1]").value();
  for (const auto& [field, value] : {std::pair<const char*, Json>{"commit", "HEAD"},
                                     {"author", 1},
                                     {"subject", nullptr},
                                     {"time", "now"},
                                     {"files", numbers},
                                     {"problems", numbers}}) {
    Json bad = good;
    bad[field] = value;
    const auto read = commit_from_json(bad);
    ASSERT_FALSE(read) << field;
    EXPECT_TRUE(read.error().message.starts_with("'" + std::string(field) + "' must be "));
  }
}

}  // namespace
}  // namespace hastur
