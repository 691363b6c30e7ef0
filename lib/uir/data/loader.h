// The data road from index rows to batches: a fixed plan of rows, decoded by threads, delivered in order.
//
// Shapes: images uint8 [B, 112, 112, 3] RGB NHWC; labels int64 [B], −1 = unlabeled; rows int64 [B].
// Every random choice depends on (seed, epoch, row) only, so any number of threads gives the same batches.
// Errors: an image that cannot be read or decoded counts against LoaderConfig::max_bad (each row once), then kData
// naming the item. Within the budget a training image is replaced by the next good training row of its source; any
// other is left black and its row is −1: nothing else's pixels ever stand for it. Both depend on the plan only.
// Threads: next() from one thread; the decoders run inside. Free of LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "uir/data/config.h"
#include "uir/data/index.h"
#include "uir/pixels/pixels.h"

namespace uir {

// One image of a batch to come.
struct Sample {
  int64_t row = -1;
  int64_t label = -1;  // −1 = unlabeled
  uint64_t epoch = 0;  // of its stream: with seed and row it decides the augmentation
};

struct Batch {
  std::vector<uint8_t> images;  // [B, 112, 112, 3]
  std::vector<int64_t> labels;  // [B]
  std::vector<int64_t> rows;    // [B]; differs from the plan where an image was bad: see above
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
};

// What to load: batch number → samples; called from the loader's threads, one call at a time, in order from
// first_batch.
using BatchPlan = std::function<std::vector<Sample>(int64_t batch)>;

struct LoaderOptions {
  LoaderConfig config;
  AugmentConfig augment;  // ignored unless training
  bool training = false;
  uint64_t seed = 0;
  int64_t first_batch = 0, num_batches = 0;
};

struct BadImage {
  int64_t row;
  std::string reason;
};

class Loader {
 public:
  Loader(Index index, BatchPlan plan, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch, in plan order; false after the last one. Hand a used batch back to recycle its memory. Throws
  // what went wrong with the batch, and the same again if called again.
  bool next(Batch& batch);
  double waited_s() const;                   // time next() spent waiting, in total
  std::vector<BadImage> bad_images() const;  // in the batches delivered so far, in plan order

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
