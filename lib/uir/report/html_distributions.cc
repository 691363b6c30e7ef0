#include "uir/report/html_distributions.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/report/html_parts.h"
#include "uir/report/svg_plot.h"

namespace uir {
namespace {

constexpr size_t kFirstSideStyle = 4;  // of known faces and strangers: not the first models' styles

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

// The models that have distributions of a measure.
using Found = std::vector<std::pair<size_t, const Json*>>;

Found distributions_of(const ComparedProtocol& protocol, const std::string& measure) {
  Found found;
  for (size_t m = 0; m < protocol.results.size(); ++m) {
    if (!protocol.results[m] || !protocol.results[m]->details.contains("distributions")) continue;
    const Json& all = protocol.results[m]->details["distributions"];
    if (all.contains(measure) && are_distributions(all[measure])) found.emplace_back(m, &all[measure]);
  }
  return found;
}

std::vector<double> shares(const Json& side) {
  std::vector<double> counts = side["histogram"]["counts"].get<std::vector<double>>();
  double total = 0;
  for (const double count : counts) total += count;
  for (double& count : counts) count = total > 0 ? count / total : 0;
  return counts;
}

double highest_share(const Found& found) {
  double highest = 0.05;
  for (const auto& [model, sides] : found) {
    for (const Json& side : *sides) highest = std::max(highest, std::ranges::max(shares(side)));
  }
  return std::min(1.0, std::ceil(highest * 20) / 20);
}

std::optional<double> chosen_threshold(const ProtocolResult& result, const std::string& measure) {
  const Json chosen = result.details.value("threshold", Json::object());
  if (!chosen.contains(measure)) return std::nullopt;
  return number_of(chosen[measure].value("threshold", Json()));
}

// "log_odds" -> "log odds"
std::string in_words(std::string measure) {
  std::ranges::replace(measure, '_', ' ');
  return measure;
}

// "q_0.05" -> "5 %"
std::string quantile_name(const std::string& name) {
  double q = 0;
  const auto parsed =
      std::from_chars(name.data() + std::min<size_t>(2, name.size()), name.data() + name.size(), q);
  return parsed.ec == std::errc{} ? short_number(100 * q, 4) + " %" : name;
}

class DistributionWriter {
 public:
  DistributionWriter(const ComparedProtocol& protocol, const std::vector<std::string>& models, Markup& page)
      : protocol_(protocol), models_(models), page_(page) {}

  void write(const std::string& measure) {
    const Found found = distributions_of(protocol_, measure);
    if (found.empty()) return;
    page_.element("h3", {}, concat("Best class's ", in_words(measure)));
    const double highest = highest_share(found);
    {
      const Element plots(page_, "div", {{"class", "plots"}});
      for (const auto& [model, sides] : found) figure(model, measure, *sides, highest);
    }
    quantiles(found);
  }

 private:
  void figure(size_t model, const std::string& measure, const Json& sides, double highest) {
    Plot plot = histogram(model, measure, sides, highest);
    const std::optional<double> threshold = chosen_threshold(*protocol_.results[model], measure);
    if (threshold) plot.marks.push_back({*threshold, 0});
    const Element figure(page_, "figure");
    caption(model, sides, threshold);
    draw_plot(plot, page_);
  }

  Plot histogram(size_t model, const std::string& measure, const Json& sides, double highest) const {
    Plot plot{concat("Distribution of the ", in_words(measure), " of the best class, ", models_[model]),
              {},
              {},
              {},
              {}};
    plot.height = 240;
    plot.y = {"Share of faces", 0, highest, false, true};
    for (const Json& side : sides) {
      const Json& bins = side["histogram"];
      const double low = bins["low"].get<double>(), high = bins["high"].get<double>();
      plot.x = {concat(in_words(measure), " of the best class"), low, high, false, false};
      plot.lines.push_back({kFirstSideStyle + plot.lines.size(), histogram_outline(low, high, shares(side))});
    }
    return plot;
  }

  void caption(size_t model, const Json& sides, const std::optional<double>& threshold) {
    const Element caption(page_, "figcaption");
    page_.element("b", {}, models_[model]);
    size_t style = kFirstSideStyle;
    for (const auto& [side, distribution] : sides.items()) write_legend(style++, side, page_);
    if (threshold) {
      page_.element("span", {{"class", "quiet"}}, "chosen threshold " + short_number(*threshold, 4));
    }
  }

  void quantiles(const Found& found) {
    Records rows;
    for (const auto& [model, sides] : found) {
      for (const auto& [side, distribution] : sides->items()) {
        Json row{{"mean", distribution["mean"]}};
        for (const auto& [q, value] : distribution["quantiles"].items()) row[quantile_name(q)] = value;
        rows.emplace_back(models_.size() > 1 ? concat(models_[model], ", ", side) : side, std::move(row));
      }
    }
    write_records("faces", rows, protocol_.facts.meanings, page_);
  }

  const ComparedProtocol& protocol_;
  const std::vector<std::string>& models_;
  Markup& page_;
};

}  // namespace

void write_distributions(const ComparedProtocol& protocol, const std::vector<std::string>& models,
                         Markup& page) {
  for (const char* measure : {"probability", "log_odds", "cosine"})
    DistributionWriter(protocol, models, page).write(measure);
}

}  // namespace uir
