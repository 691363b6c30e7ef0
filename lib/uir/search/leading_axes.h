// A first look at pairs of unit vectors, in front of the filter (pair_filter.h): by the principal axes of
// face embeddings most of a vector lies in few coordinates, and the length of the rest bounds what the rest
// can add.
//
// Rows of P [k, D] are axes. With a = P x, rounded to float32, and the rest's length r = ‖x − Pᵀa‖, Cauchy
// and Schwarz give
//   x·y <= a·b + r_x·r_y + slack.
// So the filter may look at leading vectors (a, r/2, r/2, r/2, r/2) of k + 4 values with a threshold that is
// lower by the slack: what it leaves out scores less. (One value r would set the scale of int8.)
// slack: let ε = ‖PPᵀ − 1‖ (Frobenius, of the axes as they are stored) and η what rounding changes a by. Then
//   x·y = aᵀPPᵀb + a·P(y − Pᵀb) + b·P(x − Pᵀa) + (x − Pᵀa)·(y − Pᵀb), and ‖P(x − Pᵀa)‖ <= η + ε‖a‖,
// so for lengths of 1 slack = 3ε + 2η suffices, and r² <= ‖x‖² − ‖a‖² + 2η + ε. Nothing depends on how good
// the axes are but the time.
//
// Whether a look pays is measured: the filter itself says of a sample of tiles from which threshold on it
// leaves them out. Cost of making: some 2 D² (2048 + 4 k) operations in float64 and a sample of tiles.
// Memory: 4 k D bytes; while they are made 12 D² more, for which vectors of more than 2048 values get none.
// Threads: const functions may run at once. Errors: none; rows without a direction as UnitRows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "uir/search/filtered_rows.h"

namespace uir {

class LeadingAxes {
 public:
  // Of the matrix's own vectors. Null where no look would pay: few pairs, short vectors or very long ones, a
  // filter in float32.
  static std::unique_ptr<LeadingAxes> find(const ScoreMatrix& matrix, const FilterKernel& kernel);
  // Always looks with leading vectors of so many values, less than the dimension. For tests.
  static std::unique_ptr<LeadingAxes> forced(const ScoreMatrix& matrix, const FilterKernel& kernel,
                                             int64_t size);

  // The number of values with which a scan of so many rows and columns is cheapest at these thresholds; 0:
  // without a look.
  int64_t best_size(std::span<const double> thresholds, int64_t rows, int64_t columns) const;
  double slack(int64_t size) const;
  // [n, size]: the leading vectors of unit vectors [n, D].
  std::vector<float> vectors(MatrixView unit, int64_t size) const;

 private:
  // One number of values to look at.
  struct Look {
    int64_t size = 0;
    double epsilon = 0;
    std::vector<double> levels;  // ascending: the threshold from which on a tile of the sample is left out
  };
  LeadingAxes(const ScoreMatrix& matrix, const FilterKernel& kernel, std::span<const int64_t> sizes);
  bool usable() const { return !looks_.empty(); }
  const Look& look(int64_t size) const;
  std::vector<double> levels_of_tiles(const ScoreMatrix& matrix, const FilterKernel& kernel,
                                      const Look& look) const;

  int64_t dim_ = 0;
  bool forced_ = false;
  std::vector<float> axes_;  // [axes, D], by falling variance
  std::vector<Look> looks_;
};

}  // namespace uir
