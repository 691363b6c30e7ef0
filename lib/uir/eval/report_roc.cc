#include "uir/eval/report_roc.h"

#include <string>
#include <utility>
#include <vector>

#include "uir/base/log.h"

namespace uir {
namespace {

constexpr int kCurvePoints = 200;
constexpr const char* kNoGenuine = "there are no pairs of the same person";
constexpr const char* kNoImpostors = "there are no pairs of different people";

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
    const char* why = roc.num_genuine() == 0 ? kNoGenuine : kNoImpostors;
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

CommonRates::CommonRates(std::span<const double> thresholds)
    : thresholds_(thresholds.begin(), thresholds.end()),
      genuine_{std::vector<int64_t>(thresholds.size()), 0},
      impostor_(genuine_) {}

void CommonRates::add(bool genuine, double score) {
  Kind& kind = genuine ? genuine_ : impostor_;
  ++kind.pairs;
  for (size_t t = 0; t < thresholds_.size(); ++t) kind.accepted[t] += score >= thresholds_[t];
}

void CommonRates::add(const CommonRates& more) {
  const auto add_kind = [](Kind& kind, const Kind& other) {
    kind.pairs += other.pairs;
    for (size_t t = 0; t < kind.accepted.size(); ++t) kind.accepted[t] += other.accepted[t];
  };
  add_kind(genuine_, more.genuine_);
  add_kind(impostor_, more.impostor_);
}

void CommonRates::report(std::span<const double> fars, ProtocolResult& result) const {
  const auto add_share = [&](std::string name, const Kind& kind, size_t t, const char* lacking) {
    if (kind.pairs == 0) return result.undefined(std::move(name), lacking);
    result.number(std::move(name), static_cast<double>(kind.accepted[t]) / static_cast<double>(kind.pairs));
  };
  for (size_t t = 0; t < thresholds_.size(); ++t) {
    add_share(name_with_rate("tar_at_common_far", fars[t]), genuine_, t, kNoGenuine);
    add_share(name_with_rate("far_at_common_far", fars[t]), impostor_, t, kNoImpostors);
  }
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
