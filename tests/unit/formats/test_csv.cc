#include "uir/formats/csv.h"

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"

namespace uir {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(const std::string& text, const std::vector<std::string_view>& wanted = {"a", "b"}) {
  TempFolder folder;
  write_file_atomically(folder / "t.csv", text);
  CsvReader reader(folder / "t.csv", wanted);
  Rows rows;
  while (reader.next()) {
    rows.emplace_back();
    for (size_t i = 0; i < wanted.size(); ++i) rows.back().push_back(reader.field(i));
  }
  return rows;
}

// What is said behind the file's name.
std::string refusal(const std::string& text) {
  const std::string said = brute::error_of(ErrorKind::kData, [&] { rows_of(text); });
  const size_t name = said.find("t.csv:");
  return name == std::string::npos ? said : said.substr(name + 6);
}

}  // namespace

TEST_CASE("columns are found by name, in any order and beside others") {
  CHECK(rows_of("a,b\n1,2\n3,4\n") == Rows{{"1", "2"}, {"3", "4"}});
  CHECK(rows_of("b,c,a\n1,x,2\n") == Rows{{"2", "1"}});
  CHECK(rows_of("a,b\n") == Rows{});
  CHECK(rows_of("a,b") == Rows{});
}

TEST_CASE("fields are what RFC 4180 says") {
  CHECK(rows_of("a,b\n\"Lee, Anna\",\"say \"\"?\"\"\"\n") == Rows{{"Lee, Anna", "say \"?\""}});
  CHECK(rows_of("a,b\n\"two\nlines\",\"\"\n") == Rows{{"two\nlines", ""}});
  CHECK(rows_of("\"a\",\"b\"\r\n1,\r\n,2\r\n") == Rows{{"1", ""}, {"", "2"}});
  CHECK(rows_of("\"a\",\"b\"\r\n1,\"2\"\r\n\r\n3,4") == Rows{{"1", "2"}, {"3", "4"}});
  CHECK(rows_of("\xef\xbb\xbf"
                "a,b\n 1 ,\xff\n\n\n") == Rows{{" 1 ", "\xff"}});
  CHECK(rows_of("a,b\n1,\"2\"\r") == Rows{{"1", "2"}});
}

TEST_CASE("another separator, the first column whatever its name, and the line of a row") {
  TempFolder folder;
  write_file_atomically(folder / "t.tsv", "image\tb\n\"x\ty\"\t1,2\n\nz\t\n");
  CsvReader reader(folder / "t.tsv", {"b"}, '\t');
  CHECK(reader.first_column() == "image");
  REQUIRE(reader.next());
  CHECK(reader.first() == "x\ty");
  CHECK(reader.field(0) == "1,2");
  CHECK(reader.line() == 2);
  REQUIRE(reader.next());
  CHECK(reader.first() == "z");
  CHECK(reader.line() == 4);
  CHECK_FALSE(reader.next());
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { CsvReader(folder / "t.tsv", {"c"}, '\t'); }),
             contains_text("with tabs between them"));
}

TEST_CASE("what is no such file is refused with its line") {
  CHECK_THAT(refusal(""), contains_text("1: an empty file; expected the header a,b"));
  CHECK_THAT(refusal("a;b\n1;2\n"), contains_text("1: the header 'a;b' has no column 'a'; expected"));
  CHECK_THAT(refusal("a,b,a\n"), contains_text("1: the header 'a,b,a' has several columns 'a'"));
  CHECK_THAT(refusal("a,b\n1,2\n1,2,3\n"), contains_text("3: 3 fields, the header has 2"));
  CHECK_THAT(refusal("a,b\n\"x\ny\",2\n1\n"), contains_text("4: 1 fields, the header has 2"));
  CHECK_THAT(refusal("a,b\nx\"y,2\n"), contains_text("2: a quote within a field"));
  CHECK_THAT(refusal("a,b\n\"x\"y,2\n"), contains_text("2: text behind a closing quote"));
  CHECK_THAT(refusal("a,b\n1,\"2\n3,4\n"), contains_text("2: a quote is opened that nothing closes"));
  CHECK_THAT(refusal(std::string("a,b\n1,\0\n", 8)), contains_text("2: contains a zero byte"));
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput, [] { CsvReader("/no/such.csv", {"a"}); }),
             contains_text("/no/such.csv"));
}

}  // namespace uir
