// Whether an exported file computes what the network does: another engine runs the file on real faces.
//
// Shapes: faces uint8 [N, 112, 112, 3] RGB, taken in batches of 1, 3, 1, 5, 8, 8, … so that the batch's size
// changes in both directions. The network runs in float32 on the CPU, with the caller's number of intra-op
// threads.
// Difference of one face: ‖a − b‖ / ‖b‖ of the unnormalised embeddings, b the network's own. It bounds the
// change of any cosine of the face with another one; not a number counts as infinitely far away.
// Cost: two forward passes of every face, and what the engine needs to load the file.
// Errors: kData for embeddings of the network that are not finite or zero; kInternal for a file that an
// engine refuses or that computes another shape. Threads: one check at a time per engine and per network.
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
struct CheckEngine {
  std::string name;  // "OpenCV 4.6.0"
  // float32 [B, 3, 112, 112] contiguous → float32 [B, D]
  std::function<at::Tensor(const at::Tensor& pixels)> embed;
};
CheckEngine opencv_check_engine(const fs::path& onnx_file, bool plain);  // EngineOptions::plain
CheckEngine torch_script_engine(const fs::path& torch_script_file);

struct Agreement {
  double largest_difference = 0;  // relative to the embedding's norm
  double smallest_cosine = 1;
  std::vector<int64_t> batches;
};

// normalized_inside: the engine gets RGB from 0 to 255. Leaves the network in evaluation mode.
Agreement compare_with_network(const CheckEngine& engine, Backbone& backbone, const at::Tensor& faces,
                               bool normalized_inside);

}  // namespace uir
