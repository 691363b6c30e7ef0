#include "uir/search/exact_scores.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstring>

namespace uir {
namespace {

constexpr int64_t kStrip = 16 * ScoreColumns::kWidth;  // columns of one piece

// GCC's and Clang's portable vectors, of as many lanes as the target's registers have.
template <int kLanes>
struct Vectors {
  using Float [[gnu::vector_size(kLanes * sizeof(float))]] = float;
  using Double [[gnu::vector_size(kLanes * sizeof(double))]] = double;
};

// kRows rows of the group with kColumns vectors of columns: as many sums as the registers hold. Products of
// two float32 are exact in float64, so kernels with and without fused multiply-add give the same bits.
template <int kLanes, int kRows, int kColumns>
inline __attribute__((always_inline)) void score_piece(const double* rows, const float* panel, int64_t dim,
                                                       double* scores, int64_t stride) {
  using Float = typename Vectors<kLanes>::Float;
  using Double = typename Vectors<kLanes>::Double;
  Double sums[kRows][kColumns] = {};
  for (int64_t d = 0; d < dim; ++d) {
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) {
      Float narrow;
      std::memcpy(&narrow, panel + d * ScoreColumns::kWidth + int64_t{c} * kLanes, sizeof narrow);
      const Double column = __builtin_convertvector(narrow, Double);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sums[r][c] += column * rows[d * kKernelRows + r];
    }
  }
  for (int r = 0; r < kRows; ++r) std::memcpy(scores + r * stride, sums[r], sizeof sums[r]);
}

template <int kLanes, int kRows, int kColumns>
inline __attribute__((always_inline)) void score_group(const double* rows, const float* panel, int64_t dim,
                                                       double* scores, int64_t stride) {
  for (int64_t r = 0; r < kKernelRows; r += kRows) {
    for (int64_t c = 0; c < ScoreColumns::kWidth; c += int64_t{kLanes} * kColumns) {
      score_piece<kLanes, kRows, kColumns>(rows + r, panel + c, dim, scores + r * stride + c, stride);
    }
  }
}

void score_group_portable(const double* rows, const float* panel, int64_t dim, double* scores,
                          int64_t stride) {
  score_group<2, 4, 2>(rows, panel, dim, scores, stride);
}

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) void score_group_avx2(const double* rows, const float* panel, int64_t dim,
                                                          double* scores, int64_t stride) {
  score_group<4, 4, 2>(rows, panel, dim, scores, stride);
}

// By name, since GCC 12 makes five instructions of the portable conversion to 8 lanes; masked, since it warns
// of the other form.
__attribute__((target("avx512f"))) inline __attribute__((always_inline)) __m512d widened(__m256 narrow) {
  return _mm512_maskz_cvtps_pd(0xff, narrow);
}

__attribute__((target("avx512f"))) void score_group_avx512(const double* rows, const float* panel,
                                                           int64_t dim, double* scores, int64_t stride) {
  __m512d sums[kKernelRows][2] = {};
  for (int64_t d = 0; d < dim; ++d) {
    const float* values = panel + d * ScoreColumns::kWidth;
    const __m512d left = widened(_mm256_loadu_ps(values));
    const __m512d right = widened(_mm256_loadu_ps(values + 8));
#pragma GCC unroll 8
    for (int64_t r = 0; r < kKernelRows; ++r) {
      const __m512d row = _mm512_set1_pd(rows[d * kKernelRows + r]);
      sums[r][0] = _mm512_fmadd_pd(left, row, sums[r][0]);
      sums[r][1] = _mm512_fmadd_pd(right, row, sums[r][1]);
    }
  }
  for (int64_t r = 0; r < kKernelRows; ++r) std::memcpy(scores + r * stride, sums[r], sizeof sums[r]);
}
#endif

// --- Vectors that lie anywhere: pieces of them are transposed, so that each lane sums up one vector -------

// The values from `begin` on, one by one.
void add_scores(const float* row, const float* const* vectors, int64_t begin, int64_t dim, double* sums) {
  for (int64_t d = begin; d < dim; ++d) {
#pragma GCC unroll 8
    for (int64_t k = 0; k < kSpread; ++k) sums[k] += double{row[d]} * double{vectors[k][d]};
  }
}

void score_spread_portable(const float* row, const float* const* vectors, int64_t dim, double* out) {
  double sums[kSpread] = {};
  add_scores(row, vectors, 0, dim, sums);
  std::copy_n(sums, kSpread, out);
}

#ifdef __x86_64__
constexpr int64_t kPiece = 4;  // values of each vector

