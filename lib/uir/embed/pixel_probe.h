// How a network of unknown origin wants its pixels, found out on faces of known people.
//
// With wrong pixels the embeddings of different people look more alike, and those of one person less: by
// much if the range is wrong by a factor of hundred, by a little if it is shifted or the colours are
// swapped, when people are still told apart as well. So what counts is each pair's contrast, its cosine less
// its faces' mean cosine to all other people, and a choice is made only if it wins over every other one by
// three standard errors of the pairs' differences.
//
// Shapes: images uint8 [2 P, 112, 112, 3], pair p at 2 p and 2 p + 1: both of one person, no two pairs of
// the same.
// Cost: a pass of the first 20 pairs' faces for every preparation that is possible; of twice as many, up to
// all, for those that are still in question.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "uir/pixels/preparation.h"

namespace uir {

struct PixelCandidate {
  PixelPreparation preparation;
  double genuine = 0, impostor = 0;  // mean cosines of faces of one person, of two
};

struct PixelDecision {
  std::optional<PixelRange> range;  // none: not decided
  std::optional<ColorOrder> order;
  std::vector<PixelCandidate> tried;
  std::string because;  // for people
};

inline constexpr int64_t kFewestProbePairs = 20;

// range, order: what is known already. embed: float32 [n, D] on the CPU.
PixelDecision decide_pixels(
    const at::Tensor& images, std::optional<PixelRange> range, std::optional<ColorOrder> order,
    const std::function<at::Tensor(const at::Tensor& images, const PixelPreparation& preparation)>& embed);

}  // namespace uir
