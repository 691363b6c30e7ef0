#include "uir/report/training_report.h"

#include <algorithm>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/report/html_parts.h"
#include "uir/report/markup.h"
#include "uir/report/number_meaning.h"
#include "uir/report/svg_plot.h"
#include "uir/report/training_log.h"

namespace uir {
namespace {

constexpr size_t kMostPoints = 400;

struct Curve {
  std::string name;
  StepSeries points;
};

class TrainingPage {
 public:
  TrainingPage(const fs::path& folder, TrainingLog log, std::span<const NamedMeaning> meanings, int refresh_s)
      : folder_(folder), log_(std::move(log)), meanings_(meanings), refresh_s_(refresh_s) {}

  std::string write() {
    page_.raw("<!DOCTYPE html>\n");
    {
      const Element html(page_, "html", {{"lang", "en"}, {"xmlns", "http://www.w3.org/1999/xhtml"}});
      write_head(title(), "img-src data:; ", page_, refresh_s_);
      const Element body(page_, "body");
      page_.element("h1", {}, title());
      goes_on();
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

  void goes_on() {
    if (refresh_s_ == 0) return;
    page_.element("p", {{"class", "warning"}},
                  concat("Training goes on: this page loads itself anew every ", refresh_s_, " seconds."));
  }

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
    count("images/s (median)", short_number(median_of(log_.series("images_per_s")), 4));
    count("data wait per step (median)", short_number(median_of(log_.series("waited_s")), 3) + " s");
  }

  void curves() {
    const auto of = [&](const char* number, const char* name) {
      return Curve{name, thinned(log_.series(number), kMostPoints)};
    };
    const Element plots(page_, "div", {{"class", "plots"}});
    figure("Loss", "mean over the rows", false, {of("total", "total"), of("labeled", "labeled")});
    figure("UIR loss", "before its weight", false, {of("uir", "UIR")});
    figure("Accuracy of the labeled rows", "share of rows", true,
           {of("accuracy", "without the margin"), of("accuracy_with_margin", "with the margin")});
    figure("Verification", "share", true, verified());
    figure("Learning rate", "learning rate", false, {of("lr", "learning rate")});
    figure("Gradient norm", "norm", false, {of("gradient_norm", "gradient norm")});
    figure("Speed", "images/s", false, {of("images_per_s", "images/s")});
  }

  std::vector<Curve> verified() const {
    std::vector<Curve> curves;
    for (const auto& [protocol, series] : log_.verified())
      curves.push_back({protocol, thinned(series, kMostPoints)});
    return curves;
  }

  // Left out where there is no line to be drawn.
  void figure(const std::string& heading, const std::string& unit, bool percent, std::vector<Curve> curves) {
    std::erase_if(curves, [](const Curve& curve) { return curve.points.size() < 2; });
    if (curves.empty()) return;
    const Element group(page_, "div", {{"data-curves", ""}});
    std::vector<std::string> names, lines;
    for (const Curve& curve : curves) {
      names.push_back(curve.name);
      lines.push_back(points_of(curve));
    }
    write_curve_data({"step", "value"}, names, lines, page_);
    const Element figure(page_, "figure");
    {
      const Element caption(page_, "figcaption");
      page_.element("b", {}, heading);
      for (size_t i = 0; i < curves.size(); ++i) write_legend(i, curves[i].name, page_);
    }
    draw_plot(plot_of(heading, unit, percent, curves), page_);
    page_.element("output", {{"class", "readout"}}, "\u00a0");
  }

  // Over the steps; from 0, of shares up to 1.
  static Plot plot_of(const std::string& heading, const std::string& unit, bool percent,
                      const std::vector<Curve>& curves) {
    Plot plot{heading, {"step", 0, 1, false, false}, {}, {}, {}, 260};
    std::vector<double> heights{percent ? 1.0 : 0.0};
    for (size_t i = 0; i < curves.size(); ++i) {
      plot.lines.push_back({i, curves[i].points});
      plot.x.high = std::max(plot.x.high, curves[i].points.back().x);
      for (const PlotPoint& point : curves[i].points) heights.push_back(point.y);
    }
    double high = *std::ranges::max_element(heights);
    if (high <= 0) high = 1;
    plot.y = linear_axis(unit, heights, high, percent);
    return plot;
  }

  static std::string points_of(const Curve& curve) {
    std::string text;
    for (const PlotPoint& point : curve.points)
      text += concat(text.empty() ? "" : ";", short_number(point.x, 10), ",", short_number(point.y, 5));
    return text;
  }

  // The last measurement of every protocol.
  void verification_table() {
    std::map<std::string, Json> last;
    for (const Json& line : log_.verifications) {
      if (!line["verification"].is_string()) continue;
      Json record = line.value("numbers", Json::object());
      record[metric_of(line)] = line.value(metric_of(line), Json());
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
  const int refresh_s_;
  Markup page_;
};

}  // namespace

fs::path write_training_report(const fs::path& run_folder, std::span<const NamedMeaning> meanings,
                               int refresh_s) {
  const fs::path folder = fs::absolute(run_folder).lexically_normal();
  const fs::path path = run_folder / "training.html";
  const TrainingLog log = read_training_log(run_folder / "log.jsonl");
  write_file_atomically(path, TrainingPage(folder, log, meanings, refresh_s).write());
  return path;
}

}  // namespace uir