// out[i]: value d + i of all vectors.
__attribute__((target("avx"))) inline __attribute__((always_inline)) void transposed_piece(
    const float* const* vectors, int64_t d, __m256 (&out)[kPiece]) {
  const auto pair = [&](int64_t k) __attribute__((target("avx"), always_inline)) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(vectors[k] + d)),
                                _mm_loadu_ps(vectors[k + 4] + d), 1);
  };
  const __m256 v0 = pair(0), v1 = pair(1), v2 = pair(2), v3 = pair(3);
  const __m256 low01 = _mm256_unpacklo_ps(v0, v1), high01 = _mm256_unpackhi_ps(v0, v1);
  const __m256 low23 = _mm256_unpacklo_ps(v2, v3), high23 = _mm256_unpackhi_ps(v2, v3);
  out[0] = _mm256_shuffle_ps(low01, low23, _MM_SHUFFLE(1, 0, 1, 0));
  out[1] = _mm256_shuffle_ps(low01, low23, _MM_SHUFFLE(3, 2, 3, 2));
  out[2] = _mm256_shuffle_ps(high01, high23, _MM_SHUFFLE(1, 0, 1, 0));
  out[3] = _mm256_shuffle_ps(high01, high23, _MM_SHUFFLE(3, 2, 3, 2));
}

__attribute__((target("avx2,fma"))) void score_spread_avx2(const float* row, const float* const* vectors,
                                                           int64_t dim, double* out) {
  __m256d low = _mm256_setzero_pd(), high = low;
  int64_t d = 0;
  for (; d + kPiece <= dim; d += kPiece) {
    __m256 values[kPiece];
    transposed_piece(vectors, d, values);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kPiece; ++i) {
      const __m256d one = _mm256_set1_pd(row[d + i]);
      low = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(values[i])), one, low);
      high = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(values[i], 1)), one, high);
    }
  }
  _mm256_storeu_pd(out, low);
  _mm256_storeu_pd(out + 4, high);
  add_scores(row, vectors, d, dim, out);
}

__attribute__((target("avx512f"))) void score_spread_avx512(const float* row, const float* const* vectors,
                                                            int64_t dim, double* out) {
  __m512d sums = _mm512_setzero_pd();
  int64_t d = 0;
  for (; d + kPiece <= dim; d += kPiece) {
    __m256 values[kPiece];
    transposed_piece(vectors, d, values);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kPiece; ++i)
      sums = _mm512_fmadd_pd(widened(values[i]), _mm512_set1_pd(row[d + i]), sums);
  }
  _mm512_storeu_pd(out, sums);
  add_scores(row, vectors, d, dim, out);
}
#endif

// Rows [begin, end) in float64, groups of kKernelRows transposed, filled up with zeros.
std::vector<double> pack_rows(MatrixView rows, int64_t begin, int64_t end) {
  const int64_t groups = (end - begin + kKernelRows - 1) / kKernelRows;
  std::vector<double> packed(static_cast<size_t>(groups * kKernelRows * rows.cols), 0.0);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = (i - begin) / kKernelRows, r = (i - begin) % kKernelRows;
    double* out = packed.data() + group * kKernelRows * rows.cols + r;
    for (int64_t d = 0; d < rows.cols; ++d) out[d * kKernelRows] = rows.row(i)[d];
  }
  return packed;
}

}  // namespace

std::vector<ScoreKernel> score_kernels() {
  std::vector<ScoreKernel> kernels;
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) kernels.push_back({"avx512f", score_group_avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kernels.push_back({"avx2", score_group_avx2});
#endif
  kernels.push_back({"portable", score_group_portable});
  return kernels;
}

std::vector<SpreadKernel> spread_kernels() {
  std::vector<SpreadKernel> kernels;
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) kernels.push_back({"avx512f", score_spread_avx512});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kernels.push_back({"avx2", score_spread_avx2});
#endif
  kernels.push_back({"portable", score_spread_portable});
  return kernels;
}

ScoreColumns::ScoreColumns(MatrixView vectors) : size_(vectors.rows), dim_(vectors.cols) {
  values_.resize(static_cast<size_t>(num_panels() * kWidth * dim_));
  for (int64_t i = 0; i < size_; ++i) {
    float* out = values_.data() + i / kWidth * kWidth * dim_ + i % kWidth;
    for (int64_t d = 0; d < dim_; ++d) out[d * kWidth] = vectors.row(i)[d];
  }
}

void visit_scores(MatrixView rows, int64_t begin, int64_t end, const ScoreColumns& columns,
                  int64_t first_column, const ScoreVisitor& visit) {
  static const auto kernel = score_kernels().front().run;
  constexpr int64_t kWidth = ScoreColumns::kWidth;
  const std::vector<double> packed = pack_rows(rows, begin, end);
  const int64_t groups = (end - begin + kKernelRows - 1) / kKernelRows;
  std::vector<double> scores(static_cast<size_t>(groups * kKernelRows * kStrip));
  for (int64_t strip = first_column / kWidth * kWidth; strip < columns.size(); strip += kStrip) {
    const int64_t strip_end = std::min(strip + kStrip, columns.size());
    for (int64_t column = strip; column < strip_end; column += kWidth) {
      for (int64_t g = 0; g < groups; ++g) {
        kernel(packed.data() + g * kKernelRows * rows.cols, columns.panel(column / kWidth), rows.cols,
               scores.data() + g * kKernelRows * kStrip + (column - strip), kStrip);
      }
    }
    for (int64_t i = begin; i < end; ++i) {
      visit(i, strip, {scores.data() + (i - begin) * kStrip, static_cast<size_t>(strip_end - strip)});
    }
  }
}

}  // namespace uir
