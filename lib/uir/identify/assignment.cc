#include "uir/identify/assignment.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace uir {
namespace {

// Every row gets a column: rows <= columns. Rows and columns are counted from 1 inside; column 0 is the start
// of a search.
class Matching {
 public:
  Matching(const std::vector<double>& costs, size_t rows, size_t columns)
      : costs_(costs),
        columns_(columns),
        row_of_(columns + 1, 0),
        way_(columns + 1, 0),
        row_potential_(rows + 1, 0),
        column_potential_(columns + 1, 0) {
    for (size_t row = 1; row <= rows; ++row) insert(row);
  }

  std::vector<size_t> column_of(size_t rows) const {
    std::vector<size_t> columns(rows, kUnassigned);
    for (size_t column = 1; column <= columns_; ++column) {
      if (row_of_[column] > 0) columns[row_of_[column] - 1] = column - 1;
    }
    return columns;
  }

 private:
  double reduced(size_t row, size_t column) const {
    return costs_[(row - 1) * columns_ + column - 1] - row_potential_[row] - column_potential_[column];
  }

  // Along a shortest alternating path from the row to a free column.
  void insert(size_t row) {
    row_of_[0] = row;
    size_t column = 0;
    std::vector<double> least(columns_ + 1, std::numeric_limits<double>::infinity());
    std::vector<char> seen(columns_ + 1, 0);
    do {
      seen[column] = 1;
      column = step(column, least, seen);
    } while (row_of_[column] != 0);
    for (; column != 0; column = way_[column]) row_of_[column] = row_of_[way_[column]];
  }

  size_t step(size_t from, std::vector<double>& least, const std::vector<char>& seen) {
    size_t nearest = 0;
    double delta = std::numeric_limits<double>::infinity();
    for (size_t column = 1; column <= columns_; ++column) {
      if (seen[column]) continue;
      const double cost = reduced(row_of_[from], column);
      if (cost < least[column]) {
        least[column] = cost;
        way_[column] = from;
      }
      if (least[column] < delta) {
        delta = least[column];
        nearest = column;
      }
    }
    for (size_t column = 0; column <= columns_; ++column) {
      if (seen[column]) {
        row_potential_[row_of_[column]] += delta;
        column_potential_[column] -= delta;
      } else {
        least[column] -= delta;
      }
    }
    return nearest;
  }

  const std::vector<double>& costs_;
  const size_t columns_;
  std::vector<size_t> row_of_, way_;
  std::vector<double> row_potential_, column_potential_;
};

}  // namespace

std::vector<size_t> cheapest_assignment(std::span<const double> costs, size_t rows, size_t columns,
                                        double alone) {
  if (rows == 0) return {};
  const size_t all = columns + rows;  // behind the columns a place alone for every row
  std::vector<double> extended(rows * all, alone);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      const double cost = costs[row * columns + column];
      // Dearer than staying alone, but finite: sums stay numbers.
      extended[row * all + column] = cost <= alone ? cost : 4 * std::max(alone, 1.0);
    }
  }
  std::vector<size_t> found = Matching(extended, rows, all).column_of(rows);
  for (size_t row = 0; row < rows; ++row) {
    if (found[row] >= columns || !(costs[row * columns + found[row]] <= alone)) found[row] = kUnassigned;
  }
  return found;
}

}  // namespace uir
