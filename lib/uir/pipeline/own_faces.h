// Faces of the user's own, on which a choice is tried before anything is computed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uir/data/index.h"

namespace uir {

struct OwnFaces {
  // uint8 [2 p, 112, 112, 3] for p <= pairs: two faces of one person each, no two pairs of the same.
  std::function<at::Tensor(int64_t pairs)> genuine_pairs;
  // The first ones, uint8 [n, 112, 112, 3] for n <= most.
  std::function<at::Tensor(int64_t most)> first;
  // As many, spread evenly.
  std::function<at::Tensor(int64_t most)> spread;
};

// Those of sets of an index, which must outlive it.
OwnFaces own_faces(const Index& index, const std::vector<std::string>& sets);

}  // namespace uir
