#include "message/msgpack.h"
#include "core/json.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/message/generators.h"

namespace hastur {
namespace {

void write(MsgpackWriter& writer, const Json& json) {
  switch (json.type()) {
    case Json::value_t::object:
      writer.map(static_cast<std::uint32_t>(json.size()));
      for (const auto& [key, value] : json.items()) {
        writer.string(key);
        write(writer, value);
      }
      return;
    case Json::value_t::array:
      writer.array(static_cast<std::uint32_t>(json.size()));
      for (const Json& element : json) write(writer, element);
      return;
    case Json::value_t::string:
      writer.string(json.get_ref<const std::string&>());
      return;
    case Json::value_t::boolean:
      writer.boolean(json.get<bool>());
      return;
    case Json::value_t::number_integer:
      writer.integer(json.get<std::int64_t>());
      return;
    case Json::value_t::number_unsigned:
      writer.unsigned_integer(json.get<std::uint64_t>());
      return;
    case Json::value_t::number_float:
      writer.number(json.get<double>());
      return;
    default:
      writer.null();
      return;
  }
}

Json read(MsgpackReader& reader) {
  MsgpackItem item;
  if (!reader.next(item)) return Json::value_t::discarded;
  switch (item.kind) {
    case MsgpackItem::Kind::null:
      return nullptr;
    case MsgpackItem::Kind::boolean:
      return item.truth;
    case MsgpackItem::Kind::integer:
      return item.integer;
    case MsgpackItem::Kind::unsigned_integer:
      return item.unsigned_integer;
    case MsgpackItem::Kind::number:
      return item.number;
    case MsgpackItem::Kind::string:
    case MsgpackItem::Kind::bytes:
      return item.text;
    case MsgpackItem::Kind::array: {
      Json array = Json::array();
      for (std::uint32_t i = 0, size = item.size; i < size; ++i) array.push_back(read(reader));
      return array;
    }
    case MsgpackItem::Kind::map: {
      Json object = Json::object();
      for (std::uint32_t i = 0, size = item.size; i < size; ++i) {
        if (!reader.next(item)) return Json::value_t::discarded;
        const std::string key(item.text);
        object[key] = read(reader);
      }
      return object;
    }
  }
  return nullptr;
}

RC_GTEST_PROP(Msgpack, WriterAndReaderAgreeWithAnotherLibrary, ()) {
  const Json json = *testing::gen_tree(3);
  std::string written;
  MsgpackWriter writer(written);
  write(writer, json);
  RC_ASSERT(is_json_msgpack(written));
  RC_ASSERT(Json::from_msgpack(written) == json);
  const std::string theirs = testing::to_msgpack(json);
  RC_ASSERT(is_json_msgpack(theirs));
  MsgpackReader reader(theirs);
  RC_ASSERT(read(reader) == json);
  RC_ASSERT(reader.at_end());
  if (json.is_object()) RC_ASSERT(is_sorted_msgpack_map(theirs));
}

TEST(Msgpack, IntegersOfAllWidthsComeBack) {
  for (const std::int64_t number : {INT64_MIN, -2147483649L, -32769L, -129L, -33L, -32L, -1L, 0L,
                                    127L, 128L, 255L, 256L, 65536L, 4294967296L, INT64_MAX}) {
    std::string out;
    MsgpackWriter(out).integer(number);
    MsgpackReader reader(out);
    MsgpackItem item;
    ASSERT_TRUE(reader.next(item));
    EXPECT_EQ(item.kind, MsgpackItem::Kind::integer);
    EXPECT_EQ(item.integer, number);
    EXPECT_EQ(item.number, static_cast<double>(number));
    EXPECT_TRUE(reader.at_end());
  }
  std::string out;
  MsgpackWriter(out).unsigned_integer(UINT64_MAX);
  MsgpackReader reader(out);
  MsgpackItem item;
  ASSERT_TRUE(reader.next(item));
  EXPECT_EQ(item.kind, MsgpackItem::Kind::unsigned_integer);
  EXPECT_EQ(item.unsigned_integer, UINT64_MAX);
}

TEST(Msgpack, NegativeZeroKeepsItsSign) {
  std::string out;
  MsgpackWriter(out).number(-0.0);
  MsgpackReader reader(out);
  MsgpackItem item;
  ASSERT_TRUE(reader.next(item));
  EXPECT_TRUE(std::signbit(item.number));
}

TEST(Msgpack, NestingIsBounded) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '\x91') + '\xC0';
  };
  EXPECT_TRUE(is_json_msgpack(nested(msgpack_depth_max)));
  EXPECT_FALSE(is_json_msgpack(nested(msgpack_depth_max + 1)));
  EXPECT_FALSE(is_json_msgpack(nested(1'000'000)));
}

TEST(Msgpack, HugeCountsEndWithTheBytes) {
  using namespace std::string_view_literals;
  std::string_view value;
  for (const std::string_view bytes :
       {"\xDD\xFF\xFF\xFF\xFF"sv, "\xDF\xFF\xFF\xFF\xFF"sv, "\xDB\xFF\xFF\xFF\xFFx"sv}) {
    EXPECT_FALSE(is_json_msgpack(bytes));
    EXPECT_FALSE(MsgpackReader(bytes).skip(value));
  }
}

TEST(Msgpack, EntryIsFoundByKey) {
  const std::string map = testing::to_msgpack(Json{{"a", {1, 2}}, {"b", "x"}, {"d", 1.5}});
  EXPECT_EQ(value_of_msgpack(*find_in_msgpack(map, "b")), Value::of(std::string_view("x")));
  EXPECT_EQ(value_of_msgpack(*find_in_msgpack(map, "d")), Value::of(1.5));
  EXPECT_EQ(value_of_msgpack(*find_in_msgpack(map, "a")).kind, Value::Kind::tree);
  EXPECT_FALSE(find_in_msgpack(map, "c"));
  EXPECT_FALSE(find_in_msgpack(map, "e"));
  EXPECT_FALSE(find_in_msgpack("", "a"));
}

}  // namespace
}  // namespace hastur
