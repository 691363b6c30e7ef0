#include "uir/eval/pair_uncertainty.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "uir/base/error.h"
#include "uir/eval/share_uncertainty.h"
#include "uir/report/intervals.h"

namespace uir {
namespace {

constexpr const char* kFewPeople = "fewer than three people have pairs";
constexpr const char* kOwnsAll = "one person owns all genuine pairs";
constexpr const char* kInAll = "one person stands in every impostor pair";

Uncertainty without_interval(std::string why) {
  Uncertainty uncertainty;
  uncertainty.note = std::move(why);
  uncertainty.resolution = Resolution::kNotResolved;
  return uncertainty;
}

std::vector<int64_t> genuine_of(const PeopleTally& tally) {
  std::vector<int64_t> genuine;
  for (int64_t i = 0; i < tally.people(); ++i) genuine.push_back(tally.genuine_of(i));
  return genuine;
}

double concentration(const PeopleTally& tally) { return uir::concentration(genuine_of(tally)); }

}  // namespace

double slope_of(double twice, double half, int64_t impostors_twice, int64_t impostors_half) {
  if (impostors_half <= 0 || impostors_twice <= impostors_half) return 0;
  return (twice - half) /
         std::log(static_cast<double>(impostors_twice) / static_cast<double>(impostors_half));
}

// What one person adds to a number: to its part over genuine pairs, and to that over impostor pairs.
struct PairUncertainty::Terms {
  std::vector<double> influences;
  std::string problem;  // why there is no interval

  // g(i) and h(i) as above; those who have no pair of a kind with `wants` do not count.
  template <class G, class H>
  Terms(const PeopleTally& tally, bool wants_genuine, bool wants_impostors, G&& g, H&& h) {
    const auto n = static_cast<double>(tally.num_genuine()), all = static_cast<double>(tally.num_impostor());
    for (int64_t i = 0; i < tally.people(); ++i) {
      const int64_t own = wants_genuine ? tally.genuine_of(i) : 0;
      const int64_t others = wants_impostors ? tally.impostors_of(i) : 0;
      if (own + others == 0) continue;
      if (own > 0 && own == tally.num_genuine()) problem = kOwnsAll;
      if (others > 0 && others == tally.num_impostor()) problem = kInAll;
      double influence = 0;
      if (own > 0) influence += g(i) / n / (1 - static_cast<double>(own) / n);
      if (others > 0) influence += h(i) / all / (1 - static_cast<double>(others) / all);
      influences.push_back(influence);
    }
    if (influences.size() < 3) problem = kFewPeople;
  }
  std::optional<Variance> variance() const {
    return problem.empty() ? variance_of(influences) : std::nullopt;
  }
};

double PairUncertainty::Cut::accepted() const {
  const auto least = static_cast<double>(roc.accepted);
  return std::clamp(wanted, least, std::max(least, static_cast<double>(roc.above_next)));
}

double PairUncertainty::Cut::gap_share() const {
  const int64_t gap = roc.above_next - roc.accepted;
  return gap > 0 ? (accepted() - static_cast<double>(roc.accepted)) / static_cast<double>(gap) : 0;
}

PairUncertainty::PairUncertainty(const Roc& roc, std::span<const double> fars,
                                 std::span<const double> thresholds, int64_t band_points)
    : roc_(roc), fars_(fars.begin(), fars.end()) {
  const auto impostors = static_cast<double>(roc.num_impostor());
  const auto cut_at = [&](double far) { return add_cut(far, static_cast<double>(roc.cut_at(far).allowed)); };
  for (const double far : fars_)
    rates_.push_back({cut_at(far), cut_at(std::min(1.0, 2 * far)), cut_at(far / 2)});
  eer_ = add_cut(roc.eer(), roc.eer() * impostors);
  constexpr double kEvents = 50;
  fifty_ = cut_at(std::min(1.0, kEvents / impostors));
  first_threshold_ = levels_.size();
  levels_.insert(levels_.end(), thresholds.begin(), thresholds.end());
  add_band(band_points);
}

PairUncertainty::Cut PairUncertainty::add_cut(double far, double wanted) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Cut cut{roc_.cut_at(far), wanted, levels_.size(), levels_.size() + 1};
  levels_.push_back(cut.roc.threshold);
  levels_.push_back(std::nextafter(cut.roc.next, kInfinity));
  return cut;
}

