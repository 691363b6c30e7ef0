#include "uir/eval/calibration_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "uir/base/error.h"
#include "uir/report/html_parts.h"
#include "uir/report/markup.h"
#include "uir/report/svg_plot.h"

namespace uir {
namespace {

constexpr std::string_view kPairs = "Are two images of one person?",
                           kNamed = "Is a face one of the gallery's people, and who?";
constexpr std::string_view kRule =
    "Accept when the cosine reaches the threshold. A threshold holds for this network, for a gallery of this "
    "size, and for faces like these. Mistakes: how many lie behind it; with fewer than 10 it is not "
    "resolved.";

std::string format(const char* pattern, double value) {
  char text[48];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string percent(double share) { return std::isnan(share) ? "-" : format("%.2f %%", 100 * share); }

std::string threshold_text(const CalibratedThreshold& t) {
  return t.threshold ? format("%.4f", *t.threshold) : "not resolved";
}

std::string pairs_words(const Calibration& c) {
  return concat(
      grouped(c.genuine_pairs), " pairs of images of one person, ", grouped(c.impostor_pairs),
      " of different people; lowest rate that these resolve: ",
      format("%.2g", static_cast<double>(kResolvingEvents) / static_cast<double>(c.impostor_pairs)));
}

std::string gallery_words(const Calibration& c) {
  return concat(grouped(c.people), " people of '", c.gallery, "', ", grouped(c.probes), " images of '",
                c.known, "' whose person is in it, ", grouped(c.strangers),
                " strangers; smaller galleries are the mean over all that can be drawn");
}

std::string line(const std::string& rate, const CalibratedThreshold& t) {
  std::string text = concat("    ", rate);
  text.resize(std::max<size_t>(text.size(), 36), ' ');
  text += threshold_text(t);
  text.resize(std::max<size_t>(text.size(), 52), ' ');
  text += percent(t.accepted);
  text.resize(std::max<size_t>(text.size(), 70), ' ');
  return text + grouped(t.events) + "\n";
}

std::string header(const std::string& rate, const std::string& accepted, const std::string& events) {
  std::string text = concat("    ", rate);
  text.resize(36, ' ');
  text += "threshold       ";
  text += accepted;
  text.resize(70, ' ');
  return text + events + "\n";
}

// ---- page

constexpr NamedMeaning kMeanings[] = {{"share", kHigherRate}};

void record(const std::string& name, const CalibratedThreshold& t, const char* accepted, Records& rows) {
  rows.emplace_back(name, Json{{"threshold", t.threshold ? Json(*t.threshold) : Json("not resolved")},
                               {accepted, std::isnan(t.accepted) ? Json() : Json(t.accepted)},
                               {"mistakes", t.events}});
}

class Curves {
 public:
  Curves(const Calibration& calibration, Markup& page) : calibration_(calibration), page_(page) {}

  void right_ones() {
    Plot plot = start("Share of the right people that pass");
    plot.y = {"Share", 0, 1, false, true};
    draw(
        plot, "pairs of one person", [](const CalibrationPoint& p) { return p.accepted_pairs; },
        [](const CalibrationPoint& p, size_t g) { return p.named_right[g]; });
  }

  void wrong_ones() {
    Plot plot = start("Mistakes: pairs of different people, and strangers who are named");
    std::vector<double> values;
    for (const CalibrationPoint& p : calibration_.curve) {
      values.push_back(p.false_matches);
      values.insert(values.end(), p.false_alarms.begin(), p.false_alarms.end());
    }
    std::erase_if(values, [](double v) { return std::isnan(v); });
    plot.y = log_axis("Share", values);
    draw(
        plot, "pairs of different people", [](const CalibrationPoint& p) { return p.false_matches; },
        [](const CalibrationPoint& p, size_t g) { return p.false_alarms[g]; });
  }

 private:
  static Plot start(const std::string& title) {
    Plot plot;
    plot.title = title;
    plot.x = {"threshold on the cosine", 0, 1, false, false};
    return plot;
  }

  template <class OfPairs, class OfGallery>
  void draw(Plot& plot, const std::string& pairs, OfPairs of_pairs, OfGallery of_gallery) {
    const Element figure(page_, "figure");
    {
      const Element caption(page_, "figcaption");
      page_.text(plot.title + ": ");
      add(plot, pairs, of_pairs);
      for (size_t g = 0; g < calibration_.galleries.size(); ++g)
        add(plot, concat("gallery of ", grouped(calibration_.galleries[g].people)),
            [&](const CalibrationPoint& p) { return of_gallery(p, g); });
    }
    draw_plot(plot, page_);
  }

  template <class Value>
  void add(Plot& plot, const std::string& name, Value value) {
    PlotLine line{plot.lines.size(), {}};
    for (const CalibrationPoint& p : calibration_.curve) {
      const double y = value(p);
      if (!std::isnan(y) && (!plot.y.log || y > 0)) line.points.push_back({p.threshold, y});
    }
    write_legend(line.style, name, page_);
    plot.lines.push_back(std::move(line));
  }

  const Calibration& calibration_;
  Markup& page_;
};

}  // namespace

std::string calibration_text(const Calibration& c) {
  std::string text = concat(kRule, "\n\n", kPairs, "\n  ", pairs_words(c), "\n");
  text += header("false matches", "right pairs pass", "mistakes");
  for (const CalibratedThreshold& t : c.pairs) text += line(format("%g of all pairs", t.rate), t);
  text += concat("\n", kNamed, "\n  ", gallery_words(c), "\n");
  for (const CalibratedGallery& gallery : c.galleries) {
    text += concat("  gallery of ", grouped(gallery.people), "\n");
    text += header("false alarms", "named right", "strangers behind it");
    for (const CalibratedThreshold& t : gallery.thresholds)
      text += line(format("%g of 1,000 strangers", t.rate), t);
  }
  return text;
}

std::string calibration_page(const Calibration& c) {
  return plain_page("Thresholds", [&](Markup& page) {
    page.element("p", {{"class", "words"}}, kRule);
    {
      const Element section(page, "section");
      page.element("h2", {}, kPairs);
      page.element("p", {}, pairs_words(c));
      Records rows;
      for (const CalibratedThreshold& t : c.pairs)
        record(format("%g of the pairs", t.rate), t, "share_of_right_pairs_that_pass", rows);
      write_records("false matches", rows, kMeanings, page);
    }
    const Element section(page, "section");
    page.element("h2", {}, kNamed);
    page.element("p", {}, gallery_words(c));
    for (const CalibratedGallery& gallery : c.galleries) {
      page.element("h3", {}, concat("A gallery of ", grouped(gallery.people), " people"));
      Records rows;
      for (const CalibratedThreshold& t : gallery.thresholds)
        record(format("%g of 1,000 strangers", t.rate), t, "share_named_right", rows);
      write_records("false alarms", rows, kMeanings, page);
    }
    Curves curves(c, page);
    curves.right_ones();
    curves.wrong_ones();
  });
}

}  // namespace uir
