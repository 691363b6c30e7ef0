// The data road from index rows to batches: a fixed plan of rows, decoded by threads, delivered in order.
//
// Shapes: batch.h. Memory: LoaderConfig::prefetch batches and those that the caller holds; used ones are
// recycled.
// Cost: ImageSource::load and augment_face per image, on LoaderConfig::threads threads; next() copies
// nothing. Every random choice depends on (seed, epoch, row) only, so any number of threads gives the same
// batches.
// Errors: an image that cannot be read or decoded counts against LoaderConfig::max_bad (each row once), then
// kData naming the item. Within the budget a training image is replaced by the next good training row of its
// source; any other is left black and its row is −1: nothing else's pixels ever stand for it. Both depend on
// the plan only.
// Threads: next() from one thread; the decoders run inside. Free of LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "uir/data/batch.h"
#include "uir/data/config.h"
#include "uir/data/image_source.h"
#include "uir/data/index.h"

namespace uir {

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

class Loader {
 public:
  // Rows of the plan lie in the index; with `training`, in training_rows of some role. Threads start at once.
  // The destructor waits for the images that are being decoded, not for the rest of the plan.
  Loader(Index index, BatchPlan plan, LoaderOptions options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The next batch, in plan order; false after the last one, which leaves `batch` as it is. Hand a used batch
  // back to recycle its memory: it is swapped for the new one. Throws what went wrong with the batch, and the
  // same again if called again.
  bool next(Batch& batch);
  double waited_s() const;                   // time next() spent waiting, in total
  std::vector<BadImage> bad_images() const;  // in the batches delivered so far, in plan order
  int64_t num_bad_images() const;            // their number

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
