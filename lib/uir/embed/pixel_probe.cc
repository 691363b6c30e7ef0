#include "uir/embed/pixel_probe.h"

#include <ATen/ops/masked_select.h>
#include <ATen/ops/ones_like.h>

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
  std::snprintf(text, sizeof(text), "%.3f", value);
  return text;
}

struct Measured {
  PixelCandidate candidate;
  at::Tensor genuine;  // [P] cosines
};

class Probe {
 public:
  Probe(const at::Tensor& images,
        const std::function<at::Tensor(const at::Tensor&, const PixelPreparation&)>& embed)
      : images_(images), embed_(embed) {}

  const Measured& measure(const PixelPreparation& preparation) {
    for (const Measured& known : measured_) {
      if (known.candidate.preparation == preparation) return known;
    }
    const at::Tensor embeddings = embed_(images_, preparation).to(at::kDouble);
    const at::Tensor unit = embeddings / embeddings.norm(2, {1}, true).clamp_min(1e-30);
    const at::Tensor first = unit.slice(0, 0, c10::nullopt, 2), second = unit.slice(0, 1, c10::nullopt, 2);
    const at::Tensor genuine = (first * second).sum(1);
    const int64_t pairs = first.size(0);
    const at::Tensor all = first.matmul(first.t());
    const at::Tensor impostors = all.masked_select(at::ones_like(all).triu(1).to(at::kBool));
    PixelCandidate candidate{preparation, genuine.mean().item<double>(), impostors.mean().item<double>()};
    const double variance = (genuine.var(false).item<double>() + impostors.var(false).item<double>()) / 2;
    candidate.separation =
        pairs > 1 ? (candidate.genuine - candidate.impostor) / std::sqrt(variance + 1e-12) : 0;
    measured_.push_back({candidate, genuine});
    return measured_.back();
  }

  std::vector<PixelCandidate> tried() const {
    std::vector<PixelCandidate> tried;
    for (const Measured& each : measured_) tried.push_back(each.candidate);
    return tried;
  }

 private:
  const at::Tensor& images_;
  const std::function<at::Tensor(const at::Tensor&, const PixelPreparation&)>& embed_;
  std::deque<Measured> measured_;  // references stay
};

// Ranges that a network cannot tell apart: they differ by 0.4 %.
bool alike(PixelRange a, PixelRange b) {
  const auto is_signed = [](PixelRange range) {
    return range == PixelRange::kSigned || range == PixelRange::kSigned128;
  };
  return a == b || (is_signed(a) && is_signed(b));
}

void decide_range(Probe& probe, ColorOrder order, PixelDecision& decision) {
  constexpr double kClearly = 1.15;  // times the separation of the next best
  std::vector<PixelCandidate> found;
  for (const PixelRange range : kPixelRanges) found.push_back(probe.measure({range, order}).candidate);
  std::ranges::sort(found, std::greater<>(), &PixelCandidate::separation);
  const PixelRange best = found[0].preparation.range;
  const auto next =
      std::ranges::find_if(found, [&](const PixelCandidate& c) { return !alike(c.preparation.range, best); });
  const std::string told =
      concat("people are told apart best with ", text_of(best), " (d' ", rounded(found[0].separation),
             "; next is ", text_of(next->preparation.range), " with ", rounded(next->separation), ")");
  decision.because += told;
  if (found[0].separation >= kClearly * std::max(0.0, next->separation)) decision.range = best;
}

void decide_order(Probe& probe, PixelRange range, PixelDecision& decision) {
  constexpr double kClearly = 3;  // standard errors
  const at::Tensor rgb = probe.measure({range, ColorOrder::kRgb}).genuine;
  const at::Tensor bgr = probe.measure({range, ColorOrder::kBgr}).genuine;
  const at::Tensor difference = rgb - bgr;
  const double mean = difference.mean().item<double>();
  const double error = difference.std().item<double>() / std::sqrt(static_cast<double>(difference.numel()));
  decision.because +=
      concat(decision.because.empty() ? "" : "; ", "mean cosine of ", difference.numel(), " genuine pairs ",
             rounded(rgb.mean().item<double>()), " in RGB, ", rounded(bgr.mean().item<double>()), " in BGR");
  if (std::abs(mean) >= kClearly * error && mean != 0)
    decision.order = mean > 0 ? ColorOrder::kRgb : ColorOrder::kBgr;
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
  Probe probe(images, embed);
  if (!range) decide_range(probe, order.value_or(ColorOrder::kRgb), decision);
  if (!order && decision.range) decide_order(probe, *decision.range, decision);
  decision.tried = probe.tried();
  return decision;
}

}  // namespace uir
