#include "trigger-runtime/host/json_check.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "core/json.h"

namespace hastur {
namespace {

Json any_json(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return *rc::gen::arbitrary<double>();
    case 3:
      return *rc::gen::arbitrary<int>();
    case 4:
      return *rc::gen::arbitrary<std::string>();
    case 5: {
      Json array = Json::array();
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) array.push_back(any_json(depth - 1));
      return array;
    }
    default: {
      Json object = Json::object();
      for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
        object[*rc::gen::arbitrary<std::string>()] = any_json(depth - 1);
      }
      return object;
    }
  }
}

TEST(JsonCheck, TakesWhatWeWrite) {
  EXPECT_TRUE(rc::check([] {
    const Json value = any_json(4);
    RC_ASSERT(is_json_object(canonical_json(value)) == value.is_object());
  }));
}

TEST(JsonCheck, AgreesWithTheParserOnChangedBytes) {
  EXPECT_TRUE(rc::check([] {
    std::string text = canonical_json(Json{{"a", any_json(3)}, {"b", "\u00e9\u20ac\\\n"}});
    for (int i = *rc::gen::inRange(1, 3); i > 0; --i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
      text[at] = *rc::gen::oneOf(rc::gen::arbitrary<char>(),
                                 rc::gen::elementOf(std::string("{}[]\",:\\/u0e+-. \x80\xC3")));
    }
    const auto parsed = parse_json(text);
    // The parser refuses numbers that overflow and surrogates without a partner; both are JSON by
    // the grammar.
    if (parsed && parsed->is_object()) RC_ASSERT(is_json_object(text));
    if (!parsed && is_json_object(text)) {
      RC_ASSERT(parsed.error().message.find("overflow") != std::string::npos ||
                parsed.error().message.find("surrogate") != std::string::npos);
    }
  }));
}

TEST(JsonCheck, RefusesWhatIsNoObject) {
  for (const char* text : {"",
                           "{",
                           "}",
                           "[]",
                           "1",
                           "\"a\"",
                           "null",
                           "{}{}",
                           "{} x",
                           "{,}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{\"a\":1 \"b\":2}",
                           "{a:1}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":+1}",
                           "{\"a\":1e}",
                           "{\"a\":nul}",
                           "{\"a\":\"\n\"}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\xFF\"}",
                           "{\"a\":\"\xED\xA0\x80\"}",
                           "{\"a\":[1}",
                           "{\"a\":NaN}"}) {
    EXPECT_FALSE(is_json_object(text)) << text;
  }
  for (const char* text : {"{}", " {\"a\":[1,-0.5e+3,{\"b\":[]}]} ", "{\"\":\"\\u00e9\"}"}) {
    EXPECT_TRUE(is_json_object(text)) << text;
  }
}

TEST(JsonCheck, BoundsNestingAsTheParserDoes) {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += "{\"a\":";
    text += '1';
    return text.append(static_cast<std::size_t>(depth), '}');
  };
  EXPECT_TRUE(is_json_object(nested(128)));
  EXPECT_TRUE(parse_json(nested(128)));
  EXPECT_FALSE(is_json_object(nested(129)));
  EXPECT_FALSE(parse_json(nested(129)));
}

}  // namespace
}  // namespace hastur
