// The kernels of pair_filter.h: what runs for every tile of pairs.
//
// Two things keep sums in registers, where GCC would write each of them to memory in every step: arrays that
// are indexed by constants only (I... counts through them) instead of unrolled loops, and a comparison that
// is not inlined behind the loop, since its constants and the sums are more than there are registers.
#include <bit>
#include <cstring>
#include <utility>

#include "uir/search/pair_filter.h"

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace uir {
namespace {

#define UIR_INLINE inline __attribute__((always_inline))
#define UIR_KERNEL __attribute__((noinline))

// GCC's and Clang's portable vectors, of as many lanes as the target's registers have.
template <class Value, int kLanes>
struct Vectors {
  using Type [[gnu::vector_size(kLanes * sizeof(Value))]] = Value;
};
template <class Value, int kLanes>
using Vector = typename Vectors<Value, kLanes>::Type;

template <class Values>
UIR_INLINE void load(const void* from, Values& values) {
  std::memcpy(&values, from, sizeof values);
}

template <class Value>
struct alignas(64) TileSums {
  Value values[kFilterRows * kFilterColumns];
};

// All lanes set where the pair passes.
template <int kLanes, class Value>
UIR_INLINE void passes(const FilterTile& tile, const TileSums<Value>& sums, int64_t r, int64_t c,
                       Vector<int32_t, kLanes>& out) {
  Vector<Value, kLanes> sum;
  Vector<float, kLanes> scale, error;
  load(sums.values + r * kFilterColumns + c, sum);
  load(tile.scale + c, scale);
  load(tile.error + c, error);
  const auto value = __builtin_convertvector(sum, decltype(scale)) * scale + error * tile.reach[r];
  out = ~(value < tile.limit[r]);
}

// First whether any pair passes: hardly ever one does.
template <int kLanes, class Value>
UIR_INLINE bool compare(const FilterTile& tile, const TileSums<Value>& sums, FilterMasks& masks) {
  Vector<int32_t, kLanes> pass, any = {};
  for (int64_t c = 0; c < kFilterColumns; c += kLanes) {
#pragma GCC unroll 6
    for (int64_t r = 0; r < kFilterRows; ++r) {
      passes<kLanes>(tile, sums, r, c, pass);
      any |= pass;
    }
  }
  int32_t found = 0;
  for (int lane = 0; lane < kLanes; ++lane) found |= any[lane];
  if (found == 0) return false;
  masks = {};
  for (int64_t c = 0; c < kFilterColumns; c += kLanes) {
    for (int64_t r = 0; r < kFilterRows; ++r) {
      passes<kLanes>(tile, sums, r, c, pass);
      for (int lane = 0; lane < kLanes; ++lane) masks[r] |= uint64_t{pass[lane] != 0} << (c + lane);
    }
  }
  return true;
}

// The kernel filter_<name> of a target: sums by `sum`, then the comparison.
#define UIR_FILTER(name, target, Value, sum, compare)                                        \
  target UIR_KERNEL bool compare_##name(const FilterTile& tile, const TileSums<Value>& sums, \
                                        FilterMasks& masks) {                                \
    return compare(tile, sums, masks);                                                       \
  }                                                                                          \
  target bool filter_##name(const FilterTile& tile, FilterMasks& masks) {                    \
    TileSums<Value> sums;                                                                    \
    sum;                                                                                     \
    return compare_##name(tile, sums, masks);                                                \
  }

template <int kVectors>
using SumsOf = std::make_index_sequence<kFilterRows * kVectors>;

// float32: kVectors registers of columns at a time.
template <int kLanes, int kVectors, size_t... I>
UIR_INLINE void sum_float32(const FilterTile& tile, TileSums<float>& out, std::index_sequence<I...>) {
  using Float = Vector<float, kLanes>;
  for (int64_t first = 0; first < kFilterColumns; first += kLanes * kVectors) {
    Float sums[] = {(static_cast<void>(I), Float{})...};
    const uint32_t* columns = tile.columns + first;
    const uint32_t* rows = tile.rows;
    for (int64_t k = 0; k < tile.steps; ++k, columns += kFilterColumns, rows += kFilterRows) {
      Float column[kVectors];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) load(columns + v * kLanes, column[v]);
      ((sums[I] += column[I % kVectors] * std::bit_cast<float>(rows[I / kVectors])), ...);
    }
    (std::memcpy(out.values + I / kVectors * kFilterColumns + first + I % kVectors * kLanes, &sums[I],
                 sizeof(Float)),
     ...);
  }
}
UIR_FILTER(float32_portable, , float, (sum_float32<4, 2>(tile, sums, SumsOf<2>())), compare<4>)

