// Registers full of numbers for kernels, loaded from and stored to float, double and bfloat16 data.
// Free of LibTorch.
//
// A Lanes<A> is 64 bytes of A: one register on AVX-512, several elsewhere; the compiler splits operations
// on it. Functions take lanes by reference, since passing them by value would depend on the instruction
// set.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "uir/base/multiversion.h"

namespace uir {

// A bfloat16 number: the upper half of a float.
struct Bf16 {
  uint16_t bits;
};

namespace lanes_detail {
template <class T>
struct Of {
  using Compute = T;
  using Lanes [[gnu::vector_size(64)]] = T;
};
template <>
struct Of<Bf16> : Of<float> {};
using Words [[gnu::vector_size(64)]] = uint32_t;
using Halves [[gnu::vector_size(32)]] = uint16_t;
}  // namespace lanes_detail

// The type in which data of type T is computed with, and its lanes.
template <class T>
using ComputeType = typename lanes_detail::Of<T>::Compute;
template <class T>
using Lanes = typename lanes_detail::Of<T>::Lanes;
template <class T>
inline constexpr int64_t kLanes = 64 / static_cast<int64_t>(sizeof(ComputeType<T>));

UIR_INLINE float widened(float x) { return x; }
UIR_INLINE double widened(double x) { return x; }
UIR_INLINE float widened(Bf16 x) { return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16); }

template <class T>
UIR_INLINE void load_lanes(const T* from, Lanes<T>& to) {
  std::memcpy(&to, from, sizeof(to));
}
UIR_INLINE void load_lanes(const Bf16* from, Lanes<float>& to) {
  lanes_detail::Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  to = reinterpret_cast<Lanes<float>>(__builtin_convertvector(halves, lanes_detail::Words) << 16);
}

template <class T>
UIR_INLINE void store_lanes(const Lanes<T>& from, T* to) {
  std::memcpy(to, &from, sizeof(from));
}
// Rounds to nearest, ties to even. A NaN stays one if a bit of its upper mantissa is set, as in every NaN
// that processors produce.
UIR_INLINE void store_lanes(const Lanes<float>& from, Bf16* to) {
  const auto words = reinterpret_cast<lanes_detail::Words>(from);
  const auto halves =
      __builtin_convertvector((words + 0x7fff + ((words >> 16) & 1)) >> 16, lanes_detail::Halves);
  std::memcpy(to, &halves, sizeof(halves));
}

// The first `count` lanes, up to all; the rest is zero when loading, left alone when storing.
template <class T>
UIR_INLINE void load_lanes(const T* from, int64_t count, Lanes<T>& to) {
  if (count >= kLanes<T>) return load_lanes(from, to);
  T padded[kLanes<T>] = {};
  std::copy(from, from + count, padded);
  load_lanes(padded, to);
}
template <class T>
UIR_INLINE void store_lanes(const Lanes<T>& from, int64_t count, T* to) {
  if (count >= kLanes<T>) return store_lanes(from, to);
  T padded[kLanes<T>];
  store_lanes(from, padded);
  std::copy(padded, padded + count, to);
}

// to[i] += lane i, for the first `count` lanes. By way of memory: an index that is not constant would keep
// the register in memory everywhere.
template <class A>
UIR_INLINE void add_lanes(const A& from, int64_t count, double* to) {
  std::decay_t<decltype(from[0])> values[sizeof(A) / sizeof(from[0])];
  std::memcpy(values, &from, sizeof(from));
  for (int64_t i = 0; i < count; ++i) to[i] += static_cast<double>(values[i]);
}

}  // namespace uir
