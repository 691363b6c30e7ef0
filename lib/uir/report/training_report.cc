#include "uir/report/training_report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/json.h"
#include "uir/report/html_parts.h"
#include "uir/report/markup.h"
#include "uir/report/number_meaning.h"
#include "uir/report/svg_plot.h"

namespace uir {
namespace {

constexpr size_t kMostPoints = 400;

// One number of the log over the steps: step and value, finite.
using Points = std::vector<PlotPoint>;

struct Series {
  std::string name;
  Points points;
};

struct TrainingLog {
  std::map<std::string, Points> numbers;  // of the steps
  Json last;                              // line of a step
  std::vector<Json> verifications;
};

void add_number(const Json& line, const std::string& key, Points& points) {
  const double value = number_of(line.value(key, Json()));
  if (std::isfinite(value)) points.push_back({number_of(line["step"]), value});
}

// Whole lines only: the last one may be under way. Keeps numbers, not lines: runs have millions of steps.
TrainingLog read_log(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    fail(ErrorKind::kMissingInput, path.string(), ": no log; the report needs a run of uir-train");
  }
  const MappedFile file(path);
  const std::string_view text = as_text(file.bytes());
  TrainingLog log;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    Json line = Json::parse(text.substr(begin, end - begin), nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || !line.contains("step")) continue;
    if (line.contains("verification")) {
      log.verifications.push_back(std::move(line));
      continue;
    }
    for (const auto& [key, value] : line.items()) {
      if (value.is_number()) add_number(line, key, log.numbers[key]);
    }
    log.last = std::move(line);
  }
  return log;
}

Points thinned(const Points& points) {
  const size_t bin = (points.size() + kMostPoints - 1) / kMostPoints;
  if (bin <= 1) return points;
  Points means;
  for (size_t begin = 0; begin < points.size(); begin += bin) {
    const size_t end = std::min(begin + bin, points.size());
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += points[i].y;
    means.push_back({points[end - 1].x, sum / static_cast<double>(end - begin)});
  }
  return means;
}

// The accuracy of each protocol.
std::vector<Series> accuracies_of(const std::vector<Json>& verifications) {
  std::map<std::string, Points> by_protocol;
  for (const Json& line : verifications) {
    if (line["verification"].is_string())
      add_number(line, "accuracy", by_protocol[line["verification"].get<std::string>()]);
  }
  std::vector<Series> all;
  for (const auto& [protocol, points] : by_protocol) all.push_back({protocol, thinned(points)});
  return all;
}

