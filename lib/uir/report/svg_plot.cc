#include "uir/report/svg_plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "uir/base/error.h"
#include "uir/report/number_meaning.h"

namespace uir {
namespace {

// In units of the drawing's own coordinates.
constexpr int kWidth = 560, kLeft = 62, kRight = 14, kTop = 10, kBottom = 46;
constexpr double kOutside = 40;  // how far outside the plot area a line may be drawn, to be cut off

struct Tick {
  double value = 0;
  std::string label;  // empty: a line of the grid only
};

std::string coordinate(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string power_of_ten(int exponent) {
  constexpr std::string_view kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  if (exponent == 0) return "1";
  std::string text = "10";
  if (exponent < 0) text += "⁻";
  for (const char digit : std::to_string(std::abs(exponent))) text += kDigits[digit - '0'];
  return text;
}

std::vector<Tick> log_ticks(const PlotAxis& axis) {
  const int first = static_cast<int>(std::round(std::log10(axis.low)));
  const int last = static_cast<int>(std::round(std::log10(axis.high)));
  std::vector<Tick> ticks;
  for (int exponent = first; exponent <= last; ++exponent) {
    ticks.push_back({std::pow(10.0, exponent), power_of_ten(exponent)});
    for (int digit = 2; digit < 10 && exponent < last && last - first <= 3; ++digit) {
      ticks.push_back({digit * std::pow(10.0, exponent), ""});
    }
  }
  return ticks;
}

// 1, 2 or 5 times a power of ten, so that about five steps fit.
double round_step(double range) {
  const double power = std::pow(10.0, std::floor(std::log10(range / 5)));
  const double steps = range / 5 / power;
  return power * (steps <= 1 ? 1 : steps <= 2 ? 2 : steps <= 5 ? 5 : 10);
}

std::vector<Tick> linear_ticks(const PlotAxis& axis) {
  const double step = round_step(axis.high - axis.low);
  std::vector<Tick> ticks;
  for (auto i = static_cast<int64_t>(std::ceil(axis.low / step - 1e-9));
       static_cast<double>(i) * step <= axis.high + 1e-9 * step; ++i) {
    const double value = static_cast<double>(i) * step;
    ticks.push_back({value, axis.percent ? short_number(100 * value, 6) + " %" : short_number(value, 6)});
  }
  return ticks;
}

std::vector<Tick> ticks_of(const PlotAxis& axis) { return axis.log ? log_ticks(axis) : linear_ticks(axis); }

// Where a value lies on an axis of that length; clamped to kOutside beyond its ends.
double place(const PlotAxis& axis, double value, double length) {
  if (axis.log && !(value > 0)) return -kOutside;
  const auto scaled = [&](double v) { return axis.log ? std::log10(v) : v; };
  const double share = (scaled(value) - scaled(axis.low)) / (scaled(axis.high) - scaled(axis.low));
  return std::clamp(share * length, -kOutside, length + kOutside);
}

class Drawing {
 public:
  Drawing(const Plot& plot, Markup& out)
      : plot_(plot), out_(out), width_(kWidth - kLeft - kRight), height_(plot.height - kTop - kBottom) {}

  void draw() {
    const Element svg(out_, "svg",
                      {{"class", "plot"},
                       {"viewBox", concat("0 0 ", kWidth, " ", plot_.height)},
                       {"role", "img"},
                       {"aria-label", plot_.title},
                       {"xmlns", "http://www.w3.org/2000/svg"}});
    draw_x_axis();
    draw_y_axis();
    draw_area();
    out_.element("rect", {{"class", "frame"},
                          {"x", concat(kLeft)},
                          {"y", concat(kTop)},
                          {"width", concat(width_)},
                          {"height", concat(height_)}});
  }

 private:
  double x_of(double value) const { return place(plot_.x, value, width_); }
  double y_of(double value) const { return height_ - place(plot_.y, value, height_); }

  void grid_line(double x1, double y1, double x2, double y2, bool labeled) {
    out_.element("line", {{"class", labeled ? "grid" : "fine"},
                          {"x1", coordinate(x1)},
                          {"y1", coordinate(y1)},
                          {"x2", coordinate(x2)},
                          {"y2", coordinate(y2)}});
  }
  void label(double x, double y, const char* anchor, std::string_view text) {
    out_.element("text", {{"x", coordinate(x)}, {"y", coordinate(y)}, {"text-anchor", anchor}}, text);
  }

  void draw_x_axis() {
    for (const Tick& tick : ticks_of(plot_.x)) {
      const double x = kLeft + x_of(tick.value);
      grid_line(x, kTop, x, kTop + height_, !tick.label.empty());
      if (!tick.label.empty()) label(x, kTop + height_ + 17, "middle", tick.label);
    }
    label(kLeft + width_ / 2.0, plot_.height - 8, "middle", plot_.x.label);
  }
  void draw_y_axis() {
    for (const Tick& tick : ticks_of(plot_.y)) {
      const double y = kTop + y_of(tick.value);
      grid_line(kLeft, y, kLeft + width_, y, !tick.label.empty());
      if (!tick.label.empty()) label(kLeft - 6, y + 4, "end", tick.label);
    }
    const std::string middle = coordinate(kTop + height_ / 2.0);
    out_.element("text",
                 {{"x", "12"},
                  {"y", middle},
                  {"text-anchor", "middle"},
                  {"transform", concat("rotate(-90 12 ", middle, ")")}},
                 plot_.y.label);
  }

  void draw_area() {
    const Element area(out_, "svg",
                       {{"class", "area"},
                        {"x", concat(kLeft)},
                        {"y", concat(kTop)},
                        {"width", concat(width_)},
                        {"height", concat(height_)}});
    for (const PlotPoint& mark : plot_.marks) {
      const std::string x = coordinate(x_of(mark.x));
      out_.element("line", {{"class", "mark"}, {"x1", x}, {"y1", "0"}, {"x2", x}, {"y2", concat(height_)}});
    }
    for (const PlotLine& line : plot_.lines) draw_band(line);
    for (const PlotLine& line : plot_.lines) {
      out_.element("polyline",
                   {{"class", concat("s", line.style % kLineStyles)}, {"points", vertices(line.points)}});
      for (const PlotSpan& whisker : line.whiskers) draw_whisker(whisker, line.style);
    }
  }

  std::string vertices(const std::vector<PlotPoint>& points) const {
    std::string text;
    for (const PlotPoint& point : points) {
      if (!text.empty()) text += ' ';
      text += coordinate(x_of(point.x)) + "," + coordinate(y_of(point.y));
    }
    return text;
  }

  // Behind all lines: along its upper bounds, and back along its lower ones.
  void draw_band(const PlotLine& line) {
    if (line.band.size() < 2) return;
    std::vector<PlotPoint> outline;
    for (const PlotSpan& span : line.band) outline.push_back({span.x, span.high});
    for (auto span = line.band.rbegin(); span != line.band.rend(); ++span)
      outline.push_back({span->x, span->low});
    out_.element("polygon",
                 {{"class", concat("band s", line.style % kLineStyles)}, {"points", vertices(outline)}});
  }

  // An I, whose ends are short lines.
  void draw_whisker(const PlotSpan& whisker, size_t style) {
    constexpr double kEnd = 3;
    const double x = x_of(whisker.x), low = y_of(whisker.low), high = y_of(whisker.high);
    const std::string left = coordinate(x - kEnd), right = coordinate(x + kEnd), middle = coordinate(x);
    out_.element("path",
                 {{"class", concat("whisker s", style % kLineStyles)},
                  {"d", concat("M", left, " ", coordinate(low), "H", right, "M", middle, " ", coordinate(low),
                               "V", coordinate(high), "M", left, " ", coordinate(high), "H", right)}});
  }

  const Plot& plot_;
  Markup& out_;
  const int width_, height_;  // of the plot area
};

}  // namespace

PlotAxis log_axis(std::string label, std::span<const double> values) {
  double smallest = std::numeric_limits<double>::infinity(), largest = 0;
  for (const double value : values) {
    if (!(value > 0)) continue;
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
  }
  if (largest == 0) return {std::move(label), 1e-3, 1, true, false};
  const double high = std::ceil(std::log10(std::max(largest, 1e-10)) - 1e-9);
  const double low = std::floor(std::log10(std::max(smallest, 1e-12)) + 1e-9);
  return {std::move(label), std::pow(10.0, std::min(low, high - 2)), std::pow(10.0, high), true, false};
}

PlotAxis linear_axis(std::string label, std::span<const double> values, double high, bool percent) {
  double low = high;
  for (const double value : values) low = std::min(low, value);
  if (!(low < high)) low = high - 0.1;
  const double step = round_step(high - low);
  low = std::floor(low / step + 1e-9) * step;
  return {std::move(label), low, high, false, percent};
}

void draw_plot(const Plot& plot, Markup& out) { Drawing(plot, out).draw(); }

void draw_line_sample(size_t style, Markup& out) {
  const Element svg(out, "svg",
                    {{"class", "sample"},
                     {"viewBox", "0 0 34 10"},
                     {"aria-hidden", "true"},
                     {"xmlns", "http://www.w3.org/2000/svg"}});
  out.element("polyline", {{"class", concat("s", style % kLineStyles)}, {"points", "0,5 34,5"}});
}

std::vector<PlotPoint> histogram_outline(double low, double high, std::span<const double> heights) {
  std::vector<PlotPoint> outline{{low, 0}};
  const double width = (high - low) / static_cast<double>(std::max<size_t>(heights.size(), 1));
  for (size_t i = 0; i < heights.size(); ++i) {
    outline.push_back({low + width * static_cast<double>(i), heights[i]});
    outline.push_back({low + width * static_cast<double>(i + 1), heights[i]});
  }
  outline.push_back({high, 0});
  return outline;
}

}  // namespace uir
