#include "uir/eval/overlap_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "uir/report/html_parts.h"
#include "uir/report/markup.h"
#include "uir/report/svg_plot.h"

namespace uir {
namespace {

constexpr std::string_view kWords =
    "Each unlabeled image has a best match: the class center, or the image of a test set, with the highest "
    "cosine. A "
    "threshold removes the images whose best cosine reaches it. Caught: share of labeled images that would "
    "be found by their "
    "own class's center at this threshold, so the share of images of known people that it removes. Wrong: "
    "share of the same "
    "images whose best other center reaches it, so the share of strangers that it removes as well; as many "
    "images are "
    "expected to go by mistake if all were strangers. Labeled images that the network was trained on lie "
    "closer to their centers "
    "than new ones: held-out images tell the truth.";

std::string fixed(double value, const char* format) {
  if (std::isnan(value)) return "          -";
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

Json number(double value) { return std::isnan(value) ? Json() : Json(value); }

Json to_json(const SetOverlap::Target& target, double images) {
  Json json{{"histogram", target.histogram}, {"thresholds", Json::array()}, {"closest", Json::array()}};
  for (const Consequence& c : target.table) {
    json["thresholds"].push_back({{"threshold", c.threshold},
                                  {"removed", c.removed},
                                  {"caught", number(c.caught)},
                                  {"wrong", number(c.wrong)},
                                  {"expected_wrong", number(c.wrong * images)}});
  }
  for (const OverlapMatch& m : target.closest)
    json["closest"].push_back({{"item", m.item}, {"match", m.match}, {"cosine", m.cosine}});
  return json;
}

Json to_json(const SetOverlap& set) {
  Json json{{"set", set.set},
            {"images", set.images},
            {"histogram_low", -1},
            {"histogram_high", 1},
            {"targets", Json::object()},
            {"labeled_images", set.labeled_images},
            {"labeled_own_center", set.own},
            {"labeled_best_other_center", set.other},
            {"pictures", set.pictures}};
  for (const SetOverlap::Target& target : set.targets)
    json["targets"][target.name] = to_json(target, static_cast<double>(set.images));
  if (set.duplicates) {
    json["near_duplicates"] = {{"threshold", set.duplicates->threshold},
                               {"groups", set.duplicates->groups},
                               {"images", set.duplicates->images},
                               {"largest_group", set.duplicates->largest}};
  }
  if (set.filter) {
    json["filter"] = {
        {"threshold", set.filter->threshold ? Json(*set.filter->threshold) : Json()},
        {"against_threshold", set.filter->against_threshold ? Json(*set.filter->against_threshold) : Json()},
        {"matches", set.filter->matches},
        {"duplicates", set.filter->duplicates},
        {"left", set.filter->left}};
  }
  return json;
}

std::string duplicates_line(const DuplicateCounts& d) {
  return concat("near-duplicates (cosine of at least ", d.threshold, "): ", d.images, " images in ", d.groups,
                " groups, the largest of ", d.largest, "; keeping the first of each would remove ",
                d.images - d.groups);
}

std::string filter_line(const FilterCounts& f) {
  std::string thresholds;
  if (f.threshold) thresholds += concat(" of class centers from ", *f.threshold, " on");
  if (f.against_threshold)
    thresholds += concat(f.threshold ? " or" : "", " of further sets from ", *f.against_threshold, " on");
  return concat("removed: ", f.matches, " matches", thresholds,
                f.duplicates > 0 ? concat(" and ", f.duplicates, " more near-duplicates") : "",
                "; left: ", f.left);
}

// ---- text

void histogram_text(const SetOverlap::Target& target, std::string& text) {
  const int64_t highest = std::max<int64_t>(1, std::ranges::max(target.histogram));
  text += concat("  best cosine with ", target.name, ":\n");
  for (size_t i = 0; i < target.histogram.size(); ++i) {
    if (target.histogram[i] == 0) continue;
    const double low = -1 + 2.0 * static_cast<double>(i) / kOverlapBins;
    text += concat(
        "    ", fixed(low, "%5.2f"), "  ", fixed(static_cast<double>(target.histogram[i]), "%10.0f"), "  ",
        std::string(static_cast<size_t>((target.histogram[i] * 50 + highest - 1) / highest), '#'), '\n');
  }
}

void table_text(const SetOverlap::Target& target, const SetOverlap& set, std::string& text) {
  text += concat("  threshold    removed     caught      wrong  expected wrong\n");
  for (const Consequence& c : target.table) {
    text += concat("  ", fixed(c.threshold, "%9.3f"), fixed(static_cast<double>(c.removed), " %10.0f"),
                   fixed(100 * c.caught, " %8.2f %%"), fixed(100 * c.wrong, " %8.3f %%"),
                   fixed(c.wrong * static_cast<double>(set.images), " %15.1f"), '\n');
  }
  for (size_t i = 0; i < std::min<size_t>(10, target.closest.size()); ++i) {
    const OverlapMatch& m = target.closest[i];
    text += concat("  ", fixed(m.cosine, "%6.3f"), "  ", m.item, "  =  ", target.name, ": ", m.match, '\n');
  }
}

// ---- page

class OverlapPage {
 public:
  explicit OverlapPage(Markup& page) : page_(page) {}

  void section(const SetOverlap& set) {
    const Element section(page_, "section");
    page_.element("h2", {}, concat(set.set, ": ", grouped(set.images), " images"));
    histogram(set);
    for (const SetOverlap::Target& target : set.targets) {
      page_.element("h3", {}, concat("What a threshold on the cosine with ", target.name, " would do"));
      table(target, set);
      page_.element("h3", {}, concat("The closest matches with ", target.name));
      closest(target);
    }
    if (set.duplicates) page_.element("p", {}, duplicates_line(*set.duplicates));
    if (set.filter) page_.element("p", {}, filter_line(*set.filter));
    for (const std::string& picture : set.pictures) write_picture(picture, page_);
  }

 private:
  static std::vector<PlotPoint> outline(const std::vector<int64_t>& counts) {
    double total = 0;
    for (const int64_t count : counts) total += static_cast<double>(count);
    std::vector<double> shares;
    for (const int64_t count : counts) shares.push_back(total > 0 ? static_cast<double>(count) / total : 0);
    return histogram_outline(-1, 1, shares);
  }

  void add_line(const std::string& name, const std::vector<int64_t>& counts, Plot& plot) {
    write_legend(plot.lines.size(), name, page_);
    plot.lines.push_back({plot.lines.size(), outline(counts)});
  }

  void histogram(const SetOverlap& set) {
    const Element figure(page_, "figure");
    Plot plot;
    plot.title = "Distribution of the best cosine";
    plot.x = {"cosine", -1, 1, false, false};
    {
      const Element caption(page_, "figcaption");
      for (const SetOverlap::Target& target : set.targets)
        add_line(concat(set.set, ", best of ", target.name), target.histogram, plot);
      if (set.labeled_images > 0) {
        add_line("labeled images, own center", set.own, plot);
        add_line("labeled images, best other center", set.other, plot);
      }
    }
    double highest = 0.05;
    for (const PlotLine& line : plot.lines)
      for (const PlotPoint& point : line.points) highest = std::max(highest, point.y);
    plot.y = {"Share of images", 0, std::min(1.0, std::ceil(highest * 20) / 20), false, true};
    if (set.filter && set.filter->threshold) plot.marks.push_back({*set.filter->threshold, 0});
    draw_plot(plot, page_);
  }

  void table(const SetOverlap::Target& target, const SetOverlap& set) {
    Records rows;
    for (const Consequence& c : target.table) {
      rows.emplace_back(
          fixed(c.threshold, "%.3f"),
          Json{{"removed", c.removed},
               {"share removed", static_cast<double>(c.removed) / static_cast<double>(set.images)},
               {"caught", number(c.caught)},
               {"wrong", number(c.wrong)},
               {"expected wrong", number(c.wrong * static_cast<double>(set.images))}});
    }
    write_records("thresholds", rows, {}, page_);
  }

  void closest(const SetOverlap::Target& target) {
    Records rows;
    for (const OverlapMatch& m : target.closest)
      rows.emplace_back(m.item, Json{{"match", m.match}, {"cosine", m.cosine}});
    write_records("matches", rows, {}, page_);
  }

  Markup& page_;
};

}  // namespace

Json to_json(const std::vector<SetOverlap>& sets) {
  Json json{{"format", "uir-overlap"}, {"version", 1}, {"sets", Json::array()}};
  for (const SetOverlap& set : sets) json["sets"].push_back(to_json(set));
  return json;
}

std::string overlap_text(const std::vector<SetOverlap>& sets) {
  std::string text;
  for (const SetOverlap& set : sets) {
    text += concat(set.set, ": ", set.images, " images\n");
    text += concat("  shares from ", set.labeled_images, " labeled images\n");
    for (const SetOverlap::Target& target : set.targets) {
      histogram_text(target, text);
      table_text(target, set, text);
    }
    if (set.duplicates) text += "  " + duplicates_line(*set.duplicates) + "\n";
    if (set.filter) text += "  " + filter_line(*set.filter) + "\n";
  }
  return text;
}

std::string overlap_page(const std::vector<SetOverlap>& sets) {
  return plain_page("Overlap of unlabeled and known faces", [&](Markup& page) {
    page.element("p", {{"class", "words"}}, kWords);
    for (const SetOverlap& set : sets) OverlapPage(page).section(set);
  });
}

}  // namespace uir
