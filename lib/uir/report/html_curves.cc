#include "uir/report/html_curves.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/html_parts.h"
#include "uir/report/svg_plot.h"

namespace uir {
namespace {

// One of several models' curves. Columns 0 and 1 are drawn, all are shown by the script.
struct Curve {
  size_t model = 0;
  std::vector<std::vector<double>> points;
  std::vector<PlotSpan> whiskers{}, band{};
};
struct Curves {
  std::vector<std::string> columns;
  std::vector<Curve> curves;

  std::vector<double> values(size_t column) const {
    std::vector<double> all;
    for (const Curve& curve : curves) {
      for (const auto& point : curve.points) all.push_back(point[column]);
    }
    return all;
  }
};

// {"columns": […], "points": [[…], …]} of at least two columns.
bool is_curve(const Json& json) {
  return json.is_object() && json.contains("columns") && json.contains("points") &&
         json["columns"].is_array() && json["points"].is_array() && json["columns"].size() >= 2 &&
         !json["points"].empty();
}

// On a logarithmic axis nothing is to be seen of points at or below 0: of these (a curve begins with them)
// the last stays.
void drop_invisible(std::vector<std::vector<double>>& points) {
  const auto visible = std::ranges::find_if(points, [](const auto& point) { return point[0] > 0; });
  if (visible - points.begin() > 1) points.erase(points.begin(), visible - 1);
}

// [[x, low, high], …]; none where there is no such member.
std::vector<PlotSpan> read_spans(const Json& json, const char* member) {
  std::vector<PlotSpan> spans;
  for (const Json& span : json.value(member, Json::array()))
    spans.push_back({number_of(span[0]), number_of(span[1]), number_of(span[2])});
  return spans;
}

Curve read_curve(size_t model, const Json& json) {
  Curve curve{model, {}};
  for (const Json& point : json["points"]) {
    std::vector<double> values;
    for (const Json& value : point) values.push_back(number_of(value));
    values.resize(json["columns"].size(), std::nan(""));
    if (std::isfinite(values[0]) && std::isfinite(values[1])) curve.points.push_back(std::move(values));
  }
  drop_invisible(curve.points);
  curve.whiskers = read_spans(json, "intervals");
  curve.band = read_spans(json, "band");
  return curve;
}

// The models' curves under details[member], or details[member][part] where there are several.
Curves curves_of(const ComparedProtocol& protocol, const std::string& member, const std::string& part = {}) {
  Curves found;
  for (size_t m = 0; m < protocol.results.size(); ++m) {
    if (!protocol.results[m] || !protocol.results[m]->details.contains(member)) continue;
    const Json& whole = protocol.results[m]->details[member];
    if (!part.empty() && !whole.contains(part)) continue;
    const Json& json = part.empty() ? whole : whole[part];
    if (!is_curve(json)) continue;
    Curve curve = read_curve(m, json);
    if (curve.points.empty()) continue;
    found.columns = json["columns"].get<std::vector<std::string>>();
    found.curves.push_back(std::move(curve));
  }
  return found;
}

// Where details[member] is a curve: one part without a name; else the names of its curves.
std::vector<std::string> parts_of(const ComparedProtocol& protocol, const std::string& member) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& part) {
    if (std::ranges::count(parts, part) == 0) parts.push_back(part);
  };
  for (const ProtocolResult* result : protocol.results) {
    if (!result || !result->details.contains(member)) continue;
    const Json& json = result->details[member];
    if (is_curve(json)) add("");
    if (!json.is_object() || is_curve(json)) continue;
    for (const auto& [key, value] : json.items()) {
      if (is_curve(value)) add(key);
    }
  }
  return parts;
}

PlotAxis fnir_axis(const std::vector<double>& values) {
  double high = 0.01;
  for (const double value : values) high = std::max(high, value);
  return {"False-negative identification rate (FNIR)", 0, std::min(1.0, std::ceil(high * 20) / 20), false,
          true};
}

// Four digits, without the 0 in front of a point: a page may hold ten thousands of them.
std::string of_four_digits(double value) {
  const std::string text = short_number(value, 4);
  return text.starts_with("0.") ? text.substr(1) : text;
}

