#include "uir/identify/assignment.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "support/catch.h"
#include "uir/base/random.h"

using namespace uir;

namespace {

double cost_of(const std::vector<size_t>& columns, const std::vector<double>& costs, size_t width,
               double alone) {
  double sum = 0;
  for (size_t row = 0; row < columns.size(); ++row)
    sum += columns[row] == kUnassigned ? alone : costs[row * width + columns[row]];
  return sum;
}

// Every way to give rows columns or nothing.
double least_cost(const std::vector<double>& costs, size_t rows, size_t columns, double alone,
                  std::vector<char>& taken, size_t row = 0) {
  if (row == rows) return 0;
  double least = alone + least_cost(costs, rows, columns, alone, taken, row + 1);
  for (size_t column = 0; column < columns; ++column) {
    const double cost = costs[row * columns + column];
    if (taken[column] || !(cost <= alone)) continue;
    taken[column] = 1;
    least = std::min(least, cost + least_cost(costs, rows, columns, alone, taken, row + 1));
    taken[column] = 0;
  }
  return least;
}

}  // namespace

TEST_CASE("The assignment is the cheapest one of all that are possible", "[assignment]") {
  for (uint64_t round = 0; round < 300; ++round) {
    ItemRandom random(1, RandomPurpose::kTest, 0, round);
    const auto rows = static_cast<size_t>(random.uniform(0, 6)),
               columns = static_cast<size_t>(random.uniform(0, 6));
    const double alone = random.uniform(0.2, 1.2);
    std::vector<double> costs(rows * columns);
    for (double& cost : costs) {
      cost = random.uniform(0, 1);
      if (cost > 0.8) cost = std::numeric_limits<double>::infinity();
      if (round % 3 == 0) cost = std::round(cost * 4) / 4;  // equal ones
    }
    const std::vector<size_t> found = cheapest_assignment(costs, rows, columns, alone);
    REQUIRE(found.size() == rows);
    std::vector<size_t> taken;
    for (const size_t column : found) {
      if (column != kUnassigned) taken.push_back(column);
    }
    std::ranges::sort(taken);
    CHECK(std::ranges::adjacent_find(taken) == taken.end());
    std::vector<char> none(columns, 0);
    CHECK(cost_of(found, costs, columns, alone) ==
          Approx(least_cost(costs, rows, columns, alone, none)).margin(1e-12));
  }
}
