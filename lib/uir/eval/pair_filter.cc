#include "uir/eval/pair_filter.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "uir/base/error.h"

namespace uir {
namespace {

constexpr double kUnitRoundoff = 0x1p-24;  // of float32
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float rounded_up(double x) {
  const auto nearest = static_cast<float>(x);
  return double{nearest} < x ? std::nextafter(nearest, kInfinity) : nearest;
}
// Below x by about 2^-22 of it; cheaper than the next smaller number, and called for every row of every tile.
float safely_below(double x) {
  const auto nearest = static_cast<float>(x);
  return nearest == kInfinity ? nearest : nearest - (std::abs(nearest) * 0x1p-22F + FLT_MIN);
}

// An upper bound of the root of a sum of up to kMaxDim squares that was added in float64.
float norm_bound(double squares) { return rounded_up(std::sqrt(squares) * (1 + 1e-10)); }

// What the kernel's own arithmetic and the exact score's may be off by, as a share of (‖x‖ + e_x)·(‖y‖ + e_y): the
// sum's conversion to float32, its product with s_y, and e_y·reach with its addition, each one rounding of terms that
// are at most twice that; the reach and the limit are rounded to the safe side.
double rounding_share(bool int8, int64_t dim) {
  const double d = static_cast<double>(dim);
  const double product = int8 ? 0 : d * kUnitRoundoff / (1 - d * kUnitRoundoff);
  return product + 8 * kUnitRoundoff + d * 0x1p-52;
}

// GCC's and Clang's portable vectors, of as many lanes as the target's registers have.
template <int kLanes>
struct Vectors {
  using Float [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  using Int [[gnu::vector_size(kLanes * sizeof(float))]] = int32_t;
};

template <class Vector>
inline __attribute__((always_inline)) void load(const void* from, Vector& vector) {
  std::memcpy(&vector, from, sizeof vector);
}

template <class Value>
struct alignas(64) TileSums {
  Value values[kFilterRows * kFilterColumns];
};

// Two things keep the sums of both kernels in registers, where GCC would write each of them to memory in every step:
// arrays that are indexed by constants only (I... counts through them) instead of unrolled loops, and a comparison
// that is not inlined behind the loop, since its constants and the sums are more than there are registers.
//
// float32: kVectors registers of columns at a time.
template <int kLanes, int kVectors, size_t... I>
inline __attribute__((always_inline)) void sum_float32(const FilterTile& tile, TileSums<float>& out,
                                                       std::index_sequence<I...>) {
  using Float = typename Vectors<kLanes>::Float;
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

template <int kLanes>
inline __attribute__((always_inline)) bool compare_float32(const FilterTile& tile,
                                                           const TileSums<float>& sums, FilterMasks& masks) {
  using Float = typename Vectors<kLanes>::Float;
  using Int = typename Vectors<kLanes>::Int;
  alignas(64) Int passes[kFilterRows][kFilterColumns / kLanes];
  Int any = {};
  for (int64_t r = 0; r < kFilterRows; ++r) {
    for (int64_t v = 0; v < kFilterColumns / kLanes; ++v) {
      Float sum, scale, error;
      load(sums.values + r * kFilterColumns + v * kLanes, sum);
      load(tile.scale + v * kLanes, scale);
      load(tile.error + v * kLanes, error);
      passes[r][v] = ~(sum * scale + error * tile.reach[r] < tile.limit[r]);
      any |= passes[r][v];
    }
  }
  int32_t found = 0;
  for (int lane = 0; lane < kLanes; ++lane) found |= any[lane];
  if (found == 0) return false;
  for (int64_t r = 0; r < kFilterRows; ++r) {
    masks[r] = 0;
    for (int64_t c = 0; c < kFilterColumns; ++c)
      masks[r] |= uint64_t{passes[r][c / kLanes][c % kLanes] != 0} << c;
  }
  return true;
}

template <int kVectors>
using SumsOf = std::make_index_sequence<kFilterRows * kVectors>;

// The kernel filter_float32_<name> of a target, of kLanes lanes and kVectors registers of columns.
#define UIR_FLOAT32_FILTER(name, target, kLanes, kVectors)                        \
  target __attribute__((noinline)) bool compare_float32_##name(                   \
      const FilterTile& tile, const TileSums<float>& sums, FilterMasks& masks) {  \
    return compare_float32<kLanes>(tile, sums, masks);                            \
  }                                                                               \
  target bool filter_float32_##name(const FilterTile& tile, FilterMasks& masks) { \
    TileSums<float> sums;                                                         \
    sum_float32<kLanes, kVectors>(tile, sums, SumsOf<kVectors>());                \
    return compare_float32_##name(tile, sums, masks);                             \
  }
UIR_FLOAT32_FILTER(portable, , 4, 2)
#ifdef __x86_64__
UIR_FLOAT32_FILTER(avx2, __attribute__((target("avx2,fma"))), 8, 2)
UIR_FLOAT32_FILTER(avx512, __attribute__((target("avx512f"))), 16, 4)
#endif
#undef UIR_FLOAT32_FILTER

#ifdef __x86_64__
#define UIR_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

// Rows are unsigned (q + 128), as vpdpbusd wants one side; the sums start at −128·Σ q_y to make up for it.
template <size_t... I>
UIR_VNNI inline __attribute__((always_inline)) void sum_int8(const FilterTile& tile, TileSums<int32_t>& out,
                                                             std::index_sequence<I...>) {
  __m512i sums[sizeof...(I)];
  ((sums[I] = _mm512_loadu_si512(tile.start + I % 4 * 16)), ...);
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

UIR_VNNI __attribute__((noinline)) bool compare_int8(const FilterTile& tile, const TileSums<int32_t>& sums,
                                                     FilterMasks& masks) {
  masks = {};
  uint64_t any = 0;
  for (int64_t c = 0; c < kFilterColumns; c += 16) {
    const __m512 scale = _mm512_loadu_ps(tile.scale + c), error = _mm512_loadu_ps(tile.error + c);
    for (int64_t r = 0; r < kFilterRows; ++r) {
      const __m512i sum = _mm512_load_si512(sums.values + r * kFilterColumns + c);
      const __m512 reach = _mm512_mul_ps(error, _mm512_set1_ps(tile.reach[r]));
      const __m512 value =
          _mm512_fmadd_ps((__m512) __builtin_convertvector((__v16si)sum, __v16sf), scale, reach);
      const uint64_t pass = _mm512_cmp_ps_mask(value, _mm512_set1_ps(tile.limit[r]), _CMP_NLT_UQ);
      masks[r] |= pass << c;
      any |= pass;
    }
  }
  return any != 0;
}

UIR_VNNI bool filter_int8_vnni(const FilterTile& tile, FilterMasks& masks) {
  TileSums<int32_t> sums;
  sum_int8(tile, sums, SumsOf<4>());
  return compare_int8(tile, sums, masks);
}
#undef UIR_VNNI
#endif

}  // namespace

std::vector<FilterKernel> filter_kernels() {
  std::vector<FilterKernel> kernels;
#ifdef __x86_64__
  const bool avx512 = __builtin_cpu_supports("avx512f");
  if (avx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512vnni"))
    kernels.push_back({"int8 avx512_vnni", true, filter_int8_vnni});
  if (avx512) kernels.push_back({"float32 avx512f", false, filter_float32_avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kernels.push_back({"float32 avx2", false, filter_float32_avx2});
#endif
  kernels.push_back({"float32 portable", false, filter_float32_portable});
  return kernels;
}

FilterVectors::FilterVectors(const FilterKernel& kernel, Side side, int64_t size, int64_t dim)
    : int8_(kernel.int8),
      side_(side),
      size_(size),
      dim_(dim),
      width_(side == Side::kRows ? kFilterRows : kFilterColumns),
      steps_(int8_ ? (dim + 3) / 4 : dim) {
  ensure(dim <= kMaxDim, "the filter's sums fit 32 bits");
  const auto padded = static_cast<size_t>(num_groups() * width_);
  lines_.resize((padded * static_cast<size_t>(steps_) + 15) / 16);
  scale_.assign(padded, 1);
  error_.assign(padded, 0);
  norm_.assign(padded, 0);
  reach_.assign(padded, 0);
  if (side == Side::kColumns) {
    group_error_.assign(static_cast<size_t>(num_groups()), 0);
    group_norm_.assign(static_cast<size_t>(num_groups()), 0);
  }
  start_.assign(padded, 0);
}

int64_t FilterVectors::bytes() const {
  return static_cast<int64_t>(lines_.size() * sizeof(Line) + scale_.size() * 20);
}

void FilterVectors::set(int64_t i, std::span<const float> vector) {
  uint32_t* out = lines_.data()->words + i / width_ * width_ * steps_ + i % width_;
  double squares = 0;
  for (float x : vector) squares += double{x} * double{x};
  norm_[i] = norm_bound(squares);
  int8_ ? set_int8(vector, i, out) : set_float32(vector, out);
  reach_[i] = rounded_up((double{norm_[i]} + error_[i]) / scale_[i]);
  if (side_ == Side::kRows) return;
  group_error_[i / width_] = std::max(group_error_[i / width_], error_[i]);
  group_norm_[i / width_] = std::max(group_norm_[i / width_], norm_[i]);
}

void FilterVectors::set_float32(std::span<const float> vector, uint32_t* out) {
  for (int64_t d = 0; d < dim_; ++d) out[d * width_] = std::bit_cast<uint32_t>(vector[d]);
}

void FilterVectors::set_int8(std::span<const float> vector, int64_t i, uint32_t* out) {
  float largest = 0;
  for (float x : vector) largest = std::max(largest, std::abs(x));
  const float scale = std::max(largest / 127, FLT_MIN), inverse = 1 / scale;
  const int offset = side_ == Side::kRows ? 128 : 0;
  double squares = 0;
  int32_t sum = 0;
  for (int64_t d = 0; d < steps_ * 4; d += 4) {
    uint32_t word = 0;
    for (int64_t k = 0; k < 4; ++k) {
      const float x = d + k < dim_ ? vector[d + k] : 0;
      // Adding 1.5 · 2^23 leaves the nearest whole number in the last bits.
      constexpr float kRound = 12582912;
      const int rounded = static_cast<int>((x * inverse + kRound) - kRound);
      const int q = std::clamp(rounded, -127, 127);
      const double residual = double{x} - double{scale} * q;
      squares += residual * residual;
      sum += q;
      word |= static_cast<uint32_t>((q + offset) & 0xff) << (8 * k);
    }
    out[d / 4 * width_] = word;
  }
  scale_[i] = scale;
  error_[i] = norm_bound(squares);
  start_[i] = -128 * sum;
}

bool filter_tile(const FilterKernel& kernel, const FilterVectors& rows, int64_t row_group,
                 const FilterVectors& columns, int64_t panel, std::span<const double> thresholds,
                 FilterMasks& masks) {
  const int64_t first_row = row_group * kFilterRows, first_column = panel * kFilterColumns;
  const double norm = columns.group_norm_[panel], error = columns.group_error_[panel];
  const double rounding = rounding_share(rows.int8_, rows.dim_) * (norm + error);

  FilterTile tile{rows.group(row_group),
                  columns.group(panel),
                  rows.steps_,
                  columns.start_.data() + first_column,
                  columns.scale_.data() + first_column,
                  columns.error_.data() + first_column,
                  {},
                  {}};
  for (int64_t r = 0; r < kFilterRows; ++r) {
    const int64_t i = first_row + r;
    const double inverse = 1 / double{rows.scale_[i]}, length = double{rows.norm_[i]} + rows.error_[i];
    const double least = (thresholds[r] - rows.error_[i] * norm - rounding * length) * inverse;
    tile.limit[r] = i < rows.size_ ? safely_below(least) : kInfinity;
    tile.reach[r] = rows.reach_[i];
  }
  if (!kernel.run(tile, masks)) return false;

  const int64_t filled = std::min(kFilterColumns, columns.size_ - first_column);
  const uint64_t exist = filled == 64 ? ~uint64_t{0} : (uint64_t{1} << filled) - 1;
  uint64_t any = 0;
  for (uint64_t& mask : masks) any |= mask &= exist;
  return any != 0;
}

double filter_bound(const FilterKernel& kernel, const FilterVectors& rows, int64_t row,
                    const FilterVectors& columns, int64_t column) {
  const double e_x = rows.error_[row], e_y = columns.error_[column];
  const double n_x = rows.norm_[row], n_y = columns.norm_[column];
  return e_x * n_y + (n_x + e_x) * e_y + rounding_share(kernel.int8, rows.dim_) * (n_x + e_x) * (n_y + e_y);
}

}  // namespace uir