// "far,tar,threshold;…", as the script reads them: more digits than a plot can show are in report.json only.
std::string points_text(const Curve& curve) {
  std::string points;
  for (const auto& point : curve.points) {
    points += points.empty() ? "" : ";";
    for (size_t c = 0; c < point.size(); ++c)
      points += concat(c > 0 ? "," : "", std::isfinite(point[c]) ? of_four_digits(point[c]) : "");
  }
  return points;
}

class CurveWriter {
 public:
  CurveWriter(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page)
      : protocol_(protocol), models_(models), page_(page) {}

  void write() {
    const Curves roc = curves_of(protocol_, "roc");
    const bool is_roc = !roc.curves.empty() && roc.columns[0] == "far" && roc.columns[1] == "tar";
    const std::vector<std::string> parts = parts_of(protocol_, "det");
    if (!is_roc && parts.empty()) return;
    const Element plots(page_, "div", {{"class", "plots"}});
    if (is_roc) roc_and_det(roc);
    for (const std::string& part : parts) {
      const Curves det = curves_of(protocol_, "det", part);
      if (!det.curves.empty()) identification_det(det, part);
    }
  }

 private:
  void roc_and_det(const Curves& roc) {
    const std::vector<double> fars = roc.values(0), tars = roc.values(1);
    const PlotAxis far = log_axis("False-acceptance rate (FAR)", fars);
    std::vector<double> misses;
    for (const double tar : tars) misses.push_back(1 - tar);
    const Element group(page_, "div", {{"data-curves", ""}});
    points(roc);
    const PlotAxis tar_axis = linear_axis("True-acceptance rate (TAR)", tars, 1, true);
    figure(roc, "ROC", {"ROC curve of " + protocol_.name, far, tar_axis, {}, {}},
           [](double tar) { return tar; });
    const PlotAxis miss_axis = log_axis("False-rejection rate (1 − TAR)", misses);
    figure(roc, "DET", {"DET curve of " + protocol_.name, far, miss_axis, {}, {}},
           [](double tar) { return 1 - tar; });
  }

  void identification_det(const Curves& det, const std::string& part) {
    const std::string heading = part.empty() ? "DET" : "DET, " + part;
    const Element group(page_, "div", {{"data-curves", ""}});
    points(det);
    const PlotAxis fpir = log_axis("False-positive identification rate (FPIR)", det.values(0));
    figure(det, heading,
           {concat(heading, " curve of ", protocol_.name), fpir, fnir_axis(det.values(1)), {}, {}},
           [](double fnir) { return fnir; });
  }

  // Drawn from columns 0 and 1, the latter through `height`. A curve's value at rate 0 stands at the left
  // edge.
  template <class Height>
  void figure(const Curves& curves, const std::string& heading, Plot plot, Height&& height) {
    for (const Curve& curve : curves.curves) {
      PlotLine& line = plot.lines.emplace_back(PlotLine{curve.model, {}, {}});
      for (const auto& point : curve.points)
        line.points.push_back({std::max(point[0], plot.x.low), height(point[1])});
      for (const PlotSpan& whisker : curve.whiskers)
        line.whiskers.push_back({whisker.x, height(whisker.low), height(whisker.high)});
      for (const PlotSpan& span : curve.band)
        line.band.push_back({span.x, height(span.low), height(span.high)});
    }
    const Element figure(page_, "figure");
    {
      const Element caption(page_, "figcaption");
      page_.element("b", {}, heading);
      for (const Curve& curve : curves.curves) write_legend(curve.model, models_[curve.model], page_);
    }
    draw_plot(plot, page_);
    page_.element("output", {{"class", "readout"}}, "\u00a0");
  }

  // What the script shows of the point under the pointer: names, columns and points of the curves, in their
  // order.
  void points(const Curves& curves) {
    std::vector<std::string> names, lines;
    for (const Curve& curve : curves.curves) {
      names.push_back(models_[curve.model]);
      lines.push_back(points_text(curve));
    }
    write_curve_data(curves.columns, names, lines, page_);
  }

  const ComparedProtocol& protocol_;
  const std::vector<std::string>& models_;
  Markup& page_;
};

}  // namespace

void write_curves(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page) {
  CurveWriter(protocol, models, page).write();
}

}  // namespace uir
