#include "uir/eval/html_report.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "uir/base/error.h"
#include "uir/eval/comparison.h"
#include "uir/eval/html_assets.h"
#include "uir/eval/markup.h"
#include "uir/eval/svg_plot.h"

namespace uir {
namespace {

constexpr size_t kMostRows = 100;      // of a table of details; all stand in report.json
constexpr size_t kFirstSideStyle = 4;  // of known faces and strangers: not the first models' styles
constexpr size_t kShortTable = 10;     // rows up to which a table of details is shown unfolded

// As in report.json: the shortest text that reads back exactly.
std::string exact(double value) { return Json(value).dump(); }

std::string grouped(int64_t count) {
  std::string digits = std::to_string(count);
  for (int at = static_cast<int>(digits.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3)
    digits.insert(at, ",");
  return digits;
}

// One of several models' curves. Columns 0 and 1 are drawn, all are shown by the script.
struct Curve {
  size_t model = 0;
  std::vector<std::vector<double>> points;
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

// Infinite thresholds are null in a report that was read from a file.
double number_of(const Json& json) { return json.is_number() ? json.get<double>() : std::nan(""); }

// On a logarithmic axis nothing is to be seen of points at or below 0: of these (a curve begins with them) the last stays.
void drop_invisible(std::vector<std::vector<double>>& points) {
  const auto visible = std::ranges::find_if(points, [](const auto& point) { return point[0] > 0; });
  if (visible - points.begin() > 1) points.erase(points.begin(), visible - 1);
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
    Curve curve{m, {}};
    for (const Json& point : json["points"]) {
      std::vector<double> values;
      for (const Json& value : point) values.push_back(number_of(value));
      values.resize(json["columns"].size(), std::nan(""));
      if (std::isfinite(values[0]) && std::isfinite(values[1])) curve.points.push_back(std::move(values));
    }
    drop_invisible(curve.points);
    if (curve.points.empty()) continue;
    found.columns = json["columns"].get<std::vector<std::string>>();
    found.curves.push_back(std::move(curve));
  }
  return found;
}

// {"known": {"mean", "quantiles", "histogram": {"low", "high", "counts"}}, "strangers": …}
bool are_distributions(const Json& sides) {
  return sides.is_object() && !sides.empty() && std::ranges::all_of(sides, [](const Json& side) {
           if (!side.is_object() || !side.contains("mean") || !side.contains("quantiles") ||
               !side.contains("histogram")) {
             return false;
           }
           const Json& bins = side["histogram"];
           return bins.is_object() && bins.contains("low") && bins.contains("high") &&
                  bins.contains("counts") && bins["counts"].is_array() && !bins["counts"].empty();
         });
}

bool is_flat(const Json& json) {
  return json.is_object() && !json.empty() &&
         std::ranges::none_of(json, [](const Json& value) { return value.is_structured(); });
}

// What can be shown as a table: a list of flat objects, or the flat objects among an object's members.
std::vector<std::pair<std::string, Json>> records_of(const Json& json) {
  std::vector<std::pair<std::string, Json>> records;
  if (json.is_array() && std::ranges::all_of(json, is_flat)) {
    for (const Json& record : json) records.emplace_back(concat(records.size() + 1), record);
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (is_flat(value)) records.emplace_back(key, value);
    }
  }
  return records;
}

std::string spaced(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

class Page {
 public:
  explicit Page(const Report& report) : report_(report), comparison_(compare(report)) {}

  std::string write() {
    page_.raw("<!DOCTYPE html>\n");
    {
      const Element html(page_, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
      head();
      const Element body(page_, "body");
      header();
      contents();
      {
        const Element main(page_, "main");
        overview();
        for (size_t p = 0; p < comparison_.protocols.size(); ++p) section(p);
      }
      page_.raw(kHtmlScript);
    }
    return page_.take() + "\n";
  }

 private:
  // ---- frame
  std::string title() const {
    std::string names;
    for (const std::string& model : comparison_.models) names += (names.empty() ? "" : ", ") + model;
    return "Face recognition evaluation: " + names;
  }

  void head() {
    const Element head(page_, "head");
    page_.element("meta", {{"charset", "utf-8"}});
    page_.element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
    page_.element("meta",
                  {{"http-equiv", "Content-Security-Policy"},
                   {"content", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"}});
    page_.element("title", {}, title());
    page_.raw(kHtmlStyle);
  }

  void header() {
    const Element header(page_, "header");
    page_.element("h1", {}, "Face recognition evaluation");
    const Element models(page_, "div", {{"class", "models"}});
    for (size_t m = 0; m < report_.models.size(); ++m) model_card(m);
  }

  void model_card(size_t model) {
    const Element card(page_, "section", {{"class", "card"}});
    {
      const Element heading(page_, "h2");
      model_name(model);
    }
    const Json& sets = report_.models[model].sets;
    if (!sets.is_object() || sets.empty()) {
      page_.element("p", {{"class", "quiet"}}, "Nothing is known of how its embeddings were made.");
      return;
    }
    const Element table(page_, "table", {{"class", "provenance"}});
    std::string names;
    for (const auto& [set, manifest] : sets.items()) names += (names.empty() ? "" : ", ") + set;
    provenance_row("sets", names);
    for (const std::string& key : keys_of(sets)) provenance_of(sets, key);
  }

  static std::vector<std::string> keys_of(const Json& sets) {
    std::vector<std::string> keys;
    for (const Json& manifest : sets) {
      if (!manifest.is_object()) continue;
      for (const auto& [key, value] : manifest.items()) {
        if (key != "set" && std::ranges::count(keys, key) == 0) keys.push_back(key);
      }
    }
    return keys;
  }

  // One row where all sets agree, else one per set.
  void provenance_of(const Json& sets, const std::string& key) {
    std::map<std::string, std::string> sets_of_value;
    std::vector<std::string> values;
    for (const auto& [set, manifest] : sets.items()) {
      if (!manifest.is_object() || !manifest.contains(key)) continue;
      const Json& json = manifest[key];
      const std::string value = json.is_string() ? json.get<std::string>() : dump(json);
      std::string& names = sets_of_value[value];
      if (names.empty()) values.push_back(value);
      names += (names.empty() ? "" : ", ") + set;
    }
    for (const std::string& value : values) {
      const bool all = values.size() == 1;
      provenance_row(spaced(key) + (all ? "" : " (" + sets_of_value[value] + ")"), value);
    }
  }

  void provenance_row(std::string_view key, std::string_view value) {
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "row"}}, key);
    page_.element("td", {}, value);
  }

  void contents() {
    const Element nav(page_, "nav");
    page_.element("h2", {}, "Contents");
    const Element list(page_, "ul");
    {
      const Element item(page_, "li");
      page_.element("a", {{"href", "#overview"}}, overview_title());
    }
    for (size_t p = 0; p < comparison_.protocols.size(); ++p) {
      const Element item(page_, "li");
      page_.element("a", {{"href", "#" + id(p)}}, comparison_.protocols[p].name);
      page_.element("span", {{"class", "quiet"}}, " " + comparison_.protocols[p].type);
    }
  }

  // ---- all protocols in one table
  bool several() const { return comparison_.models.size() > 1; }
  std::string overview_title() const { return several() ? "Comparison" : "Results"; }
  static std::string id(size_t protocol) { return concat("protocol-", protocol + 1); }

  void overview() {
    const Element section(page_, "section", {{"id", "overview"}});
    page_.element("h2", {}, overview_title());
    if (comparison_.protocols.empty()) {
      page_.element("p", {{"class", "quiet"}}, "Nothing was measured.");
      return;
    }
    if (several()) {
      page_.element(
          "p", {{"class", "quiet"}},
          concat("Differences are to ", comparison_.models[0],
                 ", of rates in percentage points (pp). ★ marks the best model; where protocols are not the "
                 "same, or a number does not rank models, none is marked."));
    }
    const Element scroll(page_, "div", {{"class", "scroll"}});
    const Element table(page_, "table", {{"class", "numbers"}, {"id", "comparison"}});
    overview_head();
    for (size_t p = 0; p < comparison_.protocols.size(); ++p) overview_rows(p);
  }

  void overview_head() {
    const Element head(page_, "thead");
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "col"}}, "Number");
    for (size_t m = 0; m < comparison_.models.size(); ++m) {
      model_heading(m);
      if (m > 0) page_.element("th", {{"scope", "col"}, {"class", "d"}}, "Difference");
    }
  }

