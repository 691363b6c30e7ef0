// How a network is seen from here: aligned faces in, embeddings out.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "uir/identify/face_finder.h"

namespace uir {

// Embeddings [faces, dim], row by row, unnormalised: of a face, or of it and its mirror image together, as
// the network's options say. One call at a time.
struct FaceEmbedder {
  int64_t dim = 0;
  std::function<std::vector<float>(std::span<const FacePixels* const> faces)> embed;
};

}  // namespace uir
