#include "uir/identify/shots.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace uir {
namespace {

constexpr int64_t kNeighbours = 2;      // distances on each side of a cut
constexpr int64_t kBehind = 32;         // frames that are kept
constexpr int64_t kSteady = 4;          // frames before and behind a dissolve
constexpr double kTimesSteady = 1.3;    // it changes the film so much faster than that
constexpr double kLeastDissolve = 18;   // change from its beginning to its end: pans and walks change less
constexpr double kLargestError = 0.16;  // of a mixture
constexpr int64_t kBetter = 6;          // so many frames later its middle may turn out to be
constexpr std::array<int64_t, 11> kHalves{5, 6, 7, 8, 10, 12, 14, 16, 19, 22, 25};

// How far the frame is from `share` of b and the rest of a.
double mixing_error(const Thumbnail& frame, const Thumbnail& a, const Thumbnail& b, int share_of_4) {
  int64_t sum = 0;
  for (size_t i = 0; i < frame.size(); ++i) {
    const int mixed = a[i] * (4 - share_of_4) + b[i] * share_of_4;
    sum += std::abs(4 * frame[i] - mixed);
  }
  return 3.0 * static_cast<double>(sum) / (4 * static_cast<double>(frame.size()));
}

}  // namespace

double thumbnail_distance(const Thumbnail& a, const Thumbnail& b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return 3.0 * static_cast<double>(sum) / static_cast<double>(a.size());
}

std::optional<ShotDecision> ShotDetector::add(const Thumbnail& thumbnail) {
  frames_.push_back(thumbnail);
  if (!has(at_ + kAhead)) return std::nullopt;
  return decide();
}

std::optional<ShotDecision> ShotDetector::finish() {
  if (!has(at_)) return std::nullopt;
  return decide();
}

ShotDecision ShotDetector::decide() {
  ShotDecision decision;
  if (first_) {
    decision = {true, first_fade_};
  } else if (is_cut()) {
    decision.begins = true;
  } else if (const auto mixture = dissolve()) {
    decision = {true, mixture->half};
  }
  first_ = false;
  if (decision.begins) {
    shot_ = at_;
    quiet_ = at_ + decision.fade;
  }
  ++at_;
  for (; at_ > kBehind; --at_, --quiet_) {
    frames_.pop_front();
    shot_ = std::max<int64_t>(0, shot_ - 1);
  }
  return decision;
}

bool ShotDetector::is_cut() const {
  const double change = distance(at_ - 1, at_);
  if (change < kLeastChange) return false;
  const bool flash_begins = has(at_ + 1) && distance(at_ - 1, at_ + 1) < kLeastChange;
  const bool flash_ends = at_ - 2 >= shot_ && distance(at_ - 2, at_) < kLeastChange;
  if (flash_begins || flash_ends) return false;
  double sum = 0, count = 0;
  for (int64_t frame = at_ - kNeighbours; frame <= at_ + kNeighbours; ++frame) {
    if (frame == at_ || frame - 1 < shot_ || !has(frame)) continue;
    sum += distance(frame - 1, frame);
    ++count;
  }
  return change * count >= kTimesNeighbours * sum;
}

// Within kSteady frames, in two steps: what moves to and fro moves. In more steps noise would count as much.
double ShotDetector::motion(int64_t begin) const {
  const int64_t middle = begin + kSteady / 2;
  return distance(begin, middle) + distance(middle, begin + kSteady);
}

std::optional<ShotDetector::Mixture> ShotDetector::mixture_of(int64_t middle, int64_t half) const {
  const int64_t begin = middle - half, end = middle + half;
  if (begin - kSteady < std::max(quiet_, shot_) || !has(end + kSteady)) return std::nullopt;
  const double change = distance(begin, end);
  if (change < kLeastDissolve) return std::nullopt;
  const double fastest = change * kSteady / (static_cast<double>(2 * half) * kTimesSteady);
  if (std::max(motion(begin - kSteady), motion(end)) > fastest) return std::nullopt;
  const double error = std::max({mixing_error(at(middle), at(begin), at(end), 2),
                                 mixing_error(at(middle - half / 2), at(begin), at(end), 1),
                                 mixing_error(at(middle + half / 2), at(begin), at(end), 3)});
  if (error > kLargestError * change) return std::nullopt;
  return Mixture{error / change, half};
}

std::optional<ShotDetector::Mixture> ShotDetector::mixture_at(int64_t middle) const {
  std::optional<Mixture> best;
  for (const int64_t half : kHalves) {
    const auto one = mixture_of(middle, half);
    if (one && (!best || one->error < best->error)) best = one;
  }
  return best;
}

// If the frame in question is the middle of one, and none of the next ones is more so.
std::optional<ShotDetector::Mixture> ShotDetector::dissolve() const {
  const auto here = mixture_at(at_);
  if (!here) return std::nullopt;
  for (int64_t later = 1; later <= kBetter; ++later) {
    const auto there = mixture_at(at_ + later);
    if (there && there->error < here->error) return std::nullopt;
  }
  return here;
}

}  // namespace uir
