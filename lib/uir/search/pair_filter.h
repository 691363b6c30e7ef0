// The filter in front of exact scores: says of tiles of pairs, in low precision and with a proven error
// bound, which of them may score at least a threshold. What it leaves out scores less; what it lets through
// is scored exactly (score(), canonical.h) by the caller. So results do not depend on the kernel, only the
// time does.
//
// Each vector x has a copy x̂ = s·q (int8: q whole numbers in [−L, L], s = max|x| / L; float32: x itself).
// With the measured residual norms e = ‖x − x̂‖, by Cauchy and Schwarz
//   |x·y − x̂·ŷ| <= e_x·‖y‖ + ‖x̂‖·e_y <= e_x·‖y‖ + (‖x‖ + e_x)·e_y
//     (of unit vectors: e_x + e_y + e_x·e_y)
// plus what the kernel rounds: nothing in the int8 product (int32 holds it up to kMaxDim),
// D·2⁻²⁴ / (1 − D·2⁻²⁴) of ‖x‖·‖y‖ in the float32 one (N. J. Higham, Accuracy and Stability of Numerical
// Algorithms, 2002, (3.5), any order), and 8·2⁻²⁴ for the conversion and the comparison.
//
// Own code, because no library compares inside the product (writing 4 bytes per score costs more than the
// int8 product itself), and because what a report says must not depend on a library's kernel choice.
// For finite vectors whose products, and the sums of those, are far from overflow (unit vectors, in the
// library).
// Cost: 2·D operations per pair, at int8's rate where the processor has VNNI (L = 127); with AVX2 alone at
// about three times that of float32 (L = 45: three times the error). Memory: 1 byte (int8) or 4 bytes
// (float32) per value, 20 per vector. Errors: none; a dimension above kMaxDim is kInternal.
// Threads: const functions may run at once, set() for different rows too (of columns: for different panels).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace uir {

// A tile: the pairs whose sums stay in registers, one group of rows with one panel of columns.
inline constexpr int64_t kFilterRows = 6, kFilterColumns = 64;
// A step is one dimension of float32 or four of int8, whose steps are a multiple of this.
inline constexpr int64_t kFilterSteps = 4;
inline constexpr int64_t kMaxDim = 65536;  // 2 · 127 · 127 · D < 2³¹

// What the innermost loop reads and writes: one tile.
struct FilterTile {
  const uint32_t* rows;     // [steps][kFilterRows] words: 4 int8 values, or a float
  const uint32_t* columns;  // [steps][kFilterColumns]
  int64_t steps;
  const int32_t* start;                  // per column: where the int8 sum starts
  const float* scale;                    // per column: s_y
  const float* error;                    // per column: e_y
  std::array<float, kFilterRows> limit;  // a pair passes when Σ·s_y + e_y·reach >= limit (units of s_x)
  std::array<float, kFilterRows> reach;  // (‖x‖ + e_x) / s_x
};
// Bit c of row r: the pair passes.
using FilterMasks = std::array<uint64_t, kFilterRows>;

struct FilterKernel {
  std::string_view name;
  int levels;                                               // L of int8; 0: float32
  bool (*run)(const FilterTile& tile, FilterMasks& masks);  // whether any pair passes; masks are set if so

  bool int8() const { return levels > 0; }
};
// Those that this processor can run, fastest first; never empty.
std::vector<FilterKernel> filter_kernels();

// Vectors in the layout of one side of a kernel's tiles.
class FilterVectors {
 public:
  enum class Side { kRows, kColumns };
  // 1 <= dim <= kMaxDim; the vectors are zero until they are set.
  FilterVectors(const FilterKernel& kernel, Side side, int64_t size, int64_t dim);
  // `vector` has dim values. All must be set once before use; those of one panel of columns by one thread.
  void set(int64_t i, std::span<const float> vector);

  int64_t size() const { return size_; }
  int64_t num_groups() const { return (size_ + width_ - 1) / width_; }  // of kFilterRows or kFilterColumns
  int64_t bytes() const;

 private:
  friend bool filter_tile(const FilterKernel&, const FilterVectors&, int64_t, const FilterVectors&, int64_t,
                          std::span<const double>, FilterMasks&);
  friend double filter_bound(const FilterKernel&, const FilterVectors&, int64_t, const FilterVectors&,
                             int64_t);
  struct alignas(64) Line {
    uint32_t words[16];
  };
  void set_int8(std::span<const float> vector, int64_t i, uint32_t* out);
  void set_float32(std::span<const float> vector, uint32_t* out);
  uint32_t* words() { return reinterpret_cast<uint32_t*>(lines_.data()); }
  const uint32_t* words() const { return reinterpret_cast<const uint32_t*>(lines_.data()); }
  const uint32_t* group(int64_t g) const { return words() + g * width_ * steps_; }

  int levels_;  // of the kernel
  Side side_;
  int64_t size_, dim_, width_, steps_;
  std::vector<Line> lines_;
  std::vector<float> scale_, error_, norm_;      // s; e and ‖x‖, rounded up
  std::vector<float> reach_;                     // (‖x‖ + e) / s, rounded up
  std::vector<float> group_error_, group_norm_;  // columns: the largest of each panel
  std::vector<int32_t> start_;                   // columns: −L·Σ q
};

// Of values [n, dim].
FilterVectors filter_vectors(const FilterKernel& kernel, FilterVectors::Side side,
                             std::span<const float> values, int64_t dim);

// Sets in `masks` the pairs of row group `row_group` and column panel `panel` that may score at least their
// row's threshold (kFilterRows of them; −infinity: all pass, +infinity: none). False: there are none, and
// masks are not to be read. Rows and columns are of this kernel, their side and one dimension.
bool filter_tile(const FilterKernel& kernel, const FilterVectors& rows, int64_t row_group,
                 const FilterVectors& columns, int64_t panel, std::span<const double> thresholds,
                 FilterMasks& masks);

// The bound on |filter's value − exact score| of one pair.
double filter_bound(const FilterKernel& kernel, const FilterVectors& rows, int64_t row,
                    const FilterVectors& columns, int64_t column);

}  // namespace uir
