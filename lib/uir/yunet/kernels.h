// The layers of a YuNet, one row of an image at a time, for the processor's best instructions.
//
// Shapes: a row is [channels / 16][width] Blocks of 16 channels each, 64 bytes that lie on one cache line.
// Rows that a depthwise convolution reads have a Block of zeros in front of every [width] and one behind it.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>

namespace uir {

inline constexpr int64_t kBlock = 16;
struct alignas(64) Block {
  float channels[kBlock];
};

// The stem: 3x3 over three channels, at every other pixel; ReLU. Pads at all edges.
struct StemRow {
  const float* in[3];    // three rows [width of the image + 2][3], zeros at both ends
  const Block* weights;  // [3 rows][3 columns][3 channels]
  const Block* bias;
  int64_t width;  // of the row that comes out
  Block* out;
};

// 1x1. `out` has `out_stride` Blocks from one group of 16 channels to the next.
struct PointwiseRow {
  const Block* in;
  int64_t in_blocks, width;
  const Block* weights;  // [input channels][out_blocks]
  const Block* bias;     // [out_blocks]
  int64_t out_blocks;
  Block* out;
  int64_t out_stride;
};

// 3x3 within every channel.
struct DepthwiseRow {
  const Block* in[3];  // three rows [blocks][width + 2]
  int64_t blocks, width;
  const Block* weights;  // [blocks][9]
  const Block* bias;     // [blocks]
  bool relu;
  Block* out;
};

struct YuNetKernels {
  const char* name;
  void (*stem)(const StemRow& row);
  void (*pointwise)(const PointwiseRow& row);
  void (*depthwise)(const DepthwiseRow& row);
};

// Those that this processor runs, best first.
std::span<const YuNetKernels> yunet_kernels();

// A row of bytes becomes numbers.
void widen_row(const uint8_t* in, int64_t count, float* out);
// The largest of two pixels beside each other, for `half` of them; `more`: and of what is in `out`.
void halve_row(const Block* in, int64_t blocks, int64_t width, int64_t half, bool more, Block* out);
// out += in, of which every pixel stands for two.
void add_doubled_row(const Block* in, int64_t blocks, int64_t width, Block* out);

}  // namespace uir
