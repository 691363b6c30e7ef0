#include "uir/search/exact_scores.h"

#include <algorithm>
#include <cstring>

namespace uir {
namespace {

constexpr int64_t kGroup = 4;                          // rows that the kernel takes at once
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
      for (int r = 0; r < kRows; ++r) sums[r][c] += column * rows[d * kGroup + r];
    }
  }
  for (int r = 0; r < kRows; ++r) std::memcpy(scores + r * stride, sums[r], sizeof sums[r]);
}

template <int kLanes, int kRows, int kColumns>
inline __attribute__((always_inline)) void score_group(const double* rows, const float* panel, int64_t dim,
                                                       double* scores, int64_t stride) {
  for (int64_t r = 0; r < kGroup; r += kRows) {
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

__attribute__((target("avx512f"))) void score_group_avx512(const double* rows, const float* panel,
                                                           int64_t dim, double* scores, int64_t stride) {
  score_group<8, 4, 2>(rows, panel, dim, scores, stride);
}
#endif

// Rows [begin, end) in float64, groups of kGroup transposed, filled up with zeros.
std::vector<double> pack_rows(MatrixView rows, int64_t begin, int64_t end) {
  const int64_t groups = (end - begin + kGroup - 1) / kGroup;
  std::vector<double> packed(static_cast<size_t>(groups * kGroup * rows.cols), 0.0);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t group = (i - begin) / kGroup, r = (i - begin) % kGroup;
    double* out = packed.data() + group * kGroup * rows.cols + r;
    for (int64_t d = 0; d < rows.cols; ++d) out[d * kGroup] = rows.row(i)[d];
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
  const int64_t groups = (end - begin + kGroup - 1) / kGroup;
  std::vector<double> scores(static_cast<size_t>(groups * kGroup * kStrip));
  for (int64_t strip = first_column / kWidth * kWidth; strip < columns.size(); strip += kStrip) {
    const int64_t strip_end = std::min(strip + kStrip, columns.size());
    for (int64_t column = strip; column < strip_end; column += kWidth) {
      for (int64_t g = 0; g < groups; ++g) {
        kernel(packed.data() + g * kGroup * rows.cols, columns.panel(column / kWidth), rows.cols,
               scores.data() + g * kGroup * kStrip + (column - strip), kStrip);
      }
    }
    for (int64_t i = begin; i < end; ++i) {
      visit(i, strip, {scores.data() + (i - begin) * kStrip, static_cast<size_t>(strip_end - strip)});
    }
  }
}

}  // namespace uir
