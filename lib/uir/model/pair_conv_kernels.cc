#include "uir/model/pair_conv_kernels.h"

#include <algorithm>
#include <vector>

namespace uir {
namespace {

using FloatLanes = Lanes<float>;

UIR_INLINE void swap_pairs(FloatLanes& x) {
  x = __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}

// One pixel of a chunk, aligned: a load that crosses cache lines takes twice as long.
struct alignas(kChunk * sizeof(float)) Pixel {
  float channels[kChunk];
};

// Three lines of one chunk of one image, with a zero pixel at both ends: what a line of output needs.
class LineWindow {
 public:
  explicit LineWindow(int64_t width) : stride_(width + 2), lines_(3 * stride_) {}

  // The line y − 1, y or y + 1 for tap row 0, 1 or 2.
  const Pixel* line(int64_t y, int64_t tap_row) const { return lines_.data() + (y + tap_row) % 3 * stride_; }
  Pixel* slot_of(int64_t y) { return lines_.data() + (y + 1) % 3 * stride_; }
  int64_t stride() const { return stride_; }

 private:
  int64_t stride_;
  std::vector<Pixel> lines_;
};

// One chunk of channels of one image.
template <class T>
struct Chunk {
  const T* x;
  int64_t count;  // channels, at most kChunk
  int64_t height, width, channels;

  UIR_INLINE void fill(LineWindow& window, int64_t y) const {
    Pixel* const to = window.slot_of(y);
    if (y < 0 || y >= height) {
      std::fill(to, to + window.stride(), Pixel{});
      return;
    }
    for (int64_t i = 0; i < width; ++i) {
      FloatLanes pixel;
      load_lanes(x + (y * width + i) * channels, count, pixel);
      store_lanes(pixel, to[i + 1].channels);
    }
  }
};

template <class T>
UIR_INLINE void convolve_chunk(const Chunk<T>& chunk, const PairWeights& weights, LineWindow& window,
                               T* out) {
  FloatLanes own[kTaps], other[kTaps];
#pragma GCC unroll 9
  for (int64_t tap = 0; tap < kTaps; ++tap) load_lanes(weights.from_own[tap], own[tap]);
#pragma GCC unroll 9
  for (int64_t tap = 0; tap < kTaps; ++tap) load_lanes(weights.to_other[tap], other[tap]);
  chunk.fill(window, -1);
  chunk.fill(window, 0);
  for (int64_t y = 0; y < chunk.height; ++y) {
    chunk.fill(window, y + 1);
    const Pixel* const lines[3] = {window.line(y, 0), window.line(y, 1), window.line(y, 2)};
    for (int64_t i = 0; i < chunk.width; ++i) {
      FloatLanes to_own{}, to_other{};
#pragma GCC unroll 9
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        FloatLanes x;
        load_lanes(lines[tap / 3][i + tap % 3].channels, x);
        to_own += own[tap] * x;
        to_other += other[tap] * x;
      }
      swap_pairs(to_other);
      store_lanes(to_own + to_other, chunk.count, out + (y * chunk.width + i) * chunk.channels);
    }
  }
}

template <class T>
UIR_INLINE void add_weight_gradient_of_chunk(const Chunk<T>& chunk, const T* dy, LineWindow& window,
                                             double* gradient) {
  FloatLanes own[kTaps] = {}, other[kTaps] = {};
  chunk.fill(window, -1);
  chunk.fill(window, 0);
  for (int64_t y = 0; y < chunk.height; ++y) {
    chunk.fill(window, y + 1);
    const Pixel* const lines[3] = {window.line(y, 0), window.line(y, 1), window.line(y, 2)};
    for (int64_t i = 0; i < chunk.width; ++i) {
      FloatLanes d;
      load_lanes(dy + (y * chunk.width + i) * chunk.channels, chunk.count, d);
      FloatLanes d_other = d;
      swap_pairs(d_other);
#pragma GCC unroll 9
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        FloatLanes x;
        load_lanes(lines[tap / 3][i + tap % 3].channels, x);
        own[tap] += d * x;
        other[tap] += d_other * x;
      }
    }
  }
#pragma GCC unroll 9
  for (int64_t tap = 0; tap < kTaps; ++tap) {
    add_lanes(own[tap], kChunk, gradient + tap * kChunk);
    add_lanes(other[tap], kChunk, gradient + (kTaps + tap) * kChunk);
  }
}

// Calls body(chunk, offset of the chunk's first pixel, index of the chunk) for every chunk of every image.
template <class T, class Body>
UIR_INLINE void for_chunks(const ImageShape& shape, const T* x, Body&& body) {
  for (int64_t image = 0; image < shape.images; ++image) {
    for (int64_t c = 0; c < shape.channels; c += kChunk) {
      const int64_t at = image * shape.height * shape.width * shape.channels + c;
      body(Chunk<T>{x + at, std::min(kChunk, shape.channels - c), shape.height, shape.width, shape.channels},
           at, c / kChunk);
    }
  }
}

template <class T>
UIR_INLINE void convolve_images(const ImageShape& shape, const T* x, const PairWeights* weights, T* y) {
  LineWindow window(shape.width);
  for_chunks(shape, x, [&](const Chunk<T>& chunk, int64_t at, int64_t index) UIR_INLINE_LAMBDA {
    convolve_chunk(chunk, weights[index], window, y + at);
  });
}

template <class T>
UIR_INLINE void add_weight_gradient(const ImageShape& shape, const T* x, const T* dy, double* gradient) {
  LineWindow window(shape.width);
  for_chunks(shape, x, [&](const Chunk<T>& chunk, int64_t at, int64_t index) UIR_INLINE_LAMBDA {
    add_weight_gradient_of_chunk(chunk, dy + at, window, gradient + index * 2 * kTaps * kChunk);
  });
}

}  // namespace

UIR_MULTIVERSION void pair_convolve(const ImageShape& shape, const float* x, const PairWeights* weights,
                                    float* y) {
  convolve_images(shape, x, weights, y);
}
UIR_MULTIVERSION void pair_convolve(const ImageShape& shape, const Bf16* x, const PairWeights* weights,
                                    Bf16* y) {
  convolve_images(shape, x, weights, y);
}
UIR_MULTIVERSION void pair_weight_gradient(const ImageShape& shape, const float* x, const float* dy,
                                           double* gradient) {
  add_weight_gradient(shape, x, dy, gradient);
}
UIR_MULTIVERSION void pair_weight_gradient(const ImageShape& shape, const Bf16* x, const Bf16* dy,
                                           double* gradient) {
  add_weight_gradient(shape, x, dy, gradient);
}

}  // namespace uir
