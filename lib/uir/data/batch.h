// What passes between the plan of a training step or a set, the loader, and the network.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/pixels/pixels.h"

namespace uir {

// One image of a batch to come.
struct Sample {
  int64_t row = -1;    // of the index
  int64_t label = -1;  // −1 = unlabeled
  uint64_t epoch = 0;  // of its stream: with seed and row it decides the augmentation
};

// B images, in plain memory: train and embed wrap it as tensors without a copy.
struct Batch {
  std::vector<uint8_t> images;  // [B, kImageSize, kImageSize, 3], RGB
  std::vector<int64_t> labels;  // [B]; −1 = unlabeled
  std::vector<int64_t> rows;    // [B]; differs from the plan where an image was bad (loader.h)
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

}  // namespace uir
