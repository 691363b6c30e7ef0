// How a network of unknown origin wants its pixels, found out on faces of known people.
//
// With the wrong range nearly all embeddings look alike, so people are told apart worse; with the wrong
// colour order they are told apart about as well, but faces of one person come out less alike. So the range
// is the one that separates best, the order the one in which genuine pairs have the larger cosine.
//
// Shapes: images uint8 [2 P, 112, 112, 3], pair p at 2 p and 2 p + 1; genuine: both of one person;
// impostors: the first faces of all pairs, which are of different people.
// Cost: two passes of the faces for every range that is tried, and for every order.
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
  double genuine = 0, impostor = 0;  // mean cosines
  double separation = 0;             // (genuine − impostor) / √(variances' mean): d'
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
