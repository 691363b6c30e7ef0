#include "uir/model/pair_conv_kernels.h"

#include <algorithm>
#include <vector>

#include "uir/model/multiversion.h"

namespace uir {
namespace {

// One register of channels on AVX-512, several elsewhere.
using Lanes [[gnu::vector_size(kLanes * sizeof(float))]] = float;

UIR_INLINE void load_lanes(Lanes& to, const float* from) { __builtin_memcpy(&to, from, sizeof(Lanes)); }

UIR_INLINE void swap_pairs(Lanes& x) {
  x = __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}

// `count` channels at `from`, the rest zero, as float.
template <class T>
UIR_INLINE void widen(const T* from, int64_t count, float* to) {
  if (count >= kLanes) {
#pragma omp simd
    for (int64_t i = 0; i < kLanes; ++i) to[i] = load(from[i]);
  } else {
    for (int64_t i = 0; i < kLanes; ++i) to[i] = i < count ? load(from[i]) : 0;
  }
}

template <class T>
UIR_INLINE void narrow(const Lanes& from, int64_t count, T* to) {
  float values[kLanes];
  __builtin_memcpy(values, &from, sizeof(Lanes));
  if (count >= kLanes) {
#pragma omp simd
    for (int64_t i = 0; i < kLanes; ++i) store(to[i], values[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) store(to[i], values[i]);
  }
}

// Three lines of one chunk of one image as float, with a zero pixel at both ends: what a line of output needs.
class LineWindow {
 public:
  explicit LineWindow(int64_t width) : stride_((width + 2) * kLanes), lines_(3 * stride_) {}

  // The line y − 1, y or y + 1 for tap row 0, 1 or 2.
  const float* line(int64_t y, int64_t tap_row) const { return lines_.data() + (y + tap_row) % 3 * stride_; }
  float* slot_of(int64_t y) { return lines_.data() + (y + 1) % 3 * stride_; }
  int64_t stride() const { return stride_; }

 private:
  int64_t stride_;
  std::vector<float> lines_;
};

// One chunk of channels of one image.
template <class T>
struct Chunk {
  const T* x;
  int64_t count;  // channels, at most kLanes
  int64_t height, width, channels;

  UIR_INLINE void fill(LineWindow& window, int64_t y) const {
    float* const to = window.slot_of(y);
    if (y < 0 || y >= height) {
      std::fill(to, to + window.stride(), 0.0F);
      return;
    }
    for (int64_t i = 0; i < width; ++i) widen(x + (y * width + i) * channels, count, to + (i + 1) * kLanes);
  }
};

template <class T>
UIR_INLINE void convolve_chunk(const Chunk<T>& chunk, const PairWeights& weights, LineWindow& window,
                               T* out) {
  Lanes own[kTaps], other[kTaps];
  for (int64_t tap = 0; tap < kTaps; ++tap) load_lanes(own[tap], weights.from_own[tap]);
  for (int64_t tap = 0; tap < kTaps; ++tap) load_lanes(other[tap], weights.to_other[tap]);
  chunk.fill(window, -1);
  chunk.fill(window, 0);
  for (int64_t y = 0; y < chunk.height; ++y) {
    chunk.fill(window, y + 1);
    const float* const lines[3] = {window.line(y, 0), window.line(y, 1), window.line(y, 2)};
    for (int64_t i = 0; i < chunk.width; ++i) {
      Lanes to_own{}, to_other{};
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        Lanes x;
        load_lanes(x, lines[tap / 3] + (i + tap % 3) * kLanes);
        to_own += own[tap] * x;
        to_other += other[tap] * x;
      }
      swap_pairs(to_other);
      narrow(to_own + to_other, chunk.count, out + (y * chunk.width + i) * chunk.channels);
    }
  }
}

template <class T>
UIR_INLINE void add_weight_gradient_of_chunk(const Chunk<T>& chunk, const T* dy, LineWindow& window,
                                             double* gradient) {
  Lanes own[kTaps] = {}, other[kTaps] = {};
  chunk.fill(window, -1);
  chunk.fill(window, 0);
  for (int64_t y = 0; y < chunk.height; ++y) {
    chunk.fill(window, y + 1);
    const float* const lines[3] = {window.line(y, 0), window.line(y, 1), window.line(y, 2)};
    for (int64_t i = 0; i < chunk.width; ++i) {
      float values[kLanes];
      widen(dy + (y * chunk.width + i) * chunk.channels, chunk.count, values);
      Lanes d, d_other;
      load_lanes(d, values);
      d_other = d;
      swap_pairs(d_other);
      for (int64_t tap = 0; tap < kTaps; ++tap) {
        Lanes x;
        load_lanes(x, lines[tap / 3] + (i + tap % 3) * kLanes);
        own[tap] += d * x;
        other[tap] += d_other * x;
      }
    }
  }
  for (int64_t tap = 0; tap < kTaps; ++tap) {
    for (int64_t i = 0; i < kLanes; ++i) {
      gradient[tap * kLanes + i] += static_cast<double>(own[tap][i]);
      gradient[(kTaps + tap) * kLanes + i] += static_cast<double>(other[tap][i]);
    }
  }
}

// Calls body(chunk, offset of the chunk's first pixel, index of the chunk) for every chunk of every image.
template <class T, class Body>
UIR_INLINE void for_chunks(const ImageShape& shape, const T* x, Body&& body) {
  for (int64_t image = 0; image < shape.images; ++image) {
    for (int64_t c = 0; c < shape.channels; c += kLanes) {
      const int64_t at = image * shape.height * shape.width * shape.channels + c;
      body(Chunk<T>{x + at, std::min(kLanes, shape.channels - c), shape.height, shape.width, shape.channels},
           at, c / kLanes);
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
    add_weight_gradient_of_chunk(chunk, dy + at, window, gradient + index * 2 * kTaps * kLanes);
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
