#include "uir/eval/report_roc.h"

#include <string>
#include <vector>

#include "uir/base/log.h"

namespace uir {
namespace {

constexpr int kCurvePoints = 200;

Json curve_json(const Roc& roc, std::span<const double> fars) {
  Json curve = Json::array();
  for (const RocPoint& p : roc.curve(kCurvePoints, fars)) curve.push_back({p.far, p.tar, p.threshold});
  return {{"columns", {"far", "tar", "threshold"}}, {"points", curve}};
}

Json threshold_json(const Roc& roc, double far, const RocPoint& point) {
  const Roc::Sides impostors = roc.impostors_beside(point.threshold);
  return {{"far", far},
          {"threshold", point.threshold},
          {"achieved_far", point.far},
          {"impostor_below", impostors.below},
          {"impostor_accepted", impostors.accepted}};
}

}  // namespace

void report_roc(const Roc& roc, std::span<const double> fars, ProtocolResult& result) {
  std::vector<std::string> names{"auc", "eer"};
  for (double far : fars) names.push_back(name_with_rate("tar_at_far", far));
  if (!roc.defined()) {
    const char* why = roc.num_genuine() == 0 ? "there are no pairs of the same person"
                                             : "there are no pairs of different people";
    for (std::string& name : names) result.undefined(std::move(name), why);
    return;
  }
  result.number(names[0], roc.auc());
  result.number(names[1], roc.eer());
  for (size_t i = 0; i < fars.size(); ++i) {
    const RocPoint point = roc.at_most(fars[i]);
    result.number(names[i + 2], point.tar);
    result.details["thresholds"].push_back(threshold_json(roc, fars[i], point));
  }
  result.details["roc"] = curve_json(roc, fars);
}

std::vector<double> thresholds_of(const ProtocolResult& result) {
  std::vector<double> thresholds;
  if (!result.details.contains("thresholds")) return thresholds;
  for (const Json& rate : result.details["thresholds"]) thresholds.push_back(rate["threshold"].get<double>());
  return thresholds;
}

void warn_of_unresolved_rates(std::string_view protocol, std::span<const double> rates, int64_t impostors) {
  std::string fine;
  for (const double rate : rates) {
    if (rate * static_cast<double>(impostors) > 1 - 1e-9) continue;
    fine += concat(fine.empty() ? "" : ", ", rate);
  }
  if (fine.empty() || impostors == 0) return;
  log_warning(protocol, ": ", impostors, " impostor scores cannot resolve a false-acceptance rate of ", fine,
              " (below 1/", impostors, "): what is measured there accepts no impostor at all");
}

}  // namespace uir