#ifdef __x86_64__
#define UIR_AVX2 __attribute__((target("avx2,fma")))
#define UIR_AVX_VNNI __attribute__((target("avx2,fma,avxvnni")))
#define UIR_AVX512 __attribute__((target("avx512f")))
#define UIR_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

UIR_FILTER(float32_avx2, UIR_AVX2, float, (sum_float32<8, 2>(tile, sums, SumsOf<2>())), compare<8>)

UIR_AVX512 UIR_INLINE __m512 load16(const float* from) { return _mm512_loadu_ps(from); }
UIR_AVX512 UIR_INLINE __m512 load16(const int32_t* from) {
  Vector<int32_t, 16> values;
  load(from, values);
  return (__m512) __builtin_convertvector(values, Vector<float, 16>);
}
// By mask registers, where GCC compares portable vectors of 16 lanes one by one.
template <class Value>
UIR_AVX512 UIR_INLINE bool compare_avx512(const FilterTile& tile, const TileSums<Value>& sums,
                                          FilterMasks& masks) {
  masks = {};
  uint64_t any = 0;
  for (int64_t c = 0; c < kFilterColumns; c += 16) {
    const __m512 scale = load16(tile.scale + c), error = load16(tile.error + c);
    for (int64_t r = 0; r < kFilterRows; ++r) {
      const __m512 reach = _mm512_mul_ps(error, _mm512_set1_ps(tile.reach[r]));
      const __m512 value = _mm512_fmadd_ps(load16(sums.values + r * kFilterColumns + c), scale, reach);
      const uint64_t pass = _mm512_cmp_ps_mask(value, _mm512_set1_ps(tile.limit[r]), _CMP_NLT_UQ);
      masks[r] |= pass << c;
      any |= pass;
    }
  }
  return any != 0;
}
UIR_FILTER(float32_avx512, UIR_AVX512, float, (sum_float32<16, 4>(tile, sums, SumsOf<4>())), compare_avx512)

// int8: rows are unsigned, q + L, as the instructions want one side; the sums start at −L·Σ q_y to make up
// for it.
constexpr int kVnniLevels = 127;
template <size_t... I>
UIR_AVX512_VNNI UIR_INLINE void sum_avx512_vnni(const FilterTile& tile, TileSums<int32_t>& out,
                                                std::index_sequence<I...>) {
  __m512i sums[] = {_mm512_loadu_si512(tile.start + I % 4 * 16)...};
  const uint32_t* columns = tile.columns;
  const uint32_t* rows = tile.rows;
  for (int64_t k = 0; k < tile.steps; ++k, columns += kFilterColumns, rows += kFilterRows) {
    const __m512i column[4] = {_mm512_load_si512(columns), _mm512_load_si512(columns + 16),
                               _mm512_load_si512(columns + 32), _mm512_load_si512(columns + 48)};
    ((sums[I] =
          _mm512_dpbusd_epi32(sums[I], _mm512_set1_epi32(static_cast<int>(rows[I / 4])), column[I % 4])),
     ...);
  }
  (_mm512_store_si512(out.values + I * 16, sums[I]), ...);
}
UIR_FILTER(int8_avx512_vnni, UIR_AVX512_VNNI, int32_t, sum_avx512_vnni(tile, sums, SumsOf<4>()),
           compare_avx512)

UIR_AVX2 UIR_INLINE __m256i load8(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
UIR_AVX2 UIR_INLINE void store8(int32_t* to, __m256i values) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), values);
}

