// Vectors of 64 bytes for the head's element-wise work, and e^x − 1 on them.
//
// GCC's and clang's vector types: the compiler splits them into whatever registers the target has, so the
// same code serves AVX-512, AVX2 and the base instruction set (UIR_EVERY_CPU compiles a function for each and
// the loader picks).
// Accuracy: float32 within 2 units in the last place of the exact value between −87 and 88 and clamped
// beyond, NaN stays NaN; float64 is the standard library's, element by element: it serves the tests, not
// speed.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define UIR_EVERY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UIR_EVERY_CPU
#endif
#define UIR_INLINE inline __attribute__((always_inline))
// Vectors passed by value have a register only where the processor has it. Everything here is inlined: none
// is passed.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace uir::packs {

template <class T>
struct PackOf;
template <>
struct PackOf<float> {
  typedef float Type __attribute__((vector_size(64)));
  typedef int32_t Bits __attribute__((vector_size(64)));
};
template <>
struct PackOf<double> {
  typedef double Type __attribute__((vector_size(64)));
};
template <class T>
using Pack = typename PackOf<T>::Type;
template <class T>
inline constexpr int64_t kWidth = sizeof(Pack<T>) / sizeof(T);

// The first `count` elements from memory, the others as in `rest`.
template <class T>
UIR_INLINE Pack<T> load(const T* from, int64_t count, const Pack<T>& rest = Pack<T>{}) {
  Pack<T> pack = rest;
  std::memcpy(&pack, from, count * sizeof(T));
  return pack;
}

// The pack with all but its first `count` elements replaced.
template <class T>
UIR_INLINE Pack<T> with_rest(const Pack<T>& pack, int64_t count, const Pack<T>& rest) {
  return count == kWidth<T> ? pack : load<T>(reinterpret_cast<const T*>(&pack), count, rest);
}

template <class T>
UIR_INLINE void store(T* to, const Pack<T>& pack, int64_t count) {
  std::memcpy(to, &pack, count * sizeof(T));
}

template <class T>
UIR_INLINE double sum(const Pack<T>& pack) {
  double total = 0;
  for (int64_t i = 0; i < kWidth<T>; ++i) total += static_cast<double>(pack[i]);
  return total;
}

template <class T>
UIR_INLINE T largest(const Pack<T>& pack) {
  T result = pack[0];
  for (int64_t i = 1; i < kWidth<T>; ++i) result = pack[i] > result ? pack[i] : result;
  return result;
}

// body(i, count) for consecutive packs of [begin, end); only the last has a count below the width.
template <class T, class Body>
UIR_INLINE void for_each_pack(int64_t begin, int64_t end, Body&& body) {
  int64_t i = begin;
  for (; i + kWidth<T> <= end; i += kWidth<T>) body(i, kWidth<T>);
  if (i < end) body(i, end - i);
}

// e^x = power (1 + fraction) with an integer power of two: x = n ln 2 + r, |r| <= (ln 2)/2, fraction = e^r −
// 1 as a Taylor polynomial whose remainder is below 6e-9.
struct ExpParts {
  Pack<float> power, fraction;
};

UIR_INLINE ExpParts exp_parts(const Pack<float>& exponent) {
  using Bits = PackOf<float>::Bits;
  constexpr float kRoundingShift = 0x1.8p23f;  // adding it leaves round(…) in the low mantissa bits
  const Pack<float> low = Pack<float>{} - 87.0f, high = Pack<float>{} + 88.0f;
  Pack<float> x = exponent < low ? low : exponent;  // in this order NaN stays NaN
  x = x > high ? high : x;
  const Pack<float> shifted = x * 0x1.715476p0f + kRoundingShift;
  const Pack<float> n = shifted - kRoundingShift;
  const Pack<float> r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts
  Pack<float> polynomial = r * (1.0f / 5040) + 1.0f / 720;
  polynomial = polynomial * r + 1.0f / 120;
  polynomial = polynomial * r + 1.0f / 24;
  polynomial = polynomial * r + 1.0f / 6;
  polynomial = polynomial * r + 0.5f;
  return {reinterpret_cast<Pack<float>>((reinterpret_cast<Bits>(shifted) + 127) << 23),
          polynomial * r * r + r};
}

// e^x, or e^x − 1 to full relative accuracy.
UIR_INLINE Pack<float> exp_or_expm1(const Pack<float>& x, bool minus_one) {
  const ExpParts parts = exp_parts(x);
  return parts.power * parts.fraction + (parts.power - (minus_one ? 1.0f : 0.0f));
}

UIR_INLINE Pack<double> exp_or_expm1(const Pack<double>& x, bool minus_one) {
  Pack<double> result{};
  for (int64_t i = 0; i < kWidth<double>; ++i) result[i] = minus_one ? std::expm1(x[i]) : std::exp(x[i]);
  return result;
}

template <class T>
UIR_INLINE Pack<T> exp(const Pack<T>& x) {
  return exp_or_expm1(x, false);
}

template <class T>
UIR_INLINE Pack<T> expm1(const Pack<T>& x) {
  return exp_or_expm1(x, true);
}

// e^q − 1 − q for |q| <= 1, to full relative accuracy: q²/2 (1 + q/3 (1 + q/4 (…))).
template <class T>
UIR_INLINE Pack<T> exp_excess(const Pack<T>& q) {
  constexpr int kTerms = sizeof(T) == 4 ? 12 : 20;
  Pack<T> series = Pack<T>{} + T(1);
  for (int k = kTerms; k >= 3; --k) series = series * q * (T(1) / T(k)) + T(1);
  return q * q * T(0.5) * series;
}

}  // namespace uir::packs
