#include "uir/embed/pixel_probe.h"

#include <ATen/ops/cat.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

using Embed = std::function<at::Tensor(const at::Tensor&, const PixelPreparation&)>;

// What the faces are with one preparation; more of them when they are asked for.
class Measured {
 public:
  Measured(const at::Tensor& images, const Embed& embed, const PixelPreparation& preparation)
      : images_(images), embed_(embed), preparation_(preparation) {}

  const PixelPreparation& preparation() const { return preparation_; }
  PixelCandidate candidate() const {
    return {preparation_, genuine_.mean().item<double>(), impostor_.mean().item<double>()};
  }
  at::Tensor contrast() const { return genuine_ - impostor_; }  // [P]

  // Measures the first pairs, more than before.
  void take(int64_t pairs) {
    const int64_t before = unit_.defined() ? unit_.size(0) : 0;
    const at::Tensor more = embed_(images_.slice(0, before, 2 * pairs), preparation_).to(at::kDouble);
    const at::Tensor unit = more / more.norm(2, {1}, true).clamp_min(1e-30);
    unit_ = before > 0 ? at::cat({unit_, unit}) : unit;
    const at::Tensor first = unit_.slice(0, 0, c10::nullopt, 2), second = unit_.slice(0, 1, c10::nullopt, 2);
    const auto to_others = [](const at::Tensor& faces) {  // mean cosine of each to all others
      return (faces.matmul(faces.sum(0)) - 1) / static_cast<double>(faces.size(0) - 1);
    };
    genuine_ = (first * second).sum(1);
    impostor_ = (to_others(first) + to_others(second)) / 2;
  }

 private:
  const at::Tensor& images_;
  const Embed& embed_;
  PixelPreparation preparation_;
  at::Tensor unit_;  // [2 P, D]
  at::Tensor genuine_, impostor_;
};

// Ranges that a network cannot tell apart: they differ by 0.4 %.
bool alike(PixelRange a, PixelRange b) {
  const auto is_signed = [](PixelRange range) {
    return range == PixelRange::kSigned || range == PixelRange::kSigned128;
  };
  return a == b || (is_signed(a) && is_signed(b));
}

bool alike(const PixelPreparation& a, const PixelPreparation& b) {
  return a.order == b.order && alike(a.range, b.range);
}

// By how many standard errors a's contrast is larger than b's; pairs are compared with themselves.
double lead(const Measured& a, const Measured& b) {
  const at::Tensor difference = a.contrast() - b.contrast();
  const double error = difference.std().item<double>() / std::sqrt(static_cast<double>(difference.numel()));
  return difference.mean().item<double>() / std::max(error, 1e-12);
}

struct Rival {
  const Measured* measured;
  double lead;  // of the best over it
};

// Those that could be told apart from the best, the nearest first.
std::vector<Rival> rivals_of(const Measured& best, const std::vector<Measured*>& left) {
  std::vector<Rival> rivals;
  for (const Measured* each : left) {
    if (!alike(each->preparation(), best.preparation())) rivals.push_back({each, lead(best, *each)});
  }
  std::ranges::sort(rivals, {}, &Rival::lead);
  return rivals;
}

std::string told(const Measured& best, const std::vector<Rival>& rivals) {
  const std::string text = concat("best is ", text_of(best.preparation()));
  if (rivals.empty()) return text;
  return concat(text, ": in ", best.contrast().numel(), " pairs of one person it leads over ",
                text_of(rivals.front().measured->preparation()), " by ", rounded(rivals.front().lead),
                " standard errors");
}

// The one with the largest contrast, on as many of the pairs as it takes; null unless it leads clearly over
// every rival.
const Measured* winner(std::vector<Measured*> left, int64_t all_pairs, std::string& because) {
  constexpr double kClearly = 3;
  for (int64_t pairs = std::min(kFewestProbePairs, all_pairs);; pairs = std::min(2 * pairs, all_pairs)) {
    for (Measured* each : left) each->take(pairs);
    const Measured& best = **std::ranges::max_element(
        left, {}, [](const Measured* m) { return m->contrast().mean().item<double>(); });
    const std::vector<Rival> rivals = rivals_of(best, left);
    const bool clear = rivals.empty() || rivals.front().lead >= kClearly;
    if (clear || pairs == all_pairs) {
      because = told(best, rivals);
      return clear ? &best : nullptr;
    }
    std::erase_if(left, [&](const Measured* m) {
      const auto rival = std::ranges::find(rivals, m, &Rival::measured);
      return rival != rivals.end() && rival->lead >= kClearly;
    });
  }
}

}  // namespace

PixelDecision decide_pixels(
    const at::Tensor& images, std::optional<PixelRange> range, std::optional<ColorOrder> order,
    const std::function<at::Tensor(const at::Tensor& images, const PixelPreparation& preparation)>& embed) {
  PixelDecision decision{range, order, {}, ""};
  if (images.size(0) < 2 * kFewestProbePairs) {
    decision.because = concat("there are ", images.size(0) / 2, " pairs of faces of one person, ",
                              kFewestProbePairs, " are needed");
    return decision;
  }
  std::deque<Measured> possible;  // all at once: with colours swapped another range may look better
  for (const PixelRange each : kPixelRanges) {
    for (const ColorOrder other : kColorOrders) {
      if ((!range || each == *range) && (!order || other == *order))
        possible.emplace_back(images, embed, PixelPreparation{each, other});
    }
  }
  std::vector<Measured*> all;
  for (Measured& each : possible) all.push_back(&each);
  if (const Measured* best = winner(all, images.size(0) / 2, decision.because)) {
    decision.range = best->preparation().range;
    decision.order = best->preparation().order;
  }
  for (const Measured& each : possible) decision.tried.push_back(each.candidate());
  return decision;
}

}  // namespace uir