// The same with registers of 8 columns, 16 at a time.
template <size_t... I>
UIR_AVX_VNNI UIR_INLINE void sum_avx_vnni(const FilterTile& tile, TileSums<int32_t>& out,
                                          std::index_sequence<I...>) {
  for (int64_t first = 0; first < kFilterColumns; first += 16) {
    __m256i sums[] = {load8(tile.start + first + I % 2 * 8)...};
    const uint32_t* columns = tile.columns + first;
    const uint32_t* rows = tile.rows;
    for (int64_t k = 0; k < tile.steps; ++k, columns += kFilterColumns, rows += kFilterRows) {
      const __m256i column[2] = {load8(columns), load8(columns + 8)};
      ((sums[I] = _mm256_dpbusd_avx_epi32(sums[I], _mm256_set1_epi32(static_cast<int>(rows[I / 2])),
                                          column[I % 2])),
       ...);
    }
    (store8(out.values + I / 2 * kFilterColumns + first + I % 2 * 8, sums[I]), ...);
  }
}
UIR_FILTER(int8_avx_vnni, UIR_AVX_VNNI, int32_t, sum_avx_vnni(tile, sums, SumsOf<2>()), compare<8>)

// Without dot products of int8: vpmaddubsw sums two products to 16 bits, and four of its results still fit
// them where q is at most 45: 4·2·(2·45)·45 = 32400 < 2¹⁵. So one vpmaddwd in four steps widens the sums to
// 32 bits.
constexpr int kAvx2Levels = 45;
static_assert(kFilterSteps * 2 * (2 * kAvx2Levels) * kAvx2Levels < 1 << 15);
// Not inlined, so that the 32-bit sums stay in memory and the columns in registers, not the other way round.
UIR_AVX2 UIR_KERNEL void sum_avx2(const FilterTile& tile, TileSums<int32_t>& out) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t first = 0; first < kFilterColumns; first += 16) {
    int32_t* const sums = out.values + first;
    for (int64_t r = 0; r < kFilterRows; ++r) std::memcpy(sums + r * kFilterColumns, tile.start + first, 64);
    const uint32_t* columns = tile.columns + first;
    const uint32_t* rows = tile.rows;
    for (int64_t k = 0; k < tile.steps; k += kFilterSteps) {
      __m256i column[kFilterSteps][2];
#pragma GCC unroll 4
      for (int j = 0; j < kFilterSteps; ++j) {
        column[j][0] = load8(columns + j * kFilterColumns);
        column[j][1] = load8(columns + j * kFilterColumns + 8);
      }
#pragma GCC unroll 6
      for (int r = 0; r < kFilterRows; ++r) {
        __m256i words[2] = {};
#pragma GCC unroll 4
        for (int j = 0; j < kFilterSteps; ++j) {
          const __m256i row = _mm256_set1_epi32(static_cast<int>(rows[j * kFilterRows + r]));
          words[0] = _mm256_add_epi16(words[0], _mm256_maddubs_epi16(row, column[j][0]));
          words[1] = _mm256_add_epi16(words[1], _mm256_maddubs_epi16(row, column[j][1]));
        }
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
          int32_t* const sum = sums + r * kFilterColumns + v * 8;
          store8(sum, _mm256_add_epi32(load8(sum), _mm256_madd_epi16(words[v], ones)));
        }
      }
      columns += kFilterSteps * kFilterColumns;
      rows += kFilterSteps * kFilterRows;
    }
  }
}
UIR_FILTER(int8_avx2, UIR_AVX2, int32_t, sum_avx2(tile, sums), compare<8>)

#undef UIR_AVX2
#undef UIR_AVX_VNNI
#undef UIR_AVX512
#undef UIR_AVX512_VNNI
#endif
#undef UIR_FILTER
#undef UIR_KERNEL
#undef UIR_INLINE

#ifdef __x86_64__
// Clang 14 has no name for it in __builtin_cpu_supports.
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1) != 0;
}
#endif

}  // namespace

std::vector<FilterKernel> filter_kernels() {
  std::vector<FilterKernel> kernels;
#ifdef __x86_64__
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f");
  if (avx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni"))
    kernels.push_back({"int8 avx512_vnni", kVnniLevels, filter_int8_avx512_vnni});
  if (avx2 && has_avx_vnni()) kernels.push_back({"int8 avx_vnni", kVnniLevels, filter_int8_avx_vnni});
  if (avx2) kernels.push_back({"int8 avx2", kAvx2Levels, filter_int8_avx2});
  if (avx512) kernels.push_back({"float32 avx512f", 0, filter_float32_avx512});
  if (avx2) kernels.push_back({"float32 avx2", 0, filter_float32_avx2});
#endif
  kernels.push_back({"float32 portable", 0, filter_float32_portable});
  return kernels;
}

}  // namespace uir