// On the curve's own points no impostors of a gap count: one level each.
void PairUncertainty::add_band(int64_t points) {
  const double least = static_cast<double>(kLeastEvents) / static_cast<double>(roc_.num_impostor());
  for (int64_t i = points; i > 0 && least < 1; --i) {
    const double far = std::pow(least, static_cast<double>(i) / static_cast<double>(points));
    const RocPoint point = roc_.at_most(far);
    const Roc::Cut cut = roc_.cut_at(point.far);
    const bool known = !band_.empty() && band_.back().roc.accepted == cut.accepted;
    if (known || cut.accepted < kLeastEvents || point.tar == 0 || point.tar == 1) continue;
    band_.push_back({cut, static_cast<double>(cut.accepted), levels_.size(), levels_.size()});
    levels_.push_back(cut.threshold);
  }
}

PeopleTally PairUncertainty::empty_tally(int64_t people) const { return {roc_, levels_, people}; }

double PairUncertainty::impostors_at(const PeopleTally& tally, const Cut& cut, int64_t person) const {
  const auto at = static_cast<double>(tally.impostors_at(cut.at, person));
  const auto above_next = static_cast<double>(tally.impostors_at(cut.above_next, person));
  return at + cut.gap_share() * (above_next - at);
}

double PairUncertainty::tar(const PeopleTally& tally, const Cut& cut) const {
  return static_cast<double>(tally.genuine_at(cut.at)) / static_cast<double>(tally.num_genuine());
}

double PairUncertainty::mean_tar(const PeopleTally& tally, const Cut& cut) const {
  double sum = 0;
  int64_t persons = 0;
  for (int64_t i = 0; i < tally.people(); ++i) {
    const int64_t pairs = tally.genuine_of(i);
    if (pairs == 0) continue;
    sum += static_cast<double>(tally.genuine_at(cut.at, i)) / static_cast<double>(pairs);
    ++persons;
  }
  return sum / static_cast<double>(persons);
}

// By how much the variance of a FAR is larger than that of independent pairs.
double PairUncertainty::design_effect(const PeopleTally& tally, const Cut& cut) const {
  const auto all = static_cast<double>(tally.num_impostor());
  const double far = cut.accepted() / all;
  const Terms terms(
      tally, false, true, [](int64_t) { return 0.0; },
      [&](int64_t i) {
        return impostors_at(tally, cut, i) - far * static_cast<double>(tally.impostors_of(i));
      });
  const std::optional<Variance> variance = terms.variance();
  const double independent = far * (1 - far) / all;
  return variance && independent > 0 ? std::max(1.0, variance->value / independent) : 1;
}

// What the estimated threshold adds to the influences on TAR at FAR: h above.
std::function<double(int64_t)> PairUncertainty::threshold_part(const PeopleTally& tally, const Cut& cut,
                                                               double b) const {
  const double accepted = cut.accepted(), p = accepted / static_cast<double>(tally.num_impostor());
  if (p == 0) return [](int64_t) { return 0.0; };
  return [this, &tally, &cut, b, p](int64_t i) {
    return -b * (impostors_at(tally, cut, i) - p * static_cast<double>(tally.impostors_of(i))) / p;
  };
}

void PairUncertainty::count_events(const PeopleTally& tally, const Cut& cut, Uncertainty& uncertainty) const {
  uncertainty.impostor_events = cut.roc.allowed;
  uncertainty.effective_events = static_cast<double>(cut.roc.allowed) / design_effect(tally, cut);
  uncertainty.genuine_events = std::llround((1 - tar(tally, cut)) * static_cast<double>(tally.num_genuine()));
  uncertainty.effective_people = 1 / concentration(tally);
  uncertainty.resolution = resolution_of(cut.roc.allowed);
  if (uncertainty.resolution == Resolution::kNotResolved)
    uncertainty.note =
        concat("not resolved: ", cut.roc.allowed, " impostor pairs may be accepted at this rate");
}

