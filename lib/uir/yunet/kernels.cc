#include "uir/yunet/kernels.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "uir/base/multiversion.h"

namespace uir {
namespace {

// How many pixels and registers beside each other are summed up at once: as many as leave room for weights.
struct Avx512 {
  using Lanes [[gnu::vector_size(64)]] = float;
  static constexpr int64_t kStemPixels = 12, kPixels = 6, kRegisters = 4, kTaps = 6;
};
struct Avx2 {
  using Lanes [[gnu::vector_size(32)]] = float;
  static constexpr int64_t kStemPixels = 6, kPixels = 6, kRegisters = 2, kTaps = 4;
};
struct Plain {
  using Lanes [[gnu::vector_size(16)]] = float;
  static constexpr int64_t kStemPixels = 3, kPixels = 3, kRegisters = 4, kTaps = 1;
};

template <class Set>
constexpr int64_t kLanes = sizeof(typename Set::Lanes) / sizeof(float);

template <class Lanes>
UIR_INLINE void load(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof(to));
}
template <class Lanes>
UIR_INLINE void store(const Lanes& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}
// What was loaded stays in its register: GCC would load it again for each of its uses.
template <class Lanes>
UIR_INLINE void keep([[maybe_unused]] Lanes& value) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  __asm__("" : "+v"(value));
#endif
}
template <class Lanes>
UIR_INLINE void cut_negatives(Lanes& x) {
  const Lanes zero{};
  x = x > zero ? x : zero;
}

// Calls body(x, constant) for tiles of kTile pixels that cover a row, the last of them back from its end,
// or pixel by pixel where the row is shorter.
template <int64_t kTile>
struct Tile {
  static constexpr int64_t kPixels = kTile;
};
template <int64_t kTile, class Body>
UIR_INLINE void for_tiles(int64_t width, const Body& body) {
  if (width < kTile) {
    for (int64_t x = 0; x < width; ++x) body(x, Tile<1>());
    return;
  }
  for (int64_t x = 0; x < width - kTile; x += kTile) body(x, Tile<kTile>());
  body(width - kTile, Tile<kTile>());
}

template <class Set, int64_t kPixels>
UIR_INLINE void stem_tile(const StemRow& row, int64_t x) {
  using Lanes = typename Set::Lanes;
  for (int64_t at = 0; at < kBlock; at += kLanes<Set>) {
    Lanes sums[kPixels];
#pragma GCC unroll 16
    for (int64_t p = 0; p < kPixels; ++p) load(row.bias->channels + at, sums[p]);
    for (int64_t y = 0; y < 3; ++y) {
      const float* in = row.in[y] + 2 * x * 3;
      const Block* weights = row.weights + y * 9;
#pragma GCC unroll 1
      for (int64_t tap = 0; tap < 9; ++tap, ++in, ++weights) {
        Lanes w;
        load(weights->channels + at, w);
#pragma GCC unroll 16
        for (int64_t p = 0; p < kPixels; ++p) sums[p] += w * in[6 * p];
      }
    }
#pragma GCC unroll 16
    for (int64_t p = 0; p < kPixels; ++p) {
      cut_negatives(sums[p]);
      store(sums[p], row.out[x + p].channels + at);
    }
  }
}

template <class Set>
UIR_INLINE void stem_row(StemRow row) {
  for_tiles<Set::kStemPixels>(row.width, [&](int64_t x, auto tile) UIR_INLINE_LAMBDA {
    stem_tile<Set, decltype(tile)::kPixels>(row, x);
  });
}

