// A ROC as a protocol reports it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "uir/eval/roc.h"
#include "uir/report/report.h"

namespace uir {

// What they say to people, of pairs of images or templates.
inline constexpr NumberWords kAucWords{
    "AUC", "In {value} of cases a pair of one person scores higher than a pair of different people."},
    kEerWords{
        "EER",
        "{value} of the pairs of either kind are judged wrong where both mistakes are equally frequent."},
    kTarWords{"TAR@FAR {x}",
              "{value} of pairs of one person are accepted when {rate} pairs of different people {is}."};

// Adds auc, eer and tar_at_far_…, details["thresholds"] with the impostor scores on both sides of each
// threshold, and details["roc"]; undefined where a kind of pair is absent.
void report_roc(const Roc& roc, std::span<const double> fars, ProtocolResult& result);

// Shares of pairs that are accepted at thresholds which were chosen elsewhere, one for each rate; also of a list
// that has pairs of one kind only, and no ROC.
class CommonRates {
 public:
  explicit CommonRates(std::span<const double> thresholds);
  void add(bool genuine, double score);
  void add(const CommonRates& more);
  // tar_at_common_far_x and far_at_common_far_x; undefined where that kind of pair is absent.
  void report(std::span<const double> fars, ProtocolResult& result) const;

 private:
  struct Kind {
    std::vector<int64_t> accepted;  // by threshold
    int64_t pairs = 0;
  };
  std::vector<double> thresholds_;
  Kind genuine_, impostor_;
};

// The thresholds of these rates; none where they are undefined.
std::vector<double> thresholds_of(const ProtocolResult& result);

// Warns of rates below 1 / impostors, by the name of the protocol: what is measured there is acceptance above
// every impostor's score.
void warn_of_unresolved_rates(std::string_view protocol, std::span<const double> rates, int64_t impostors);

}  // namespace uir
