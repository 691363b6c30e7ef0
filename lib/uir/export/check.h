// Whether an exported file computes what the network computes: the file is run by another engine on real faces.
//
// Shapes: faces uint8 [N, 112, 112, 3] RGB, taken in batches of 1, 2, 4, 8, 8, … so that the batch's size changes.
// Difference of one face: ‖a − b‖ / ‖b‖ of the unnormalised embeddings, b the network's own in float32. It bounds the
// change of any cosine of the face with another one.
// Errors: kData for embeddings that are not finite or zero; kInternal for a file that an engine refuses.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/model/backbone.h"

namespace uir {

// An exported file in something that can run it.
struct Engine {
  std::string name;  // "OpenCV 4.6.0"
  // float32 [B, 3, 112, 112] contiguous → float32 [B, D]
  std::function<at::Tensor(const at::Tensor& pixels)> embed;
};
Engine opencv_engine(const fs::path& onnx_file);
Engine torch_script_engine(const fs::path& torch_script_file);

struct Agreement {
  double largest_difference = 0;  // relative to the embedding's norm
  double smallest_cosine = 1;
  std::vector<int64_t> batches;
};

// normalized_inside: the engine gets RGB from 0 to 255.
Agreement compare_with_network(const Engine& engine, Backbone& backbone, const at::Tensor& faces,
                               bool normalized_inside);

}  // namespace uir