// kRegisters registers full of outputs, from channel `first` on, for kPixels pixels.
template <class Set, int64_t kPixels, int64_t kRegisters>
UIR_INLINE void pointwise_tile(const PointwiseRow& row, int64_t x, int64_t first) {
  using Lanes = typename Set::Lanes;
  Lanes sums[kPixels][kRegisters];
  const float* bias = row.bias->channels + first;
#pragma GCC unroll 16
  for (int64_t p = 0; p < kPixels; ++p) {
#pragma GCC unroll 4
    for (int64_t r = 0; r < kRegisters; ++r) load(bias + r * kLanes<Set>, sums[p][r]);
  }
  const float* weights = row.weights->channels + first;
  const int64_t stride = row.out_blocks * kBlock;
  for (int64_t block = 0; block < row.in_blocks; ++block) {
    const float* in = row.in[block * row.width + x].channels;
#pragma GCC unroll 2
    for (int64_t k = 0; k < kBlock; ++k, weights += stride, ++in) {
      Lanes w[kRegisters];
#pragma GCC unroll 4
      for (int64_t r = 0; r < kRegisters; ++r) load(weights + r * kLanes<Set>, w[r]);
#pragma GCC unroll 16
      for (int64_t p = 0; p < kPixels; ++p) {
        const float value = in[p * kBlock];
#pragma GCC unroll 4
        for (int64_t r = 0; r < kRegisters; ++r) sums[p][r] += w[r] * value;
      }
    }
  }
#pragma GCC unroll 16
  for (int64_t p = 0; p < kPixels; ++p) {
#pragma GCC unroll 4
    for (int64_t r = 0; r < kRegisters; ++r) {
      const int64_t channel = first + r * kLanes<Set>;
      store(sums[p][r], row.out[channel / kBlock * row.out_stride + x + p].channels + channel % kBlock);
    }
  }
}

template <class Set, int64_t kPixels, int64_t kRegisters>
UIR_INLINE void pointwise_columns(const PointwiseRow& row, int64_t first, int64_t end) {
  for_tiles<kPixels>(row.width, [&](int64_t x, auto tile) UIR_INLINE_LAMBDA {
    for (int64_t at = first; at < end; at += kRegisters * kLanes<Set>)
      pointwise_tile<Set, decltype(tile)::kPixels, kRegisters>(row, x, at);
  });
}

// Outputs that do not fill all the registers of a tile are computed by 16, for more pixels at once.
template <class Set>
UIR_INLINE void pointwise_row(PointwiseRow row) {
  constexpr int64_t kWide = Set::kRegisters * kLanes<Set>;
  const int64_t channels = row.out_blocks * kBlock, wide = channels / kWide * kWide;
  if (wide > 0) pointwise_columns<Set, Set::kPixels, Set::kRegisters>(row, 0, wide);
  if constexpr (kWide > kBlock) {
    constexpr int64_t kNarrowPixels = 14;
    if (wide < channels) pointwise_columns<Set, kNarrowPixels, kBlock / kLanes<Set>>(row, wide, channels);
  }
}

// Some lanes of one group of channels, along the row.
template <class Set>
struct DepthwiseLanes {
  using Lanes = typename Set::Lanes;
  const float* in[3];
  float* out;
  Lanes weights[9], bias;

  UIR_INLINE DepthwiseLanes(const DepthwiseRow& row, int64_t block, int64_t at) {
#pragma GCC unroll 3
    for (int64_t y = 0; y < 3; ++y) in[y] = row.in[y][block * (row.width + 2)].channels + at;
    out = row.out[block * row.width].channels + at;
#pragma GCC unroll 9
    for (int64_t tap = 0; tap < 9; ++tap) load(row.weights[block * 9 + tap].channels + at, weights[tap]);
    load(row.bias[block].channels + at, bias);
  }

  template <int64_t kPixels, bool kRelu>
  UIR_INLINE void tile(int64_t x) const {
    Lanes sums[kPixels];
#pragma GCC unroll 8
    for (int64_t p = 0; p < kPixels; ++p) sums[p] = bias;
#pragma GCC unroll 3
    for (int64_t y = 0; y < 3; ++y) {
#pragma GCC unroll 10
      for (int64_t column = 0; column < kPixels + 2; ++column) {
        Lanes value;
        load(in[y] + (x + column) * kBlock, value);
        keep(value);
#pragma GCC unroll 3
        for (int64_t tap = 0; tap < 3; ++tap) {
          if (const int64_t p = column - tap; p >= 0 && p < kPixels) sums[p] += weights[3 * y + tap] * value;
        }
      }
    }
#pragma GCC unroll 8
    for (int64_t p = 0; p < kPixels; ++p) {
      if (kRelu) cut_negatives(sums[p]);
      store(sums[p], out + (x + p) * kBlock);
    }
  }
};