  void overview_rows(size_t p) {
    const ComparedProtocol& protocol = comparison_.protocols[p];
    const Element body(page_, "tbody", {{"data-protocol", protocol.name}});
    const std::string columns = concat(2 * comparison_.models.size());
    {
      const Element row(page_, "tr", {{"class", "group"}});
      const Element cell(page_, "th", {{"colspan", columns}, {"scope", "rowgroup"}});
      page_.element("a", {{"href", "#" + id(p)}}, protocol.name);
      page_.element("span", {{"class", "quiet"}}, " " + protocol.type);
      if (!protocol.mismatches.empty()) {
        page_.element("span", {{"class", "warning"}}, "not the same protocol for all models");
      }
    }
    for (const ComparedNumber& number : protocol.numbers) {
      const Element row(page_, "tr", {{"data-number", number.name}});
      number_heading(number.name);
      for (size_t m = 0; m < number.values.size(); ++m) {
        value_cell(number, m);
        if (m > 0) difference_cell(number, m);
      }
    }
  }

  void value_cell(const ComparedNumber& number, size_t model) {
    const double value = number.values[model];
    if (std::isnan(value)) {
      page_.element("td", {{"class", "none"}, {"title", number.notes[model]}}, "undefined");
      return;
    }
    number.best[model] ? page_.open("td", {{"class", "best"}}) : page_.open("td");
    page_.element("data", {{"value", exact(value)}}, format_number(value, number.meaning));
    page_.close();
  }

