#include "uir/eval/report_roc.h"

#include <string>
#include <vector>

namespace uir {
namespace {

constexpr int kCurvePoints = 200;

Json curve_json(const Roc& roc, std::span<const double> fars) {
  Json curve = Json::array();
  for (const RocPoint& p : roc.curve(kCurvePoints, fars)) curve.push_back({p.far, p.tar, p.threshold});
  return {{"columns", {"far", "tar", "threshold"}}, {"points", curve}};
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
  for (size_t i = 0; i < fars.size(); ++i) result.number(names[i + 2], roc.at_most(fars[i]).tar);
  result.details["roc"] = curve_json(roc, fars);
}

}  // namespace uir
