// The loader's batches, with their images on the device that trains.
//
// On CUDA the images of the next batch travel, from page-locked memory and on a stream of their own, while
// the current one is computed: prefetch() starts that once the work on the current batch is queued (which
// over Gloo is done by then). On a CPU images are read where the loader left them.
// Cost on CUDA: one copy of the images on the host; two batches of images on the device. Errors: those of the
// loader.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "uir/data/loader.h"

namespace uir {

class BatchFeed {
 public:
  BatchFeed(Loader& loader, at::Device device);
  ~BatchFeed();

  // Goes to the next batch, which there must be.
  void next();
  // After next(); valid until the next one.
  const Batch& batch() const;
  const at::Tensor& images() const;  // uint8 [b, 112, 112, 3]
  // Starts bringing the batch after this one, if there is one.
  void prefetch();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