Uncertainty PairUncertainty::tar_at_far(const PeopleTally& tally, size_t far) const {
  const RateCuts& cuts = rates_[far];
  Uncertainty uncertainty;
  count_events(tally, cuts.at, uncertainty);
  if (uncertainty.resolution == Resolution::kNotResolved) return uncertainty;
  const double b =
      slope_of(tar(tally, cuts.twice), tar(tally, cuts.half), cuts.twice.roc.allowed, cuts.half.roc.allowed);
  return with_tar_interval(tally, cuts.at, b, std::move(uncertainty));
}

// b: how fast TAR grows with ln FAR.
Uncertainty PairUncertainty::with_tar_interval(const PeopleTally& tally, const Cut& cut, double b,
                                               Uncertainty uncertainty) const {
  const double rate = tar(tally, cut);
  const Terms terms(
      tally, true, true,
      [&](int64_t i) {
        return static_cast<double>(tally.genuine_at(cut.at, i)) -
               rate * static_cast<double>(tally.genuine_of(i));
      },
      threshold_part(tally, cut, b));
  const auto variance = terms.variance();
  if (!variance) return without_interval(terms.problem);
  set_interval(rate, *variance, rate * (1 - rate) / static_cast<double>(tally.num_genuine()),
               concentration(tally), uncertainty);
  uncertainty.influences = {terms.influences};
  return uncertainty;
}

std::vector<PairUncertainty::BandPoint> PairUncertainty::band(const PeopleTally& tally) const {
  std::vector<BandPoint> points;
  for (const Cut& cut : band_) {
    const double far = cut.accepted() / static_cast<double>(tally.num_impostor());
    const double twice = std::min(1.0, 2 * far), half = far / 2;
    const double b = slope_of(roc_.at_most(twice).tar, roc_.at_most(half).tar, roc_.cut_at(twice).allowed,
                              roc_.cut_at(half).allowed);
    const Uncertainty uncertainty = with_tar_interval(tally, cut, b, {});
    if (uncertainty.has_interval()) points.push_back({far, uncertainty.low, uncertainty.high});
  }
  return points;
}

PairUncertainty::PerPerson PairUncertainty::tar_per_person(const PeopleTally& tally, size_t far) const {
  const RateCuts& cuts = rates_[far];
  PerPerson result{mean_tar(tally, cuts.at), {}};
  count_events(tally, cuts.at, result.uncertainty);
  double persons = 0;
  for (int64_t i = 0; i < tally.people(); ++i) persons += tally.genuine_of(i) > 0;
  result.uncertainty.effective_people = persons;
  if (result.uncertainty.resolution == Resolution::kNotResolved) return result;
  const double b = slope_of(mean_tar(tally, cuts.twice), mean_tar(tally, cuts.half), cuts.twice.roc.allowed,
                            cuts.half.roc.allowed);
  // Terms divides by n and by 1 − n_i/n, where a mean has persons and 1 − 1/persons.
  const auto pairs = static_cast<double>(tally.num_genuine());
  const Terms terms(
      tally, true, true,
      [&](int64_t i) {
        const auto own = static_cast<double>(tally.genuine_of(i));
        const double share = static_cast<double>(tally.genuine_at(cuts.at.at, i)) / own;
        return (share - result.mean) / (persons - 1) * (pairs - own);
      },
      threshold_part(tally, cuts.at, b));
  const auto variance = terms.variance();
  if (!variance) {
    result.uncertainty = without_interval(terms.problem);
  } else {
    set_interval(result.mean, *variance, 0, 1 / persons, result.uncertainty);
    result.uncertainty.influences = {terms.influences};
  }
  return result;
}

Uncertainty PairUncertainty::auc(const PeopleTally& tally) const {
  const double value = roc_.auc(), n = 2 * static_cast<double>(tally.num_genuine()),
               all = 2 * static_cast<double>(tally.num_impostor());
  Uncertainty uncertainty;
  uncertainty.effective_people = 1 / concentration(tally);
  const Terms terms(
      tally, true, true,
      [&](int64_t i) {
        return static_cast<double>(tally.genuine_wins(i)) / all -
               value * static_cast<double>(tally.genuine_of(i));
      },
      [&](int64_t i) {
        return static_cast<double>(tally.wins_over_impostors(i)) / n -
               value * static_cast<double>(tally.impostors_of(i));
      });
  const auto variance = terms.variance();
  if (!variance) return without_interval(terms.problem);
  set_interval(value, *variance, 0, concentration(tally), uncertainty);
  uncertainty.influences = {terms.influences};
  return uncertainty;
}

