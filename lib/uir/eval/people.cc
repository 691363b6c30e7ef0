#include "uir/eval/people.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "uir/base/error.h"

namespace uir {

People::People(std::span<const int64_t> labels) {
  rows_.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0) rows_.push_back(static_cast<int64_t>(i));
  }
  std::ranges::stable_sort(rows_, {}, [&](int64_t row) { return labels[static_cast<size_t>(row)]; });
  for (size_t i = 0; i < rows_.size(); ++i) {
    const int64_t label = labels[static_cast<size_t>(rows_[i])];
    if (labels_.empty() || labels_.back() != label) {
      labels_.push_back(label);
      if (i > 0) begin_.push_back(i);
    }
  }
  if (!rows_.empty()) begin_.push_back(rows_.size());
}

std::span<const int64_t> People::rows(int64_t person) const {
  const auto p = static_cast<size_t>(person);
  return std::span(rows_).subspan(begin_[p], begin_[p + 1] - begin_[p]);
}

int64_t People::person_of(int64_t label) const {
  const auto found = std::ranges::lower_bound(labels_, label);
  return found == labels_.end() || *found != label ? -1 : found - labels_.begin();
}

std::vector<double> sum_of(const CanonicalVectors& images, std::span<const int64_t> rows) {
  std::vector<double> sum(static_cast<size_t>(images.cols), 0.0);
  for (const int64_t row : rows) {
    const std::span<const float> image = images.row(row);
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += image[d];
  }
  return sum;
}

std::vector<float> People::normalised(const std::vector<double>& sum, int64_t person) const {
  const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
  if (!(length > 1e-6))
    fail(ErrorKind::kData, "identity ", label(person), ": its images have no common direction");
  std::vector<float> unit(sum.size());
  for (size_t d = 0; d < sum.size(); ++d) unit[d] = static_cast<float>(sum[d] / length);
  return unit;
}

CanonicalVectors People::means(const CanonicalVectors& images) const {
  CanonicalVectors means{{}, size(), images.cols};
  means.values.reserve(static_cast<size_t>(size() * images.cols));
  for (int64_t p = 0; p < size(); ++p) {
    const std::vector<float> mean = normalised(sum_of(images, rows(p)), p);
    means.values.insert(means.values.end(), mean.begin(), mean.end());
  }
  return means;
}

std::vector<float> People::mean_without(const CanonicalVectors& images, int64_t person, int64_t row) const {
  std::vector<int64_t> others(rows(person).begin(), rows(person).end());
  std::erase(others, row);
  return normalised(sum_of(images, others), person);
}

}  // namespace uir
