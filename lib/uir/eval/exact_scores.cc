#include "uir/eval/exact_scores.h"

#include <algorithm>
#include <cstring>

namespace uir {
namespace {

constexpr int kGroup = 4;                              // rows that the kernel takes at once
constexpr int64_t kStrip = 16 * ScoreColumns::kWidth;  // columns of one piece
constexpr int kHalves = static_cast<int>(ScoreColumns::kWidth) / 8;

// GCC's and Clang's portable vectors: compiled to whatever the target has.
typedef float Float8 __attribute__((vector_size(32)));
typedef double Double8 __attribute__((vector_size(64)));

// scores[r · stride + c] = Σ_d rows[d · kGroup + r] · panel[d · kWidth + c], d ascending. kRows of the group's rows
// at a time, as many as the registers hold.
template <int kRows>
inline __attribute__((always_inline)) void score_group(const double* rows, const float* panel, int64_t dim,
                                                       double* scores, int64_t stride) {
  for (int first = 0; first < kGroup; first += kRows) {
    Double8 sums[kRows][kHalves] = {};
    for (int64_t d = 0; d < dim; ++d) {
      for (int half = 0; half < kHalves; ++half) {
        Float8 narrow;
        std::memcpy(&narrow, panel + d * ScoreColumns::kWidth + 8 * half, sizeof narrow);
        const Double8 column = __builtin_convertvector(narrow, Double8);
        for (int r = 0; r < kRows; ++r) sums[r][half] += column * rows[d * kGroup + first + r];
      }
    }
    for (int r = 0; r < kRows; ++r) std::memcpy(scores + (first + r) * stride, sums[r], sizeof sums[r]);
  }
}

void score_group_portable(const double* rows, const float* panel, int64_t dim, double* scores,
                          int64_t stride) {
  score_group<1>(rows, panel, dim, scores, stride);
}

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) void score_group_avx2(const double* rows, const float* panel, int64_t dim,
                                                          double* scores, int64_t stride) {
  score_group<2>(rows, panel, dim, scores, stride);
}

__attribute__((target("avx512f,prefer-vector-width=512"))) void score_group_avx512(
    const double* rows, const float* panel, int64_t dim, double* scores, int64_t stride) {
  score_group<4>(rows, panel, dim, scores, stride);
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
