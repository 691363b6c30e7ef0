#include "uir/report/svg_plot.h"

#include <cmath>
#include <sstream>

#include "support/catch.h"

namespace uir {
namespace {

std::string drawn(const Plot& plot) {
  Markup out;
  draw_plot(plot, out);
  return out.take();
}

// The vertices of the n-th polyline.
std::vector<PlotPoint> vertices(const std::string& svg, int n = 0) {
  size_t at = 0;
  for (int i = 0; i <= n; ++i) at = svg.find("<polyline", at) + 1;
  at = svg.find("points=\"", at) + 8;
  std::istringstream text(svg.substr(at, svg.find('"', at) - at));
  std::vector<PlotPoint> points;
  char comma = 0;
  for (PlotPoint p; text >> p.x >> comma >> p.y;) points.push_back(p);
  return points;
}

}  // namespace

TEST_CASE("logarithmic axes begin and end at powers of ten") {
  const auto range = [](std::vector<double> values) {
    const PlotAxis axis = log_axis("", values);
    CHECK(axis.log);
    return std::pair{std::log10(axis.low), std::log10(axis.high)};
  };
  const auto is = [](std::pair<double, double> found, double low, double high) {
    return found.first == Approx(low).margin(1e-9) && found.second == Approx(high).margin(1e-9);
  };
  CHECK(is(range({0, 3.3e-4, 1}), -4, 0));
  CHECK(is(range({1e-6, 1}), -6, 0));  // a power of ten needs no further decade
  CHECK(is(range({2e-3, 4e-2}), -3, -1));
  CHECK(is(range({0.5, 1}), -2, 0));  // two decades at the least
  CHECK(is(range({0, 0}), -3, 0));
  CHECK(is(range({}), -3, 0));
  CHECK(is(range({1e-30, 1}), -12, 0));
}

TEST_CASE("linear axes begin at a round number and never are empty") {
  const std::vector<double> tars{0.9635, 0.98, 1}, ones{1, 1};
  CHECK(linear_axis("", tars, 1, true).low == Approx(0.96));
  CHECK(linear_axis("", ones, 1, true).low == Approx(0.9));
  CHECK(linear_axis("", {}, 1, true).low == Approx(0.9));
}

TEST_CASE("a band goes along its upper bounds and back, behind every line") {
  Plot plot{"ROC", {"FAR", 1e-2, 1, true, false}, {"TAR", 0, 1, false, true}, {}, {}};
  plot.lines.push_back({2, {{1e-2, .5}, {1, 1}}, {}, {{1e-1, .25, .75}, {1, .5, 1}}});
  plot.lines.push_back({3, {{1e-2, .5}, {1, 1}}, {}, {{1e-1, .25, .75}}});  // of one place: nothing
  const std::string svg = drawn(plot);
  // The plot area is 484 wide and 274 high.
  CHECK_THAT(svg, contains_text("<polygon class=\"band s2\" "
                                "points=\"242.0,68.5 484.0,0.0 484.0,137.0 242.0,205.5\""));
  CHECK(svg.find("<polygon") < svg.find("<polyline"));
  CHECK(svg.rfind("<polygon") == svg.find("<polygon"));
}

TEST_CASE("points stand where their values say") {
  // The plot area is 560 - 62 - 14 = 484 wide and 330 - 10 - 46 = 274 high.
  Plot plot{"ROC",
            {"FAR", 1e-4, 1, true, false},
            {"TAR", 0.9, 1, false, true},
            {{1, {{1e-4, 0.9}, {1e-2, 0.95}, {1, 1}}}},
            {}};
  const std::vector<PlotPoint> points = vertices(drawn(plot));
  REQUIRE(points.size() == 3);
  CHECK(points[0].x == Approx(0));
  CHECK(points[0].y == Approx(274));
  CHECK(points[1].x == Approx(242));
  CHECK(points[1].y == Approx(137));
  CHECK(points[2].x == Approx(484));
  CHECK(points[2].y == Approx(0).margin(1e-9));
}

TEST_CASE("what an axis cannot show lies outside the plot area, and still is a vertex") {
  Plot plot{"",
            {"", 1e-4, 1, true, false},
            {"", 1e-3, 1, true, false},
            {{0, {{0, 0.5}, {1e-9, 0.5}, {0.1, 0}}}},
            {}};
  const std::vector<PlotPoint> points = vertices(drawn(plot));
  REQUIRE(points.size() == 3);
  CHECK(points[0].x < 0);
  CHECK(points[1].x < 0);
  CHECK(points[2].y > 274);
}

TEST_CASE("axes are labeled: decades, percent, and titles as text") {
  const std::string svg =
      drawn({"curve of <b>", {"FAR & more", 1e-12, 1, true, false}, {"TAR", 0.96, 1, false, true}, {}, {}});
  CHECK_THAT(svg, contains_text(">10⁻¹²</text>"));
  CHECK_THAT(svg, contains_text(">1</text>"));
  CHECK_THAT(svg, contains_text(">97 %</text>"));
  CHECK_THAT(svg, contains_text("FAR &amp; more"));
  CHECK_THAT(svg, contains_text("aria-label=\"curve of &lt;b&gt;\""));
}

TEST_CASE("a histogram is the outline of its bins") {
  const std::vector<double> heights{0.25, 0.75};
  const std::vector<PlotPoint> outline = histogram_outline(-1, 1, heights);
  const double expected[][2] = {{-1, 0}, {-1, .25}, {0, .25}, {0, .75}, {1, .75}, {1, 0}};
  REQUIRE(outline.size() == 6);
  for (size_t i = 0; i < 6; ++i) {
    CHECK(outline[i].x == expected[i][0]);
    CHECK(outline[i].y == expected[i][1]);
  }
}

}  // namespace uir
