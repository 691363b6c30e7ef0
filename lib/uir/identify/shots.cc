#include "uir/identify/shots.h"

#include <cstdlib>

namespace uir {

double thumbnail_distance(const Thumbnail& a, const Thumbnail& b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return 3.0 * static_cast<double>(sum) / static_cast<double>(a.size());
}

std::optional<bool> ShotDetector::add(const Thumbnail& thumbnail) {
  frames_.push_back(thumbnail);
  const size_t needed = (first_ ? 1 : 2) + kAhead;
  if (frames_.size() < needed) return std::nullopt;
  return decide();
}

std::optional<bool> ShotDetector::finish() {
  if (frames_.size() < (first_ ? 1 : 2)) return std::nullopt;
  return decide();
}

bool ShotDetector::decide() {
  if (first_) {
    first_ = false;
    return true;
  }
  const bool begins = begins_shot();
  if (begins) {
    before_.clear();
  } else {
    before_.push_back(thumbnail_distance(frames_[0], frames_[1]));
    if (before_.size() > kAhead) before_.pop_front();
  }
  earlier_.reset();
  if (!begins) earlier_ = frames_.front();
  frames_.pop_front();
  return begins;
}

bool ShotDetector::begins_shot() const {
  const double change = thumbnail_distance(frames_[0], frames_[1]);
  if (change < kLeastChange) return false;
  if (earlier_ && thumbnail_distance(*earlier_, frames_[1]) < kLeastChange) return false;  // a flash is over
  double sum = 0, count = 0;
  for (const double distance : before_) {
    sum += distance;
    ++count;
  }
  for (size_t i = 2; i < frames_.size(); ++i) {
    sum += thumbnail_distance(frames_[i - 1], frames_[i]);
    ++count;
  }
  if (frames_.size() > 2 && thumbnail_distance(frames_[0], frames_[2]) < kLeastChange) return false;
  return change * count >= kTimesNeighbours * sum;
}

}  // namespace uir