  void difference_cell(const ComparedNumber& number, size_t model) {
    const double difference = number.difference(model);
    const Element cell(page_, "td", {{"class", "d"}});
    if (std::isnan(difference)) return;
    page_.element("data", {{"value", exact(difference)}}, format_difference(difference, number.meaning));
  }

  // ---- one protocol
  void section(size_t p) {
    const ComparedProtocol& protocol = comparison_.protocols[p];
    const Element section(page_, "section", {{"id", id(p)}});
    {
      const Element heading(page_, "h2");
      page_.text(protocol.name);
      page_.element("span", {{"class", "quiet"}}, " " + protocol.type);
    }
    words(protocol);
    for (const std::string& mismatch : protocol.mismatches) {
      page_.element("p", {{"class", "warning"}}, "Not the same protocol for all models: " + mismatch);
    }
    counts(protocol);
    numbers(protocol);
    published(protocol);
    curves(protocol);
    distributions(protocol);
    tables(protocol);
  }

  // The protocol in words: once where all models have the same.
  void words(const ComparedProtocol& protocol) {
    std::vector<std::string> seen;
    for (size_t m = 0; m < protocol.results.size(); ++m) {
      if (!protocol.results[m] || std::ranges::count(seen, protocol.results[m]->description) > 0) continue;
      seen.push_back(protocol.results[m]->description);
    }
    for (const std::string& description : seen) page_.element("p", {{"class", "words"}}, description);
  }

  void counts(const ComparedProtocol& protocol) {
    const Element list(page_, "dl", {{"class", "counts"}});
    std::vector<std::pair<std::string, int64_t>> shown;
    for (const ProtocolResult* result : protocol.results) {
      if (!result) continue;
      for (const auto& count : result->counts) {
        if (std::ranges::count(shown, count) > 0) continue;
        shown.push_back(count);
        const Element pair(page_, "div");
        page_.element("dt", {}, spaced(count.first));
        page_.element("dd", {}, grouped(count.second));
      }
    }
  }

