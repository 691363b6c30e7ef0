// Config of embedding extraction. Free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

struct ExtractConfig {
  ConfigPath weights;
  std::vector<std::string> sets;
  bool mirrored = true;
  bool classes = true;
  int64_t batch = 64;
};
template <class Visitor>
void describe(Visitor& v, ExtractConfig& c) {
  v.field("weights", c.weights,
          "Checkpoint folder, .safetensors, .pt or .pth file, or a folder of InsightFace's "
          "checkpoint_gpu_*.pt; empty: the run's best checkpoint, else its latest.");
  v.field(
      "sets", c.sets,
      "What to embed: source names, or <source>.held_out; empty: all test sources and all held-out images.",
      Distinct{});
  v.field("mirrored", c.mirrored, "Also embed every image's mirror image.");
  v.field("classes", c.classes, "Also store each image's best class, its cosine and its probability.");
  v.field("batch", c.batch,
          "Images per forward pass; part of the result's definition (rounding depends on it).", AtLeast{1});
}

}  // namespace uir
