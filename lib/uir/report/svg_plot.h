// Small line plots as inline SVG: curves over linear or logarithmic axes, and histograms as outlines.
//
// Colours and dashes come from the page's style sheet: line i has the class "s<i % kLineStyles>", text and
// grid have classes of their own, so that one drawing serves light, dark and print. The plot area is an inner
// <svg class="area"> whose polylines have one vertex per point, in order: a script may look up what stands
// under the pointer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "uir/report/markup.h"

namespace uir {

constexpr size_t kLineStyles = 8;

struct PlotPoint {
  double x = 0, y = 0;
};

// How far up and down a line may lie at x.
struct PlotSpan {
  double x = 0, low = 0, high = 0;
};

struct PlotLine {
  size_t style = 0;
  std::vector<PlotPoint> points;
  std::vector<PlotSpan> whiskers{}, band{};  // at single places; all along, by rising x
};

struct PlotAxis {
  std::string label;
  double low = 0, high = 1;  // log: both > 0
  bool log = false;
  bool percent = false;  // labels of a linear axis, of shares
};

struct Plot {
  std::string title;  // for readers who do not see the drawing
  PlotAxis x, y;
  std::vector<PlotLine> lines;
  std::vector<PlotPoint> marks;  // vertical lines at x, y unused
  int height = 330;
};

// From the power of ten at or below the smallest positive value (1e-12 at the least) to that at or above the
// largest, two decades at the least; [1e-3, 1] where nothing is positive.
PlotAxis log_axis(std::string label, std::span<const double> values);
// From a round number at or below the smallest value up to `high`.
PlotAxis linear_axis(std::string label, std::span<const double> values, double high, bool percent);

// What is not positive on a logarithmic axis, or off any axis, lies outside the plot area and is cut off
// there.
void draw_plot(const Plot& plot, Markup& out);
// A short piece of the line's style, for legends.
void draw_line_sample(size_t style, Markup& out);

// The outline of equal bins over [low, high], heights as given.
std::vector<PlotPoint> histogram_outline(double low, double high, std::span<const double> heights);

}  // namespace uir
