// Exact scores of blocks of canonical vectors: float64, summed in index order, bit for bit those of score().
//
// No library product keeps to one order of summation, and reports must not depend on the machine or the
// number of threads, so this is a small kernel of our own: many pairs side by side, each summed in index
// order, in the widest vectors that the processor has (chosen at run time).
// Vectors are canonical (canonical.h), rows and columns of one dimension. Cost: 2·D operations per pair in
// float64; the columns are copied once into the kernel's layout, 4 bytes per value. Errors: none.
// Threads: visit_scores() may run at once on the same columns.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "uir/base/parallel.h"
#include "uir/store/embedding_store.h"

namespace uir {

// The columns of a score matrix in the layout that the kernel reads: panels of kWidth vectors, transposed.
class ScoreColumns {
 public:
  static constexpr int64_t kWidth = 16;
  explicit ScoreColumns(MatrixView vectors);
  int64_t size() const { return size_; }
  int64_t dim() const { return dim_; }
  int64_t num_panels() const { return (size_ + kWidth - 1) / kWidth; }
  const float* panel(int64_t p) const { return values_.data() + p * kWidth * dim_; }

 private:
  int64_t size_, dim_;
  std::vector<float> values_;
};

// The innermost loop, for kKernelRows rows and one panel:
//   scores[r · stride + c] = Σ_d rows[d · kKernelRows + r] · panel[d · kWidth + c]
inline constexpr int64_t kKernelRows = 8;
struct ScoreKernel {
  std::string_view instructions;
  void (*run)(const double* rows, const float* panel, int64_t dim, double* scores, int64_t stride);
};
// Those that this processor can run, fastest first; visit_scores uses the first, and all give the same bits.
std::vector<ScoreKernel> score_kernels();

// Scores of one row with kSpread vectors that lie anywhere: out[k] = Σ_d row[d] · vectors[k][d].
struct SpreadKernel {
  std::string_view instructions;
  void (*run)(const float* row, const float* const* vectors, int64_t dim, double* out);
};
inline constexpr int64_t kSpread = 8;
std::vector<SpreadKernel> spread_kernels();  // as score_kernels()

// Takes a piece of one row of the score matrix: columns first_column, first_column + 1, …
using ScoreVisitor = std::function<void(int64_t row, int64_t first_column, std::span<const double> scores)>;

inline constexpr int64_t kScoreRows = 64;  // a good number of rows per call

// Visits the scores of rows [begin, end) with all columns >= first_column, and some before it (at most
// kWidth − 1, whose pieces then start earlier). Pieces of one row come in column order. One thread; memory:
// 8 bytes per value of these rows, and 256 scores of each.
void visit_scores(MatrixView rows, int64_t begin, int64_t end, const ScoreColumns& columns,
                  int64_t first_column, const ScoreVisitor& visit);

// Calls body(state, begin, end) for blocks of [0, n) on `threads` threads; each thread starts from a copy of
// `empty`, and merge(state) is called once for each, one at a time.
template <class State, class Body, class Merge>
void reduce_blocks(int64_t n, int64_t block, int threads, const State& empty, Body&& body, Merge&& merge) {
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  const int workers = resolve_threads(threads);
  parallel_blocks(workers, 1, workers, [&](int64_t, int64_t) {
    State state = empty;
    for (int64_t begin; (begin = next.fetch_add(block)) < n;) body(state, begin, std::min(n, begin + block));
    std::lock_guard lock(mutex);
    merge(state);
  });
}

}  // namespace uir
