#include "uir/eval/roc.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "uir/base/error.h"

namespace uir {

Roc::Roc(std::vector<double> genuine) : num_genuine_(static_cast<int64_t>(genuine.size())) {
  std::ranges::sort(genuine);
  for (double score : genuine) {
    if (distinct_.empty() || distinct_.back() != score) {
      distinct_.push_back(score);
      repeats_.push_back(0);
    }
    ++repeats_.back();
  }
  impostors_ = counter();
  if (distinct_.empty()) return;

  const size_t buckets = std::bit_ceil(distinct_.size());
  const double range = distinct_.back() - distinct_.front();
  if (range > 0) buckets_per_unit_ = static_cast<double>(buckets) / range;
  first_in_bucket_.assign(buckets + 1, 0);
  for (double score : distinct_) ++first_in_bucket_[bucket(score) + 1];
  std::partial_sum(first_in_bucket_.begin(), first_in_bucket_.end(), first_in_bucket_.begin());
}

// Monotone in the score, so smaller buckets hold smaller scores only.
size_t Roc::bucket(double score) const {
  const auto last = static_cast<double>(first_in_bucket_.size() - 2);
  return static_cast<size_t>(std::clamp((score - distinct_.front()) * buckets_per_unit_, 0.0, last));
}

void Roc::Gap::add(double score) { add({1, score, score}); }

void Roc::Gap::add(const Gap& more) {
  count += more.count;
  lowest = std::min(lowest, more.lowest);
  highest = std::max(highest, more.highest);
}

void Roc::Counter::add(const Counter& more) {
  for (size_t i = 0; i < between.size(); ++i) between[i].add(more.between[i]);
  for (size_t i = 0; i < equal.size(); ++i) equal[i] += more.equal[i];
}

Roc::Counter Roc::counter() const {
  return {std::vector<Gap>(distinct_.size() + 1), std::vector<int64_t>(distinct_.size(), 0)};
}

void Roc::count(double impostor, Counter& counter) const {
  const Place place = place_of(impostor);
  if (place.equal) {
    ++counter.equal[place.i];
  } else {
    counter.between[place.i].add(impostor);
  }
}

Roc::Place Roc::place_of(double score) const {
  if (distinct_.empty()) return {};
  const size_t b = bucket(score);
  const auto begin = distinct_.begin() + static_cast<int64_t>(first_in_bucket_[b]);
  const auto end = distinct_.begin() + static_cast<int64_t>(first_in_bucket_[b + 1]);
  const auto found = std::lower_bound(begin, end, score);
  const auto i = static_cast<size_t>(found - distinct_.begin());
  return {i, i < distinct_.size() && *found == score};
}

void Roc::merge(const Counter& counter) {
  impostors_.add(counter);
  for (const Gap& gap : counter.between) num_impostor_ += gap.count;
  for (const int64_t count : counter.equal) num_impostor_ += count;
}

void Roc::add_impostors(std::span<const double> scores) {
  Counter counts = counter();
  for (double score : scores) count(score, counts);
  merge(counts);
}

double Roc::far_of(int64_t impostors) const {
  return static_cast<double>(impostors) / static_cast<double>(num_impostor_);
}
double Roc::tar_of(int64_t genuine) const {
  return static_cast<double>(genuine) / static_cast<double>(num_genuine_);
}

template <class Visit>
void Roc::walk(Visit&& visit) const {
  ensure(defined(), "a ROC has genuine and impostor scores");
  Step step{0, 0, 0, 0, 0};
  for (size_t i = distinct_.size(); i-- > 0;) {
    step.threshold = distinct_[i];
    step.false_above = step.false_at + impostors_.between[i + 1].count;
    step.true_above = step.true_at;
    step.false_at = step.false_above + impostors_.equal[i];
    step.true_at += repeats_[i];
    if (!visit(step)) return;
  }
}

double Roc::auc() const {
  __int128 twice = 0;  // genuine x impostor pairs won, a tie being half
  walk([&](const Step& s) {
    const int64_t below = num_impostor_ - s.false_at, equal = s.false_at - s.false_above;
    twice += static_cast<__int128>(s.true_at - s.true_above) * (2 * below + equal);
    return true;
  });
  return static_cast<double>(twice) /
         (2.0 * static_cast<double>(num_genuine_) * static_cast<double>(num_impostor_));
}

double Roc::eer() const {
  double far = 0, excess = -1;  // of the last point: FAR − (1 − TAR)
  double eer = -1;
  // Whether the line from the last point to this one meets FAR = 1 − TAR.
  const auto reaches = [&](int64_t impostors, int64_t genuine) {
    const double next_far = far_of(impostors), next_excess = next_far - (1 - tar_of(genuine));
    if (next_excess >= 0) {
      eer = far + (next_far - far) * (0 - excess) / (next_excess - excess);
      return true;
    }
    far = next_far;
    excess = next_excess;
    return false;
  };
  walk([&](const Step& s) {
    return !reaches(s.false_above, s.true_above) && !reaches(s.false_at, s.true_at);
  });
  if (eer < 0) reaches(num_impostor_, num_genuine_);
  return eer;
}

RocPoint Roc::at_most(double far) const {
  RocPoint best{0, 0, std::numeric_limits<double>::infinity()};
  walk([&](const Step& s) {
    if (far_of(s.false_at) > far) return false;
    best = {far_of(s.false_at), tar_of(s.true_at), s.threshold};
    return true;
  });
  return best;
}

Roc::Sides Roc::impostors_beside(double threshold) const {
  const auto at = static_cast<size_t>(std::ranges::lower_bound(distinct_, threshold) - distinct_.begin());
  Sides sides{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  for (size_t i = at + 1; i-- > 0 && std::isinf(sides.below);) {
    sides.below = impostors_.between[i].highest;
    if (std::isinf(sides.below) && i > 0 && impostors_.equal[i - 1] > 0) sides.below = distinct_[i - 1];
  }
  for (size_t i = at; i < distinct_.size() && std::isinf(sides.accepted); ++i) {
    sides.accepted = impostors_.equal[i] > 0 ? distinct_[i] : impostors_.between[i + 1].lowest;
  }
  return sides;
}

int64_t allowed_at_most(int64_t n, double rate) {
  const auto share = [&](int64_t k) { return static_cast<double>(k) / static_cast<double>(n); };
  if (n <= 0 || share(n) <= rate) return n;
  auto k = static_cast<int64_t>(rate * static_cast<double>(n));
  while (k > 0 && share(k) > rate) --k;
  while (share(k + 1) <= rate) ++k;
  return k;
}

Roc::Cut Roc::cut_at(double far) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Cut cut{allowed_at_most(num_impostor_, far), kInfinity, 0, -kInfinity, num_impostor_};
  walk([&](const Step& s) {
    if (s.false_at > cut.allowed) {
      cut.next = s.threshold;
      cut.above_next = s.false_above;
      return false;
    }
    cut.threshold = s.threshold;
    cut.accepted = s.false_at;
    return true;
  });
  return cut;
}

Roc::Wins Roc::wins() const {
  Wins wins{std::vector<int64_t>(distinct_.size()), std::vector<int64_t>(distinct_.size() + 1),
            std::vector<int64_t>(distinct_.size())};
  int64_t below = 0, above = num_genuine_;
  for (size_t i = 0; i < distinct_.size(); ++i) {
    below += impostors_.between[i].count;
    wins.between[i] = 2 * above;
    wins.genuine[i] = 2 * below + impostors_.equal[i];
    wins.equal[i] = 2 * (above - repeats_[i]) + repeats_[i];
    below += impostors_.equal[i];
    above -= repeats_[i];
  }
  return wins;
}

std::vector<RocPoint> Roc::curve(int max_points, std::span<const double> fars) const {
  const int cells = std::max(max_points / 2, 1);
  const double log_span = std::log(static_cast<double>(num_impostor_) + 1);
  std::vector<RocPoint> points{{0, 0, std::numeric_limits<double>::infinity()}};
  std::pair<int, int> last_cell{0, 0};
  walk([&](const Step& s) {
    const std::pair cell(static_cast<int>(cells * std::log(static_cast<double>(s.false_at) + 1) / log_span),
                         static_cast<int>(cells * tar_of(s.true_at)));
    if (cell != last_cell) points.push_back({far_of(s.false_at), tar_of(s.true_at), s.threshold});
    last_cell = cell;
    return true;
  });
  for (double far : fars) points.push_back(at_most(far));
  points.push_back({1, 1, -std::numeric_limits<double>::infinity()});
  std::ranges::sort(points, [](const RocPoint& a, const RocPoint& b) { return a.threshold > b.threshold; });
  points.erase(std::unique(points.begin(), points.end()), points.end());
  return points;
}

std::vector<RocPoint> kept_points(std::span<const double> genuine, std::span<const double> impostor) {
  ensure(!genuine.empty() && !impostor.empty(), "a ROC has genuine and impostor scores");
  struct Counts {
    double threshold;
    int64_t impostors, genuines;
  };
  const auto point = [&](const Counts& c) {
    return RocPoint{static_cast<double>(c.impostors) / static_cast<double>(impostor.size()),
                    static_cast<double>(c.genuines) / static_cast<double>(genuine.size()), c.threshold};
  };
  std::vector<RocPoint> points{{0, 0, std::numeric_limits<double>::infinity()}};
  std::optional<Counts> before, last;  // the last two distinct scores; `last` is not decided yet
  for (size_t g = 0, i = 0; g < genuine.size() || i < impostor.size();) {
    Counts now{};
    now.threshold =
        i == impostor.size() || (g < genuine.size() && genuine[g] > impostor[i]) ? genuine[g] : impostor[i];
    while (g < genuine.size() && genuine[g] == now.threshold) ++g;
    while (i < impostor.size() && impostor[i] == now.threshold) ++i;
    now.impostors = static_cast<int64_t>(i);
    now.genuines = static_cast<int64_t>(g);
    const bool straight = before && now.impostors - last->impostors == last->impostors - before->impostors &&
                          now.genuines - last->genuines == last->genuines - before->genuines;
    if (last && !straight) points.push_back(point(*last));
    before = last;
    last = now;
  }
  points.push_back(point(*last));
  return points;
}

RocPoint nearest(std::span<const RocPoint> kept, double far) {
  ensure(!kept.empty(), "a ROC has points");
  RocPoint best = kept.front();
  for (const RocPoint& p : kept) {
    if (std::abs(p.far - far) <= std::abs(best.far - far)) best = p;  // later points have larger rates
  }
  return best;
}

}  // namespace uir