Uncertainty PairUncertainty::eer(const PeopleTally& tally) const {
  const double value = roc_.eer(), all = static_cast<double>(tally.num_impostor());
  const double frr = 1 - tar(tally, eer_), far = eer_.accepted() / all;
  const double missed_at_half = 1 - roc_.at_most(value / 2).tar,
               missed_at_twice = 1 - roc_.at_most(std::min(1.0, 2 * value)).tar;
  const double fall = missed_at_half - missed_at_twice, rise = std::min(1.0, 2 * value) - value / 2;
  const double a = fall + rise > 0 ? fall / (fall + rise) : 0.5;
  Uncertainty uncertainty;
  constexpr double kRounding = 1e-6;  // value · n may fall just short of a whole number
  uncertainty.impostor_events = static_cast<int64_t>(value * all + kRounding);
  uncertainty.genuine_events =
      static_cast<int64_t>(value * static_cast<double>(tally.num_genuine()) + kRounding);
  uncertainty.effective_people = 1 / concentration(tally);
  uncertainty.resolution = resolution_of(std::min(uncertainty.impostor_events, uncertainty.genuine_events));
  if (uncertainty.resolution == Resolution::kNotResolved) {
    uncertainty.note = concat("not resolved: ", uncertainty.genuine_events, " genuine and ",
                              uncertainty.impostor_events, " impostor pairs are decided wrongly");
    return uncertainty;
  }
  const Terms terms(
      tally, true, true,
      [&](int64_t i) {
        const auto own = static_cast<double>(tally.genuine_of(i));
        return (1 - a) * (own - static_cast<double>(tally.genuine_at(eer_.at, i)) - frr * own);
      },
      [&](int64_t i) {
        return a * (impostors_at(tally, eer_, i) - far * static_cast<double>(tally.impostors_of(i)));
      });
  const auto variance = terms.variance();
  if (!variance) return without_interval(terms.problem);
  const auto n = static_cast<double>(tally.num_genuine());
  const double least = value * (1 - value) * ((1 - a) * (1 - a) / n + a * a / all);  // of independent pairs
  set_interval(value, *variance, least, concentration(tally), uncertainty);
  uncertainty.influences = {terms.influences};
  return uncertainty;
}

Uncertainty PairUncertainty::tar_at(const PeopleTally& tally, size_t threshold) const {
  const size_t level = first_threshold_ + threshold;
  const int64_t accepted = tally.genuine_at(level);
  const auto n = static_cast<double>(tally.num_genuine());
  const double rate = static_cast<double>(accepted) / n;
  const Terms terms(
      tally, true, false,
      [&](int64_t i) {
        return static_cast<double>(tally.genuine_at(level, i)) -
               rate * static_cast<double>(tally.genuine_of(i));
      },
      [](int64_t) { return 0.0; });
  const auto variance = terms.variance();
  if (!variance) return without_interval(terms.problem);
  Uncertainty uncertainty;
  uncertainty.genuine_events = tally.num_genuine() - accepted;
  uncertainty.effective_people = 1 / concentration(tally);
  set_interval(rate, *variance, rate * (1 - rate) / n, concentration(tally), uncertainty);
  uncertainty.influences = {terms.influences};
  return uncertainty;
}

