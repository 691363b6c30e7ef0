// bfloat16 numbers for kernels: a float's upper half. Free of LibTorch, and simple enough to be vectorised.
#pragma once

#include <bit>
#include <cstdint>

#include "uir/model/multiversion.h"

namespace uir {

struct Bf16 {
  uint16_t bits;
};

// The type in which data of type T is computed with.
template <class T>
struct ComputeTypeOf {
  using Type = float;
};
template <>
struct ComputeTypeOf<double> {
  using Type = double;
};
template <class T>
using ComputeType = typename ComputeTypeOf<T>::Type;

UIR_INLINE float load(const float& x) { return x; }
UIR_INLINE double load(const double& x) { return x; }
UIR_INLINE float load(const Bf16& x) { return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16); }

UIR_INLINE void store(float& to, float x) { to = x; }
UIR_INLINE void store(double& to, double x) { to = x; }
// Rounds to nearest, ties to even. A NaN stays one if a bit of its upper mantissa is set, as in every NaN that
// processors produce.
UIR_INLINE void store(Bf16& to, float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  to.bits = static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

}  // namespace uir
