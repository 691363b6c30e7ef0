#include "uir/base/text.h"

#include <string>

#include "support/catch.h"
#include "uir/base/json_text.h"

using namespace uir;

TEST_CASE("UTF-8 is told from other bytes", "[text]") {
  // Length of the first sequence: by the table of the Unicode standard (3-7, well-formed sequences).
  for (const auto& [text, length] : std::vector<std::pair<std::string, size_t>>{{"a", 1},
                                                                                {"", 0},
                                                                                {"é", 2},
                                                                                {"脸x", 3},
                                                                                {"\xF0\x9F\x98\x80", 4},
                                                                                {"\xF4\x8F\xBF\xBF", 4},
                                                                                {"\xF4\x90\x80\x80", 0},
                                                                                {"\xC1\x81", 0},
                                                                                {"\xE0\x9F\xBF", 0},
                                                                                {"\xED\xA0\x80", 0},
                                                                                {"\xEE\x80\x80", 3},
                                                                                {"\x80", 0},
                                                                                {"\xE4\xBA", 0},
                                                                                {"\xFF", 0}}) {
    CAPTURE(text);
    CHECK(utf8_length(text) == length);
  }
  CHECK(is_utf8("Zoë 脸"));
  CHECK(is_utf8(""));
  CHECK_FALSE(is_utf8("Zo\xEB"));
}

TEST_CASE("Names are shown so that they stay apart", "[text]") {
  CHECK(readable("Zoë \\ 脸/1.jpg") == "Zoë \\ 脸/1.jpg");
  CHECK(readable("Zo\xEB/\xE9") == "Zo\\xeb/\\xe9");
  CHECK(readable("a\tb\nc\rd\x01\x7f") == "a\\tb\\nc\\rd\\x01\\x7f");
  CHECK(readable(std::string("\0", 1)) == "\\x00");
  CHECK(has_control("a\tb"));
  CHECK(has_control(std::string("\0", 1)));
  CHECK_FALSE(has_control("Zo\xEB脸 ~"));
}

TEST_CASE("Bytes survive hexadecimal digits", "[text]") {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(from_hex(to_hex(all)) == all);
  CHECK(to_hex("\xE7/") == "e72f");
  CHECK(from_hex("e7f").empty());
  CHECK(from_hex("gg").empty());
}

TEST_CASE("JSON is JSON whatever names stand in it", "[text]") {
  const Json json{
      {"name", "Zo\xEB"}, {"k\xFF", {1, 2.5, nullptr, true, "a\tb"}}, {"deep", {{{"x", "\x80"}}}}};
  for (const int indent : {-1, 1}) {
    const Json back = Json::parse(json_text(json, indent));
    CHECK(back["name"] == "Zo\\xeb");
    CHECK(back["k\\xff"][1] == 2.5);
    CHECK(back["deep"][0]["x"] == "\\x80");
  }
  const Json plain{{"name", "Zoë\t"}, {"n", {1, 2}}};  // without such names nothing changes
  CHECK(json_text(plain, 2) == plain.dump(2));
  CHECK(json_text(plain) == plain.dump());
}

TEST_CASE("The first difference of two documents is named by its place", "[json]") {
  const Json before{{"model", {{"file", "a"}, {"size", 3}}}, {"rate", 5}};
  CHECK(first_difference(before, before).empty());
  CHECK(first_difference(before, {{"model", {{"file", "a"}, {"size", 4}}}, {"rate", 6}}) ==
        "model.size 3 instead of 4");
  CHECK(first_difference(before, {{"model", "b"}}) == "model {\"file\":\"a\",\"size\":3} instead of \"b\"");
  CHECK(first_difference(before, {{"rate", 5}, {"more", true}}) == "more null instead of true");
}