  void numbers(const ComparedProtocol& protocol) {
    {
      const Element scroll(page_, "div", {{"class", "scroll"}});
      const Element table(page_, "table", {{"class", "numbers"}});
      numbers_head(protocol);
      const Element body(page_, "tbody");
      for (const ComparedNumber& number : protocol.numbers) {
        const Element row(page_, "tr");
        number_heading(number.name);
        for (size_t m = 0; m < number.values.size(); ++m) value_cell(number, m);
        for (const Reference* reference : protocol.references) published_cell(*reference, number);
      }
    }
    undefined_reasons(protocol);
  }

  void numbers_head(const ComparedProtocol& protocol) {
    const Element head(page_, "thead");
    const Element row(page_, "tr");
    page_.element("th", {{"scope", "col"}}, "Number");
    for (size_t m = 0; m < comparison_.models.size(); ++m) model_heading(m);
    for (size_t r = 0; r < protocol.references.size(); ++r) {
      page_.element("th", {{"scope", "col"}, {"class", "published"}},
                    concat("[", r + 1, "] ", protocol.references[r]->model));
    }
  }

  void published_cell(const Reference& reference, const ComparedNumber& number) {
    const double value = reference.value_of(number.name);
    const Element cell(page_, "td", {{"class", "published"}});
    if (!std::isnan(value)) {
      page_.element("data", {{"value", exact(value)}}, format_published(value, number.meaning));
    }
  }

  void undefined_reasons(const ComparedProtocol& protocol) {
    std::vector<std::pair<std::string, std::string>> reasons;  // with the numbers that they explain
    for (const ComparedNumber& number : protocol.numbers) {
      for (size_t m = 0; m < number.values.size(); ++m) {
        if (!std::isnan(number.values[m])) continue;
        const std::string reason = concat(several() ? comparison_.models[m] + ": " : "", number.notes[m]);
        auto known = std::ranges::find(reasons, reason, &std::pair<std::string, std::string>::first);
        if (known == reasons.end()) known = reasons.insert(reasons.end(), {reason, ""});
        known->second += (known->second.empty() ? "" : ", ") + number.name;
      }
    }
    if (reasons.empty()) return;
    const Element list(page_, "ul", {{"class", "notes"}});
    for (const auto& [reason, names] : reasons) {
      page_.element("li", {}, concat("Undefined: ", names, " (", reason, ")"));
    }
  }

  void published(const ComparedProtocol& protocol) {
    if (protocol.references.empty()) return;
    const Element list(page_, "ul", {{"class", "notes sources"}});
    for (const std::string& line : source_lines(protocol.references)) page_.element("li", {}, line);
  }

  // ---- curves
  void curves(const ComparedProtocol& protocol) {
    const Curves roc = curves_of(protocol, "roc");
    const bool is_roc = !roc.curves.empty() && roc.columns[0] == "far" && roc.columns[1] == "tar";
    const std::vector<std::string> parts = parts_of(protocol, "det");
    if (!is_roc && parts.empty()) return;
    const Element plots(page_, "div", {{"class", "plots"}});
    if (is_roc) roc_and_det(protocol, roc);
    for (const std::string& part : parts) {
      const Curves det = curves_of(protocol, "det", part);
      if (det.curves.empty()) continue;
      curves_of_part(protocol, det, part);
    }
  }

