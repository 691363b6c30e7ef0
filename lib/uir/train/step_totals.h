// Losses and counts of micro-batches, summed over a step or over the steps of a console line.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/data/batch.h"
#include "uir/head/head.h"

namespace uir {

struct Totals {
  double labeled = 0, uir = 0, total = 0;
  int64_t losses = 0, correct = 0, correct_with_margin = 0, num_labeled = 0, images = 0;
  std::vector<int64_t> rows;

  // What is known of a micro-batch before the device has computed it.
  void count(const Batch& batch, int64_t labeled_rows) {
    ++losses;
    num_labeled += labeled_rows;
    images += batch.size();
    rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
  }
  // The sum of HeadLoss::numbers of those that were counted.
  void add(const double* numbers) {
    labeled += numbers[kLabeledLoss];
    uir += numbers[kUirLoss];
    total += numbers[kTotalLoss];
    correct += static_cast<int64_t>(numbers[kCorrect]);
    correct_with_margin += static_cast<int64_t>(numbers[kCorrectWithMargin]);
  }
  void add(const Totals& other) {
    labeled += other.labeled;
    uir += other.uir;
    total += other.total;
    losses += other.losses;
    correct += other.correct;
    correct_with_margin += other.correct_with_margin;
    num_labeled += other.num_labeled;
    images += other.images;
  }
  double mean(double sum) const { return losses > 0 ? sum / static_cast<double>(losses) : 0; }
  double share(int64_t count) const {
    return num_labeled > 0 ? static_cast<double>(count) / static_cast<double>(num_labeled) : 0;
  }
};

}  // namespace uir
