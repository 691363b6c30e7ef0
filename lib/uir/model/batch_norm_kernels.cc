#include "uir/model/batch_norm_kernels.h"

#include <algorithm>
#include <type_traits>

namespace uir {
namespace {

// Some rows of a few neighbouring channels, whose per-channel numbers fit into registers: V registers of
// channels from channel c on, or one that is not full.
template <class T, int V, bool kFull>
struct Tile {
  static constexpr int kRegisters = V;
  int64_t first, rows, c, count;  // first: the first element's offset

  template <class P>
  UIR_INLINE void load(const P* from, int v, Lanes<T>& to) const {
    if constexpr (kFull) load_lanes(from + v * kLanes<T>, to);
    if constexpr (!kFull) load_lanes(from, count, to);
  }
  UIR_INLINE void store(const Lanes<T>& from, int v, T* to) const {
    if constexpr (kFull) store_lanes(from, to + v * kLanes<T>);
    if constexpr (!kFull) store_lanes(from, count, to);
  }
  UIR_INLINE void add(const Lanes<T>& from, int v, double* to) const {
    if constexpr (kFull) add_lanes(from, kLanes<T>, to + v * kLanes<T>);
    if constexpr (!kFull) add_lanes(from, count, to);
  }
};

// Calls body(tile) for tiles that cover the data, V registers wide where possible. The rows that tiles
// share stay in the nearest cache.
template <int V, class T, class Body>
UIR_INLINE void for_tiles(const Rows<T>& in, Body&& body) {
  constexpr int64_t kCachedElements = 4096;
  const int64_t C = in.channels;
  const int64_t block = std::max<int64_t>(8, kCachedElements / C);
  for (int64_t row = 0; row < in.rows; row += block) {
    const int64_t rows = std::min(block, in.rows - row);
    int64_t c = 0;
    for (; c + V * kLanes<T> <= C; c += V * kLanes<T>)
      body(Tile<T, V, true>{row * C + c, rows, c, V * kLanes<T>});
    for (; c + kLanes<T> <= C; c += kLanes<T>) body(Tile<T, 1, true>{row * C + c, rows, c, kLanes<T>});
    if (c < C) body(Tile<T, 1, false>{row * C + c, rows, c, C - c});
  }
}

// for (int v = 0; v < registers of the tile; ++v), unrolled, so that arrays over v live in registers.
#define UIR_FOR_REGISTERS(v) _Pragma("GCC unroll 4") for (int v = 0; v < tile.kRegisters; ++v)

// An Activation's numbers for the channels of a tile.
template <class T, int V>
struct TileActivation {
  Lanes<T> scale[V], shift[V], slope[V] = {};