  // Where details[member] is a curve: one part without a name; else the names of its curves.
  static std::vector<std::string> parts_of(const ComparedProtocol& protocol, const std::string& member) {
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

  void roc_and_det(const ComparedProtocol& protocol, const Curves& roc) {
    const std::vector<double> fars = roc.values(0), tars = roc.values(1);
    const PlotAxis far = log_axis("False-acceptance rate (FAR)", fars);
    std::vector<double> misses;
    for (const double tar : tars) misses.push_back(1 - tar);
    const Element group(page_, "div", {{"data-curves", ""}});
    curve_data(roc);
    figure(roc, "ROC",
           {"ROC curve of " + protocol.name,
            far,
            linear_axis("True-acceptance rate (TAR)", tars, 1, true),
            {},
            {}},
           [](double tar) { return tar; });
    figure(roc, "DET",
           {"DET curve of " + protocol.name, far, log_axis("False-rejection rate (1 − TAR)", misses), {}, {}},
           [](double tar) { return 1 - tar; });
  }

  void curves_of_part(const ComparedProtocol& protocol, const Curves& det, const std::string& part) {
    const std::string heading = part.empty() ? "DET" : "DET, " + part;
    const Element group(page_, "div", {{"data-curves", ""}});
    curve_data(det);
    figure(det, heading,
           {concat(heading, " curve of ", protocol.name),
            log_axis("False-positive identification rate (FPIR)", det.values(0)),
            linear_axis_from_zero(det.values(1)),
            {},
            {}},
           [](double fnir) { return fnir; });
  }

  static PlotAxis linear_axis_from_zero(const std::vector<double>& values) {
    double high = 0.01;
    for (const double value : values) high = std::max(high, value);
    return {"False-negative identification rate (FNIR)", 0, std::min(1.0, std::ceil(high * 20) / 20), false,
            true};
  }

  // Drawn from columns 0 and 1, the latter through `height`. A curve's value at rate 0 stands at the left edge.
  template <class Height>
  void figure(const Curves& curves, const std::string& heading, Plot plot, Height&& height) {
    for (const Curve& curve : curves.curves) {
      PlotLine& line = plot.lines.emplace_back(PlotLine{curve.model, {}});
      for (const auto& point : curve.points)
        line.points.push_back({std::max(point[0], plot.x.low), height(point[1])});
    }
    const Element figure(page_, "figure");
    {
      const Element caption(page_, "figcaption");
      page_.element("b", {}, heading);
      for (const Curve& curve : curves.curves) model_name(curve.model);
    }
    draw_plot(plot, page_);
    page_.element("output", {{"class", "readout"}}, "\u00a0");
  }

  // What the script shows of the point under the pointer: names, columns and points of the curves, in their order.
  void curve_data(const Curves& curves) {
    Json names = Json::array(), lines = Json::array();
    for (const Curve& curve : curves.curves) {
      names.push_back(comparison_.models[curve.model]);
      std::string points;
      for (const auto& point : curve.points) {
        points += points.empty() ? "" : ";";
        for (size_t c = 0; c < point.size(); ++c) {
          points += concat(c > 0 ? "," : "", std::isfinite(point[c]) ? short_number(point[c], 5) : "");
        }
      }
      lines.push_back(std::move(points));
    }
    std::string json = dump({{"columns", curves.columns}, {"models", names}, {"points", lines}});
    // Nothing in it may end the script element or be markup.
    for (const auto& [character, escape] : {std::pair{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}}) {
      for (size_t at = 0; (at = json.find(character, at)) != std::string::npos; at += 6)
        json.replace(at, 1, escape);
    }
    const Element script(page_, "script", {{"type", "application/json"}});
    page_.raw(json);
  }

  // ---- distributions of known faces and strangers
  void distributions(const ComparedProtocol& protocol) {
    for (const char* measure : {"probability", "cosine"}) {
      std::vector<std::pair<size_t, const Json*>> found;
      for (size_t m = 0; m < protocol.results.size(); ++m) {
        if (!protocol.results[m] || !protocol.results[m]->details.contains("distributions")) continue;
        const Json& all = protocol.results[m]->details["distributions"];
        if (all.contains(measure) && are_distributions(all[measure])) found.emplace_back(m, &all[measure]);
      }
      if (found.empty()) continue;
      page_.element("h3", {}, concat("Best class's ", measure));
      const double highest = highest_share(found);
      {
        const Element plots(page_, "div", {{"class", "plots"}});
        for (const auto& [m, sides] : found) histogram(*protocol.results[m], m, measure, *sides, highest);
      }
      quantiles(found);
    }
  }

  static std::vector<double> shares(const Json& side) {
    std::vector<double> counts = side["histogram"]["counts"].get<std::vector<double>>();
    double total = 0;
    for (const double count : counts) total += count;
    for (double& count : counts) count = total > 0 ? count / total : 0;
    return counts;
  }

  static double highest_share(const std::vector<std::pair<size_t, const Json*>>& found) {
    double highest = 0.05;
    for (const auto& [model, sides] : found) {
      for (const Json& side : *sides) highest = std::max(highest, std::ranges::max(shares(side)));
    }
    return std::min(1.0, std::ceil(highest * 20) / 20);
  }

  void histogram(const ProtocolResult& result, size_t model, const std::string& measure, const Json& sides,
                 double highest) {
    Plot plot{concat("Distribution of the ", measure, " of the best class, ", comparison_.models[model]),
              {},
              {},
              {},
              {}};
    plot.height = 240;
    plot.y = {"Share of faces", 0, highest, false, true};
    std::vector<std::string> names;
    for (const auto& [side, distribution] : sides.items()) {
      const Json& bins = distribution["histogram"];
      const double low = bins["low"].get<double>(), high = bins["high"].get<double>();
      plot.x = {concat(measure, " of the best class"), low, high, false, false};
      plot.lines.push_back(
          {kFirstSideStyle + names.size(), histogram_outline(low, high, shares(distribution))});
      names.push_back(side);
    }
    std::optional<double> threshold;
    if (const Json& chosen = result.details.value("threshold", Json::object()); chosen.contains(measure)) {
      threshold = number_of(chosen[measure].value("threshold", Json()));
      plot.marks.push_back({*threshold, 0});
    }
    const Element figure(page_, "figure");
    {
      const Element caption(page_, "figcaption");
      page_.element("b", {}, comparison_.models[model]);
      for (size_t i = 0; i < names.size(); ++i) legend(kFirstSideStyle + i, names[i]);
      if (threshold) {
        page_.element("span", {{"class", "quiet"}}, "chosen threshold " + short_number(*threshold, 4));
      }
    }
    draw_plot(plot, page_);
  }

  void quantiles(const std::vector<std::pair<size_t, const Json*>>& found) {
    std::vector<std::pair<std::string, Json>> rows;
    for (const auto& [model, sides] : found) {
      for (const auto& [side, distribution] : sides->items()) {
        Json row{{"mean", distribution["mean"]}};
        for (const auto& [q, value] : distribution["quantiles"].items()) row[quantile_name(q)] = value;
        rows.emplace_back(several() ? concat(comparison_.models[model], ", ", side) : side, std::move(row));
      }
    }
    record_table("faces", rows);
  }

  // "q_0.05" -> "5 %"
  static std::string quantile_name(const std::string& name) {
    double q = 0;
    const auto parsed =
        std::from_chars(name.data() + std::min<size_t>(2, name.size()), name.data() + name.size(), q);
    return parsed.ec == std::errc{} ? short_number(100 * q, 4) + " %" : name;
  }

  // ---- all other details
  void tables(const ComparedProtocol& protocol) {
    std::vector<std::string> members, untold;
    for (const ProtocolResult* result : protocol.results) {
      if (!result || !result->details.is_object()) continue;
      for (const auto& [member, value] : result->details.items()) {
        if (std::ranges::count(members, member) == 0) members.push_back(member);
      }
    }
    for (const std::string& member : members) {
      if (member == "roc" || member == "det" || member == "distributions") continue;
      if (!member_table(protocol, member)) untold.push_back(member);
    }
    if (untold.empty()) return;
    std::string names;
    for (const std::string& member : untold) names += (names.empty() ? "" : ", ") + member;
    page_.element("p", {{"class", "quiet"}}, "Also in report.json: " + names + ".");
  }

  // False if it is nothing that a table can show.
  bool member_table(const ComparedProtocol& protocol, const std::string& member) {
    std::vector<std::pair<size_t, std::vector<std::pair<std::string, Json>>>> found;
    size_t rows = 0;
    for (size_t m = 0; m < protocol.results.size(); ++m) {
      if (!protocol.results[m] || !protocol.results[m]->details.contains(member)) continue;
      auto records = records_of(protocol.results[m]->details[member]);
      rows = std::max(rows, records.size());
      if (!records.empty()) found.emplace_back(m, std::move(records));
    }
    if (found.empty()) return false;
    page_.raw(rows < kShortTable ? "<details open=\"open\">" : "<details>");
    page_.element("summary", {}, spaced(member));
    for (const auto& [model, records] : found) {
      if (several()) {
        const Element name(page_, "p", {{"class", "of-model"}});
        model_name(model);
      }
      record_table(member, records);
    }
    page_.raw("</details>\n");
    return true;
  }

  void record_table(const std::string& what, const std::vector<std::pair<std::string, Json>>& records) {
    std::vector<std::string> columns;
    for (const auto& [name, record] : records) {
      for (const auto& [key, value] : record.items()) {
        if (std::ranges::count(columns, key) == 0) columns.push_back(key);
      }
    }
    {
      const Element scroll(page_, "div", {{"class", "scroll"}});
      const Element table(page_, "table", {{"class", "records"}});
      {
        const Element row(page_, "tr");
        page_.element("th", {{"scope", "col"}}, "");
        for (const std::string& column : columns) page_.element("th", {{"scope", "col"}}, spaced(column));
      }
      for (size_t i = 0; i < std::min(records.size(), kMostRows); ++i) {
        const auto& [name, record] = records[i];
        const Element row(page_, "tr");
        page_.element("th", {{"scope", "row"}}, name);
        for (const std::string& column : columns) record_cell(column, record.value(column, Json()));
      }
    }
    if (records.size() > kMostRows) {
      page_.element("p", {{"class", "quiet"}},
                    concat("The first ", kMostRows, " of ", records.size(), " ", spaced(what),
                           "; all stand in report.json."));
    }
  }

  void record_cell(const std::string& column, const Json& value) {
    const Element cell(page_, "td");
    if (value.is_number_integer()) {
      page_.element("data", {{"value", dump(value)}}, grouped(value.get<int64_t>()));
    } else if (value.is_number() && std::isfinite(value.get<double>())) {
      page_.element("data", {{"value", exact(value.get<double>())}},
                    format_number(value.get<double>(), meaning_of(column)));
    } else {
      page_.text(value.is_string() ? value.get<std::string>() : value.is_boolean() ? dump(value) : "—");
    }
  }

  // ---- names of models
  void model_heading(size_t model) {
    const Element cell(page_, "th", {{"scope", "col"}});
    model_name(model);
  }
  void model_name(size_t model) { legend(model, comparison_.models[model]); }

  void legend(size_t style, std::string_view name) {
    const Element whole(page_, "span", {{"class", "legend"}});
    draw_line_sample(style, page_);
    const Element text(page_, "span");
    breakable(name);
  }

  void number_heading(std::string_view name) {
    const Element cell(page_, "th", {{"scope", "row"}});
    breakable(name);
  }

  // A name that may be broken after its underscores.
  void breakable(std::string_view name) {
    while (!name.empty()) {
      const size_t end = std::min(name.find('_'), name.size() - 1) + 1;
      page_.text(name.substr(0, end));
      name.remove_prefix(end);
      if (!name.empty()) page_.element("wbr");
    }
  }

  static std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  const Report& report_;
  const Comparison comparison_;
  Markup page_;
};

}  // namespace

std::string to_html(const Report& report) { return Page(report).write(); }

}  // namespace uir