Uncertainty PairUncertainty::far_at(const PeopleTally& tally, size_t threshold) const {
  const size_t level = first_threshold_ + threshold;
  const auto all = static_cast<double>(tally.num_impostor());
  const int64_t accepted = tally.impostors_at(level);
  const double rate = static_cast<double>(accepted) / all;
  const Terms terms(
      tally, false, true, [](int64_t) { return 0.0; },
      [&](int64_t i) {
        return static_cast<double>(tally.impostors_at(level, i)) -
               rate * static_cast<double>(tally.impostors_of(i));
      });
  const auto variance = terms.variance();
  if (!variance) return without_interval(terms.problem);
  Uncertainty uncertainty;
  uncertainty.impostor_events = accepted;
  uncertainty.resolution = resolution_of(accepted);
  if (uncertainty.resolution == Resolution::kNotResolved) {  // too few to tell their own variance
    set_few_events(accepted, tally.num_impostor(), design_effect(tally, fifty_), uncertainty);
    return uncertainty;
  }
  const double independent = rate * (1 - rate) / all;
  uncertainty.effective_events =
      static_cast<double>(accepted) / std::max(1.0, variance->value / std::max(independent, 1e-300));
  set_interval(rate, *variance, independent, 1, uncertainty);
  uncertainty.influences = {terms.influences};
  return uncertainty;
}

void PairUncertainty::report(const PeopleTally& tally, const std::string& caveat,
                             ProtocolResult& result) const {
  result.set_uncertainty("auc", with_caveat(auc(tally), caveat));
  result.set_uncertainty("eer", with_caveat(eer(tally), caveat));
  for (size_t f = 0; f < fars_.size(); ++f) {
    const std::string name = name_with_rate("tar_at_far", fars_[f]);
    const Uncertainty uncertainty = tar_at_far(tally, f);
    result.set_uncertainty(name, with_caveat(uncertainty, caveat));
    if (uncertainty.has_interval() && result.details.contains("roc"))
      result.details["roc"]["intervals"].push_back({fars_[f], uncertainty.low, uncertainty.high});
    if (uncertainty.resolution == Resolution::kWeak)
      result.remarks.push_back(concat(uncertainty.impostor_events, " false accepts carry ", name, "."));
  }
  if (result.details.contains("roc")) {
    Json& band = result.details["roc"]["band"] = Json::array();
    for (const BandPoint& point : this->band(tally)) band.push_back({point.far, point.low, point.high});
  }
  for (size_t f = 0; f < fars_.size(); ++f) {
    const PerPerson mean = tar_per_person(tally, f);
    const std::string name = name_with_rate("tar_at_far", fars_[f]) + "_per_person";
    result.number(name, mean.mean);
    result.set_uncertainty(name, with_caveat(mean.uncertainty, caveat));
  }
  report_people(genuine_of(tally), caveat, result);
}

void PairUncertainty::report_common(const PeopleTally& tally, const std::string& caveat,
                                    ProtocolResult& result) const {
  const auto add = [&](std::string_view name, size_t t, int64_t accepted, int64_t pairs,
                       Uncertainty uncertainty) {
    const std::string with_rate = name_with_rate(name, fars_[t]);
    result.number(with_rate, static_cast<double>(accepted) / static_cast<double>(pairs));
    result.set_uncertainty(with_rate, with_caveat(std::move(uncertainty), caveat));
  };
  for (size_t t = 0; t < fars_.size(); ++t) {
    const size_t level = first_threshold_ + t;
    add("tar_at_common_far", t, tally.genuine_at(level), tally.num_genuine(), tar_at(tally, t));
    add("far_at_common_far", t, tally.impostors_at(level), tally.num_impostor(), far_at(tally, t));
  }
}

void report_people(std::span<const int64_t> genuine, std::string_view caveat, ProtocolResult& result) {
  const auto with_genuine = std::ranges::count_if(genuine, [](int64_t pairs) { return pairs > 0; });
  const double effective = 1 / concentration(genuine);
  result.details["people"] = {{"people", genuine.size()},
                              {"with_genuine_pairs", with_genuine},
                              {"effective_people", effective},
                              {"most_genuine_pairs_of_one", std::ranges::max(genuine)}};
  constexpr double kFew = 10;
  const std::string worth = effective < 100 ? short_number(effective, 3) : concat(std::lround(effective));
  const bool alike = worth == concat(with_genuine);
  result.remarks.push_back(
      concat(effective < kFew ? "Few people decide: the genuine pairs are" : "The genuine pairs are", " of ",
             with_genuine, " people",
             alike ? "" : concat(", and weigh like those of ", worth, " people with as many pairs each"),
             caveat.empty() ? "" : "; ", caveat, "."));
}

}  // namespace uir
