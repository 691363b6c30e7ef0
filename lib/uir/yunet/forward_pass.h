// A picture through a YuNet, row by row: a row goes through as many layers as it can before the next one is
// read, so that what layers hand to each other stays in the caches.
//
// Shapes: maps as rows of kernels.h, [height][blocks][width]; the picture uint8 [height, width, 3] RGB.
// Memory: of the last picture's size; three rows a layer, and the maps.
// Cost: some 300 million multiplications for 640x360 pixels with the network of 2022, 200 with that of 2023.
// Threads: an object belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "uir/yunet/kernels.h"
#include "uir/yunet/network.h"

namespace uir {

struct YuNetMap {
  int64_t width = 0, height = 0, blocks = 0;
  std::vector<Block> pixels;  // [height][blocks][width]

  void resize(int64_t new_width, int64_t new_height, int64_t new_blocks);
  Block* row(int64_t y) { return pixels.data() + y * blocks * width; }
  float at(int64_t x, int64_t y, int64_t channel) const {
    const int64_t block = (y * blocks + channel / kBlock) * width + x;
    return pixels[static_cast<size_t>(block)].channels[channel % kBlock];
  }
};

struct YuNetPicture {
  const uint8_t* rgb;
  int64_t width, height;            // both at least 1
  int64_t seen_width, seen_height;  // with the black pixels to the right and below; not smaller
};

class YuNetPass {
 public:
  // The network must outlive it.
  YuNetPass(const YuNetNetwork& network, const YuNetKernels& kernels);
  ~YuNetPass();
  YuNetPass(YuNetPass&&) noexcept;

  // What the branches' heads give, the finest scale first; until the next call.
  const std::vector<YuNetMap>& run(const YuNetPicture& picture);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
