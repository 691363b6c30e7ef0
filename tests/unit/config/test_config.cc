#include "support/catch.h"
#include "support/errors.h"
#include "uir/config/reader.h"
#include "uir/config/reference.h"
#include "uir/config/writer.h"

namespace uir {

enum class Color { kRed, kGreen };
template <>
struct EnumNames<Color> {
  static constexpr std::array<EnumName<Color>, 2> value{{{Color::kRed, "red"}, {Color::kGreen, "green"}}};
};

struct Circle {
  static constexpr std::string_view kType = "circle";
  double radius = 1;
};
template <class Visitor>
void describe(Visitor& v, Circle& c) {
  v.field("radius", c.radius, "Radius.", GreaterThan{0});
}
struct Square {
  static constexpr std::string_view kType = "square";
  double side = 2;
};
template <class Visitor>
void describe(Visitor& v, Square& c) {
  v.field("side", c.side, "Side.", GreaterThan{0});
}

struct Inner {
  int64_t count = 3;
  std::string label = "none";
};
template <class Visitor>
void describe(Visitor& v, Inner& c) {
  v.field("count", c.count, "How many.", Between{1, 10});
  v.field("label", c.label, "A text.");
}

struct Outer {
  bool flag = false;
  Color color = Color::kRed;
  double scale = 64;
  std::vector<double> rates{0.5};
  std::array<int64_t, 2> shift{0, 0};
  Inner inner;
  std::vector<Inner> items;
  std::variant<Circle, Square> shape;
};
template <class Visitor>
void describe(Visitor& v, Outer& c) {
  v.field("flag", c.flag, "A switch.");
  v.field("color", c.color, "A color.");
  v.field("scale", c.scale, "A scale.", GreaterThan{0});
  v.field("rates", c.rates, "Rates.", AtLeast{0}, Distinct{});
  v.field("shift", c.shift, "Pixels.");
  v.section("inner", c.inner, "A section.");
  v.list("items", c.items, "Items.");
  v.variant("shape", c.shape, "A shape.");
}

namespace {

Outer read(const std::string& text, const std::vector<std::string>& overrides = {}) {
  Outer outer;
  ConfigReader::read(ConfigDocument::parse(text, "t.yaml", overrides), outer);
  return outer;
}

std::string message(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const auto error = error_of([&] { read(text, overrides); });
  return error ? error->what() : "";
}

}  // namespace

TEST_CASE("values of every type are read") {
  const Outer c = read(
      "flag: true\ncolor: green\nscale: 1e3\nrates: [1, 2.5]\nshift: [8, -1]\n"
      "inner: {count: 10, label: '7'}\nitems:\n  - {label: a}\n  - count: 2\nshape: square\nside: 5\n");
  CHECK(c.flag);
  CHECK(c.color == Color::kGreen);
  CHECK(c.scale == 1000);
  CHECK(c.rates == std::vector<double>{1, 2.5});
  CHECK(c.shift == std::array<int64_t, 2>{8, -1});
  CHECK(c.inner.count == 10);
  CHECK(c.inner.label == "7");
  REQUIRE(c.items.size() == 2);
  CHECK(c.items[0].label == "a");
  CHECK(c.items[1].count == 2);
  CHECK(std::get<Square>(c.shape).side == 5);
  CHECK(read("").scale == 64);
}

TEST_CASE("all problems of a file are reported at once, with their places") {
  CHECK(message("flag: yes\nscale: 0\ninner:\n  cuont: 4\n  count: 11\ncolour: red\n") ==
        "t.yaml:1:7: flag: is 'yes', expected true or false\n"
        "t.yaml:2:8: scale: is '0', expected greater than 0\n"
        "t.yaml:5:10: inner.count: is '11', expected from 1 to 10\n"
        "t.yaml:4:3: inner.cuont: unknown key (did you mean 'count'?)\n"
        "t.yaml:6:1: colour: unknown key (did you mean 'color'?)");
}

TEST_CASE("wrong values are errors") {
  CHECK(message("scale: abc") == "t.yaml:1:8: scale: is 'abc', expected number");
  CHECK(message("scale: '5'") == "t.yaml:1:8: scale: is '5', expected number");
  CHECK(message("scale: .inf").find("expected number") != std::string::npos);
  CHECK(message("inner: {count: 010}").empty());  // decimal: ten, not eight
  CHECK(read("inner: {count: 010}").inner.count == 10);
  CHECK(message("inner: {count: 1e1}") == "t.yaml:1:16: inner.count: is '1e1', expected integer");
  CHECK(message("inner: {count: 0x2}") == "t.yaml:1:16: inner.count: is '0x2', expected integer");
  CHECK(message("inner: 5") == "t.yaml:1:8: inner: expected a section (key: value …)");
  CHECK(message("rates: 5") == "t.yaml:1:8: rates: is '5', expected list of number");
  CHECK(message("rates: [1, x]") == "t.yaml:1:12: rates.1: is 'x', expected number");
  CHECK(message("rates: [1, -2]") == "t.yaml:1:8: rates: is [1, -2], expected at least 0 and no value twice");
  CHECK(message("flag: true\nrates: [0.1, 0.5, 1e-1]") ==
        "t.yaml:2:8: rates: is [0.1, 0.5, 0.1], expected at least 0 and no value twice");
  CHECK(message("rates: [0.5, 0.1, 0.3]").empty());  // in any order
  CHECK(message("rates: []").empty());
  CHECK(message("shift: [1]") == "t.yaml:1:8: shift: has 1 entries, expected 2");
  CHECK(message("color: blue") == "t.yaml:1:8: color: is 'blue', expected red | green");
  CHECK(message("shape: cube") == "t.yaml:1:8: shape: is 'cube', expected circle | square");
  CHECK(message("shape: circle\nside: 3") == "t.yaml:2:1: side: unknown key");
  CHECK(message("flag: true\nflag: true") == "t.yaml:2:1: flag: repeated key");
  CHECK(message("flag:") == "t.yaml:1:1: flag: has no value");
  CHECK(message("- 1") == "t.yaml:1:1: config: expected sections (key: value …)");
}

TEST_CASE("what YAML allows and configs do not") {
  CHECK(message("a: &x 1\nb: *x").find("anchors and aliases") != std::string::npos);
  CHECK(message("flag: true\n---\nflag: true").find("more than one YAML document") != std::string::npos);
  CHECK(message(", flag: true\n\n").find("more than one YAML document") !=
        std::string::npos);  // endless in yaml-cpp
  CHECK(message("flag: [").find("t.yaml:1:") == 0);
  CHECK(message(std::string(100, '[') + std::string(100, ']')).find("nested deeper") != std::string::npos);
}

TEST_CASE("overrides win over the file and are named in messages") {
  const Outer c =
      read("scale: 2\nitems: [{count: 1}]", {"scale=3", "inner.count=4", "items.0.count=5", "rates=[7]"});
  CHECK(c.scale == 3);
  CHECK(c.inner.count == 4);
  CHECK(c.items[0].count == 5);
  CHECK(c.rates == std::vector<double>{7});
  CHECK(message("", {"scale=-1"}) == "--set scale=-1: scale: is '-1', expected greater than 0");
  CHECK(message("", {"inner.cnt=1"}) == "--set inner.cnt=1: inner.cnt: unknown key (did you mean 'count'?)");
  CHECK(message("items: []", {"items.3.count=1"}) == "--set items.3.count=1: '3' is no item of a list of 0");
  CHECK(kind_of([] { read("", {"scale"}); }) == ErrorKind::kUsage);
}

TEST_CASE("the resolved copy reads back the same, with short numbers") {
  Outer c;
  c.scale = 0.1;
  c.items = {{7, "x: y"}, {}};
  c.shape = Square{0.3};
  const std::string text = ConfigWriter::write(c);
  CHECK(text.find("scale: 0.1\n") != std::string::npos);
  CHECK(ConfigWriter::write(read(text)) == text);
  CHECK(read(text).items[0].label == "x: y");
}

TEST_CASE("the reference names every option with type, default and meaning") {
  const std::string text = ConfigReference::write<Outer>();
  CHECK(text.find("| `color` | red \\| green | `red` | A color. |") != std::string::npos);
  CHECK(text.find("## inner") != std::string::npos);
  CHECK(text.find("| `count` | integer, from 1 to 10 | `3` | How many. |") != std::string::npos);
  CHECK(text.find("(`shape: square`) Side.") < text.find("## inner"));  // described behind it, but not of it
}

}  // namespace uir