double median_of(const Points& points) {
  if (points.empty()) return std::nan("");
  std::vector<double> values;
  for (const PlotPoint& point : points) values.push_back(point.y);
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class Page {
 public:
  Page(const fs::path& folder, TrainingLog log, std::span<const NamedMeaning> meanings)
      : folder_(folder), log_(std::move(log)), meanings_(meanings) {}

  std::string write() {
    page_.raw("<!DOCTYPE html>\n");
    {
      const Element html(page_, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
      write_head(title(), "img-src data:; ", page_);
      const Element body(page_, "body");
      page_.element("h1", {}, title());
      counts();
      {
        const Element main(page_, "main");
        curves();
        verification_table();
        contact_sheet();
        config();
      }
      write_script(page_);
    }
    return page_.take() + "\n";
  }

 private:
  std::string title() const { return "Training of " + folder_.filename().string(); }

  void count(std::string_view name, const std::string& value) {
    const Element pair(page_, "div");
    page_.element("dt", {}, name);
    page_.element("dd", {}, value);
  }

  void counts() {
    const Element list(page_, "dl", {{"class", "counts"}});
    const Json& last = log_.last;
    if (last.is_null()) return count("steps", "0");
    count("steps", grouped(static_cast<int64_t>(number_of(last["step"]))));
    count("epochs", short_number(number_of(last.value("epoch", Json())), 4));
    count("skipped steps", json_text(last.value("skipped", Json(0))));
    count("images/s (median)", short_number(median_of(numbers("images_per_s")), 4));
    count("data wait per step (median)", short_number(median_of(numbers("waited_s")), 3) + " s");
  }

  const Points& numbers(const std::string& key) const {
    static const Points none;
    const auto found = log_.numbers.find(key);
    return found == log_.numbers.end() ? none : found->second;
  }

  void curves() {
    const auto of = [&](const char* key, const char* name) { return Series{name, thinned(numbers(key))}; };
    const Element plots(page_, "div", {{"class", "plots"}});
    figure("Loss", "mean over the rows", false, {of("total", "total"), of("labeled", "labeled")});
    figure("UIR loss", "before its weight", false, {of("uir", "UIR")});
    figure("Accuracy of the labeled rows", "share of rows", true,
           {of("accuracy", "without the margin"), of("accuracy_with_margin", "with the margin")});
    figure("Verification", "accuracy", true, accuracies_of(log_.verifications));
    figure("Learning rate", "learning rate", false, {of("lr", "learning rate")});
    figure("Gradient norm", "norm", false, {of("gradient_norm", "gradient norm")});
    figure("Speed", "images/s", false, {of("images_per_s", "images/s")});
  }

  // Left out where there is no line to be drawn.
  void figure(const std::string& heading, const std::string& unit, bool percent, std::vector<Series> all) {
    std::erase_if(all, [](const Series& series) { return series.points.size() < 2; });
    if (all.empty()) return;
    Plot plot{heading, {"step", 0, 1, false, false}, {}, {}, {}, 260};
    std::vector<double> heights{percent ? 1.0 : 0.0};
    for (size_t i = 0; i < all.size(); ++i) {
      plot.lines.push_back({i, all[i].points});
      plot.x.high = std::max(plot.x.high, all[i].points.back().x);
      for (const PlotPoint& point : all[i].points) heights.push_back(point.y);
    }
    double high = *std::ranges::max_element(heights);
    if (high <= 0) high = 1;
    plot.y = linear_axis(unit, heights, high, percent);
    const Element group(page_, "div", {{"data-curves", ""}});
    std::vector<std::string> names, lines;
    for (const Series& series : all) {
      names.push_back(series.name);
      lines.push_back(points_of(series));
    }
    write_curve_data({"step", "value"}, names, lines, page_);
    const Element figure(page_, "figure");
    {
      const Element caption(page_, "figcaption");
      page_.element("b", {}, heading);
      for (size_t i = 0; i < all.size(); ++i) write_legend(i, all[i].name, page_);
    }
    draw_plot(plot, page_);
    page_.element("output", {{"class", "readout"}}, "\u00a0");
  }

  static std::string points_of(const Series& series) {
    std::string text;
    for (const PlotPoint& point : series.points)
      text += concat(text.empty() ? "" : ";", short_number(point.x, 10), ",", short_number(point.y, 5));
    return text;
  }

  // The last measurement of every protocol.
  void verification_table() {
    std::map<std::string, Json> last;
    for (const Json& line : log_.verifications) {
      if (!line["verification"].is_string()) continue;
      Json record = line.value("numbers", Json::object());
      record["accuracy"] = line.value("accuracy", Json());
      record["step"] = line["step"];
      last[line["verification"].get<std::string>()] = std::move(record);
    }
    if (last.empty()) return;
    page_.element("h2", {}, "Last verification");
    write_records("verifications", Records(last.begin(), last.end()), meanings_, page_);
  }

  void contact_sheet() {
    const fs::path path = folder_ / "contact_sheet.png";
    std::error_code error;
    if (!fs::exists(path, error)) return;
    page_.element("h2", {}, "What the network sees");
    const MappedFile file(path);
    page_.element("img", {{"alt", "Contact sheet of the data set"},
                          {"style", "max-width: 100%"},
                          {"src", "data:image/png;base64," + base64(file.bytes())}});
  }

  void config() {
    const fs::path path = folder_ / "config.yaml";
    std::error_code error;
    if (!fs::exists(path, error)) return;
    page_.element("h2", {}, "Config");
    const Element scroll(page_, "div", {{"class", "scroll"}});
    page_.element("pre", {}, read_text_file(path));
  }

  const fs::path folder_;
  const TrainingLog log_;
  const std::span<const NamedMeaning> meanings_;
  Markup page_;
};

}  // namespace

fs::path write_training_report(const fs::path& run_folder, std::span<const NamedMeaning> meanings) {
  const fs::path folder = fs::absolute(run_folder).lexically_normal();
  const fs::path path = run_folder / "training.html";
  write_file_atomically(path, Page(folder, read_log(run_folder / "log.jsonl"), meanings).write());
  return path;
}

}  // namespace uir
