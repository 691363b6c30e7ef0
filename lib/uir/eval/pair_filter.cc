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

// Stores the masks of a tile whose compared values are in `passes` (any integer but 0: the pair passes).
template <class Int>
bool store_masks(const Int (&passes)[kFilterRows][kFilterColumns], FilterMasks& masks) {
  for (int64_t r = 0; r < kFilterRows; ++r) {
    masks[r] = 0;
    for (int64_t c = 0; c < kFilterColumns; ++c) masks[r] |= uint64_t{passes[r][c] != 0} << c;
  }
  return true;
}

// float32 in GCC's and Clang's portable vectors: kVectors of kLanes columns at a time, as the registers allow.
template <int kLanes, int kVectors>
inline __attribute__((always_inline)) bool filter_float32(const FilterTile& tile, FilterMasks& masks) {
  using Float [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  using Int [[gnu::vector_size(kLanes * sizeof(float))]] = int32_t;
  alignas(64) int32_t passes[kFilterRows][kFilterColumns];
  Int any = {};
  for (int64_t first = 0; first < kFilterColumns; first += kLanes * kVectors) {
    Float sums[kFilterRows][kVectors] = {};
    const uint32_t* columns = tile.columns + first;
    const uint32_t* rows = tile.rows;
    for (int64_t k = 0; k < tile.steps; ++k, columns += kFilterColumns, rows += kFilterRows) {
      Float column[kVectors];
      std::memcpy(column, columns, sizeof column);
#pragma GCC unroll 8
      for (int64_t r = 0; r < kFilterRows; ++r) {
        const float row = std::bit_cast<float>(rows[r]);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sums[r][v] += column[v] * row;
      }
    }
    for (int v = 0; v < kVectors; ++v) {
      Float scale, error;
      std::memcpy(&scale, tile.scale + first + v * kLanes, sizeof scale);
      std::memcpy(&error, tile.error + first + v * kLanes, sizeof error);
      for (int64_t r = 0; r < kFilterRows; ++r) {
        const Int pass = ~(sums[r][v] * scale + error * tile.reach[r] < tile.limit[r]);
        any |= pass;
        std::memcpy(&passes[r][first + v * kLanes], &pass, sizeof pass);
      }
    }
  }
  int32_t lanes[kLanes], found = 0;
  std::memcpy(lanes, &any, sizeof any);
  for (int32_t lane : lanes) found |= lane;
  return found != 0 && store_masks(passes, masks);
}

bool filter_float32_portable(const FilterTile& tile, FilterMasks& masks) {
  return filter_float32<4, 2>(tile, masks);
}

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) bool filter_float32_avx2(const FilterTile& tile, FilterMasks& masks) {
  return filter_float32<8, 2>(tile, masks);
}

__attribute__((target("avx512f"))) bool filter_float32_avx512(const FilterTile& tile, FilterMasks& masks) {
  return filter_float32<16, 4>(tile, masks);
}

// Rows are unsigned (q + 128), as vpdpbusd wants one side; the sums start at −128·Σ q_y to make up for it.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) bool filter_int8_vnni(const FilterTile& tile,
                                                                                      FilterMasks& masks) {
  constexpr int kVectors = 4;
  __m512i sums[kFilterRows][kVectors];
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const __m512i start = _mm512_loadu_si512(tile.start + v * 16);
#pragma GCC unroll 6
    for (int64_t r = 0; r < kFilterRows; ++r) sums[r][v] = start;
  }
  const uint32_t* columns = tile.columns;
  const uint32_t* rows = tile.rows;
  for (int64_t k = 0; k < tile.steps; ++k, columns += kFilterColumns, rows += kFilterRows) {
    __m512i column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) column[v] = _mm512_load_si512(columns + v * 16);
#pragma GCC unroll 6
    for (int64_t r = 0; r < kFilterRows; ++r) {
      const __m512i row = _mm512_set1_epi32(static_cast<int>(rows[r]));
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = _mm512_dpbusd_epi32(sums[r][v], row, column[v]);
    }
  }
  uint64_t any = 0;
  masks = {};
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    const __m512 scale = _mm512_loadu_ps(tile.scale + v * 16), error = _mm512_loadu_ps(tile.error + v * 16);
#pragma GCC unroll 6
    for (int64_t r = 0; r < kFilterRows; ++r) {
      const __m512 reach = _mm512_mul_ps(error, _mm512_set1_ps(tile.reach[r]));
      const __m512 sum = (__m512) __builtin_convertvector((__v16si)sums[r][v], __v16sf);
      const __m512 value = _mm512_fmadd_ps(sum, scale, reach);
      const uint64_t pass = _mm512_cmp_ps_mask(value, _mm512_set1_ps(tile.limit[r]), _CMP_NLT_UQ);
      masks[r] |= pass << (16 * v);
      any |= pass;
    }
  }
  return any != 0;
}
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
