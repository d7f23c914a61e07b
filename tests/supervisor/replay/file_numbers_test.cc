#include "supervisor/replay/file_numbers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hastur {
namespace {

std::vector<Sequence> rows(const std::vector<std::uint64_t>& numbers) {
  std::vector<Sequence> all;
  for (const std::uint64_t number : numbers) all.push_back({number});
  return all;
}

// "FROM+COUNT@FIRST" of each piece, then the numbers of the rows.
std::string take(FileNumbers& numbers, const std::vector<std::uint64_t>& of_rows, bool exactly,
                 std::uint64_t first = 1) {
  BatchHeader header;
  header.first = {first};
  header.count = static_cast<std::uint32_t>(of_rows.size());
  const auto pieces = numbers.take(header, rows(of_rows), exactly);
  if (!pieces) return pieces.error().message;
  std::string text;
  for (const FileNumbers::Piece& piece : *pieces)
    text += fmt::format("{}+{}@{} ", piece.from, piece.count, piece.first.value);
  return text + fmt::format("[{}]", fmt::join(numbers.numbers(), " "));
}

TEST(FileNumbers, AreThoseOfTheLines) {
  FileNumbers numbers(rows({5, 6}));
  EXPECT_TRUE(numbers.are_there());
  EXPECT_EQ(take(numbers, {5, 6, 7}, true), "0+3@5 [5 6 7]");
  EXPECT_EQ(take(numbers, {8, 9}, true, 4), "0+2@8 [8 9]");
}

TEST(FileNumbers, PartABatchAtAHoleOnlyIfTheyMustBeExact) {
  FileNumbers exact(rows({5}));
  EXPECT_EQ(take(exact, {5, 6, 9, 12, 13}, true), "0+2@5 2+1@9 3+2@12 [5 6 9 12 13]");
  EXPECT_EQ(take(exact, {20}, true), "0+1@20 [20]");
  FileNumbers whole(rows({5}));
  EXPECT_EQ(take(whole, {5, 6, 9, 12, 13}, false), "0+5@5 [5 6 9 12 13]");
  EXPECT_EQ(take(whole, {20, 22}, false), "0+2@20 [20 22]");
}

TEST(FileNumbers, GiveWhatWasPutInOneThatIsFree) {
  FileNumbers numbers(rows({0, 7}));
  EXPECT_TRUE(numbers.are_there());
  EXPECT_EQ(take(numbers, {0, 7, 0, 0, 12, 0}, true), "0+2@6 2+4@10 [6 7 10 11 12 13]");
  // There is no room.
  FileNumbers tight(rows({7}));
  EXPECT_EQ(take(tight, {7, 0, 8}, false), "0+3@7 [7 8 9]");
}

TEST(FileNumbers, ThatDoNotRiseAreAnErrorWhereTheyMustBeExact) {
  FileNumbers exact(rows({7}));
  EXPECT_EQ(take(exact, {7, 9, 8}, true), "the input with the \"seq\" 8 stands behind one with 9");
  FileNumbers other(rows({7}));
  EXPECT_EQ(take(other, {7, 9, 8, 12}, false), "0+4@7 [7 9 10 12]");
}

TEST(FileNumbers, OfAFileWithoutAreTheReaders) {
  FileNumbers numbers(rows({0, 0}));
  EXPECT_FALSE(numbers.are_there());
  EXPECT_EQ(take(numbers, {0, 0}, true, 31), "0+2@31 []");
}

}  // namespace
}  // namespace hastur