template <class Set, bool kRelu>
UIR_INLINE void depthwise_blocks(DepthwiseRow row) {
  for (int64_t block = 0; block < row.blocks; ++block) {
    for (int64_t at = 0; at < kBlock; at += kLanes<Set>) {
      const DepthwiseLanes<Set> lanes(row, block, at);
      for_tiles<Set::kTaps>(row.width, [&](int64_t x, auto tile) UIR_INLINE_LAMBDA {
        lanes.template tile<decltype(tile)::kPixels, kRelu>(x);
      });
    }
  }
}

template <class Set>
UIR_INLINE void depthwise_row(const DepthwiseRow& row) {
  if (row.relu) {
    depthwise_blocks<Set, true>(row);
  } else {
    depthwise_blocks<Set, false>(row);
  }
}

#if defined(__x86_64__) && defined(__GNUC__)
#define UIR_AVX512 __attribute__((target("arch=x86-64-v4")))
#define UIR_AVX2 __attribute__((target("arch=x86-64-v3")))
UIR_AVX512 void stem_avx512(const StemRow& row) { stem_row<Avx512>(row); }
UIR_AVX512 void pointwise_avx512(const PointwiseRow& row) { pointwise_row<Avx512>(row); }
UIR_AVX512 void depthwise_avx512(const DepthwiseRow& row) { depthwise_row<Avx512>(row); }
UIR_AVX2 void stem_avx2(const StemRow& row) { stem_row<Avx2>(row); }
UIR_AVX2 void pointwise_avx2(const PointwiseRow& row) { pointwise_row<Avx2>(row); }
UIR_AVX2 void depthwise_avx2(const DepthwiseRow& row) { depthwise_row<Avx2>(row); }
#endif

void stem_plain(const StemRow& row) { stem_row<Plain>(row); }
void pointwise_plain(const PointwiseRow& row) { pointwise_row<Plain>(row); }
void depthwise_plain(const DepthwiseRow& row) { depthwise_row<Plain>(row); }

std::vector<YuNetKernels> kernels_of_processor() {
  std::vector<YuNetKernels> kernels;
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    kernels.push_back({"AVX-512", stem_avx512, pointwise_avx512, depthwise_avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    kernels.push_back({"AVX2", stem_avx2, pointwise_avx2, depthwise_avx2});
#endif
  kernels.push_back({"plain", stem_plain, pointwise_plain, depthwise_plain});
  return kernels;
}

using Pixel [[gnu::vector_size(sizeof(Block))]] = float;

}  // namespace

std::span<const YuNetKernels> yunet_kernels() {
  static const std::vector<YuNetKernels> all = kernels_of_processor();
  return all;
}

UIR_MULTIVERSION void widen_row(const uint8_t* in, int64_t count, float* out) {
  using Bytes [[gnu::vector_size(kBlock)]] = uint8_t;
  using Halves [[gnu::vector_size(2 * kBlock)]] = uint16_t;
  using Words [[gnu::vector_size(4 * kBlock)]] = int32_t;
  int64_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    Bytes bytes;
    std::memcpy(&bytes, in + i, sizeof(bytes));
    // The compiler has no shorter way.
    const auto words = __builtin_convertvector(__builtin_convertvector(bytes, Halves), Words);
    store(__builtin_convertvector(words, Pixel), out + i);
  }
  for (; i < count; ++i) out[i] = in[i];
}

UIR_MULTIVERSION void halve_row(const Block* in, int64_t blocks, int64_t width, int64_t half, bool more,
                                Block* out) {
  for (int64_t block = 0; block < blocks; ++block, in += width, out += half) {
    for (int64_t x = 0; x < half; ++x) {
      Pixel a, b;
      load(in[2 * x].channels, a);
      load(in[2 * x + 1].channels, b);
      a = a > b ? a : b;
      if (more) {
        load(out[x].channels, b);
        a = a > b ? a : b;
      }
      store(a, out[x].channels);
    }
  }
}

UIR_MULTIVERSION void add_doubled_row(const Block* in, int64_t blocks, int64_t width, Block* out) {
  for (int64_t i = 0; i < blocks * width; ++i) {
    Pixel coarse, sum;
    load(in[i].channels, coarse);
    for (int64_t x = 2 * i; x < 2 * i + 2; ++x) {
      load(out[x].channels, sum);
      sum += coarse;
      store(sum, out[x].channels);
    }
  }
}

}  // namespace uir