  template <class Tile>
  UIR_INLINE TileActivation(const Activation<ComputeType<T>>& f, const Tile& tile) {
    UIR_FOR_REGISTERS(v) {
      tile.load(f.scale + tile.c, v, scale[v]);
      tile.load(f.shift + tile.c, v, shift[v]);
      if (f.slope) tile.load(f.slope + tile.c, v, slope[v]);
    }
  }
};

template <class T>
UIR_INLINE void add_moments_of(const Rows<T>& in, const Moments<ComputeType<T>>& out) {
  for_tiles<4>(in, [&](const auto& tile) UIR_INLINE_LAMBDA {
    constexpr int V = std::decay_t<decltype(tile)>::kRegisters;
    Lanes<T> pivot[V], sum[V] = {}, squares[V] = {};
    UIR_FOR_REGISTERS(v) tile.load(out.pivot + tile.c, v, pivot[v]);
    for (int64_t row = 0; row < tile.rows; ++row) {
      UIR_FOR_REGISTERS(v) {
        Lanes<T> x;
        tile.load(in.x + tile.first + row * in.channels, v, x);
        const Lanes<T> d = x - pivot[v];
        sum[v] += d;
        squares[v] += d * d;
      }
    }
    UIR_FOR_REGISTERS(v) {
      tile.add(sum[v], v, out.sum + tile.c);
      tile.add(squares[v], v, out.sum_of_squares + tile.c);
    }
  });
}

template <bool kPrelu, bool kResidual, class T>
UIR_INLINE void activate_as(const Rows<T>& in, const Activation<ComputeType<T>>& f, const T* residual, T* y) {
  for_tiles<4>(in, [&](const auto& tile) UIR_INLINE_LAMBDA {
    constexpr int V = std::decay_t<decltype(tile)>::kRegisters;
    const TileActivation<T, V> a(f, tile);
    for (int64_t row = 0; row < tile.rows; ++row) {
      const int64_t at = tile.first + row * in.channels;
      UIR_FOR_REGISTERS(v) {
        Lanes<T> x, added;
        tile.load(in.x + at, v, x);
        Lanes<T> z = x * a.scale[v] + a.shift[v];
        if constexpr (kPrelu) z = z > 0 ? z : z * a.slope[v];
        if constexpr (kResidual) {
          tile.load(residual + at, v, added);
          z += added;
        }
        tile.store(z, v, y + at);
      }
    }
  });
}

template <class T>
UIR_INLINE void activate_any(const Rows<T>& in, const Activation<ComputeType<T>>& f, const T* residual,
                             T* y) {
  if (f.slope && residual) return activate_as<true, true>(in, f, residual, y);
  if (f.slope) return activate_as<true, false>(in, f, residual, y);
  if (residual) return activate_as<false, true>(in, f, residual, y);
  activate_as<false, false>(in, f, residual, y);
}

template <bool kPrelu, class T>
UIR_INLINE void add_gradient_sums_as(const Rows<T>& in, const T* dy, const Activation<ComputeType<T>>& f,
                                     const GradientSums<ComputeType<T>>& out) {
  for_tiles<2>(in, [&](const auto& tile) UIR_INLINE_LAMBDA {
    constexpr int V = std::decay_t<decltype(tile)>::kRegisters;
    const TileActivation<T, V> a(f, tile);
    Lanes<T> mean[V], sum_g[V] = {}, sum_g_x[V] = {}, sum_slope[V] = {};
    UIR_FOR_REGISTERS(v) tile.load(out.mean + tile.c, v, mean[v]);
    for (int64_t row = 0; row < tile.rows; ++row) {
      const int64_t at = tile.first + row * in.channels;
      UIR_FOR_REGISTERS(v) {
        Lanes<T> x, g;
        tile.load(in.x + at, v, x);
        tile.load(dy + at, v, g);
        if constexpr (kPrelu) {
          const Lanes<T> z = x * a.scale[v] + a.shift[v];
          sum_slope[v] += z > 0 ? Lanes<T>{} : g * z;
          g = z > 0 ? g : g * a.slope[v];
        }
        sum_g[v] += g;
        sum_g_x[v] += g * (x - mean[v]);
      }
    }
    UIR_FOR_REGISTERS(v) {
      tile.add(sum_g[v], v, out.g + tile.c);
      tile.add(sum_g_x[v], v, out.g_x + tile.c);
      tile.add(sum_slope[v], v, out.slope + tile.c);
    }
  });
}

template <bool kPrelu, class T>
UIR_INLINE void input_gradient_as(const Rows<T>& in, const T* dy, const Activation<ComputeType<T>>& f,
                                  const InputGradient<ComputeType<T>>& terms, T* dx) {
  for_tiles<2>(in, [&](const auto& tile) UIR_INLINE_LAMBDA {
    constexpr int V = std::decay_t<decltype(tile)>::kRegisters;
    const TileActivation<T, V> a(f, tile);
    Lanes<T> mean[V], from_x[V], constant[V];
    UIR_FOR_REGISTERS(v) {
      tile.load(terms.mean + tile.c, v, mean[v]);
      tile.load(terms.from_x + tile.c, v, from_x[v]);
      tile.load(terms.constant + tile.c, v, constant[v]);
    }
    for (int64_t row = 0; row < tile.rows; ++row) {
      const int64_t at = tile.first + row * in.channels;
      UIR_FOR_REGISTERS(v) {
        Lanes<T> x, g;
        tile.load(in.x + at, v, x);
        tile.load(dy + at, v, g);
        if constexpr (kPrelu) g = x * a.scale[v] + a.shift[v] > 0 ? g : g * a.slope[v];
        tile.store(a.scale[v] * g + (from_x[v] * (x - mean[v]) + constant[v]), v, dx + at);
      }
    }
  });
}

}  // namespace

#define UIR_DEFINE_BATCH_NORM_KERNELS(T)                                                                    \
  UIR_MULTIVERSION void add_moments(const Rows<T>& in, const Moments<ComputeType<T>>& out) {                \
    add_moments_of(in, out);                                                                                \
  }                                                                                                         \
  UIR_MULTIVERSION void activate(const Rows<T>& in, const Activation<ComputeType<T>>& f, const T* residual, \
                                 T* y) {                                                                    \
    activate_any(in, f, residual, y);                                                                       \
  }                                                                                                         \
  UIR_MULTIVERSION void add_gradient_sums(const Rows<T>& in, const T* dy,                                   \
                                          const Activation<ComputeType<T>>& f,                              \
                                          const GradientSums<ComputeType<T>>& out) {                        \
    f.slope ? add_gradient_sums_as<true>(in, dy, f, out) : add_gradient_sums_as<false>(in, dy, f, out);     \
  }                                                                                                         \
  UIR_MULTIVERSION void input_gradient(const Rows<T>& in, const T* dy, const Activation<ComputeType<T>>& f, \
                                       const InputGradient<ComputeType<T>>& terms, T* dx) {                 \
    f.slope ? input_gradient_as<true>(in, dy, f, terms, dx)                                                 \
            : input_gradient_as<false>(in, dy, f, terms, dx);                                               \
  }

UIR_DEFINE_BATCH_NORM_KERNELS(float)
UIR_DEFINE_BATCH_NORM_KERNELS(double)
UIR_DEFINE_BATCH_NORM_KERNELS(Bf16)

}  // namespace uir
