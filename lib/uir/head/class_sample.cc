#include "uir/head/class_sample.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "uir/base/random.h"

namespace uir {
namespace {

// The classes of smallest priority are sampled.
using Priority = std::pair<uint64_t, int64_t>;  // random, or 0 for a positive class; class
constexpr uint64_t kNegative = uint64_t{1} << 63;

bool contains(RowRange range, int64_t label) { return range.begin <= label && label < range.end; }

std::vector<Priority> priorities(RowRange range, uint64_t seed, uint64_t key) {
  std::vector<Priority> result(static_cast<size_t>(range.size()));
  at::parallel_for(0, range.size(), 1 << 14, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      ItemRandom random(seed, RandomPurpose::kSampleClasses, key, static_cast<uint64_t>(range.begin + i));
      result[i] = {random.next() | kNegative, i};
    }
  });
  return result;
}

}  // namespace

std::vector<int64_t> sample_classes(RowRange range, double rate, std::span<const int64_t> labels,
                                    uint64_t seed, uint64_t key) {
  std::vector<Priority> classes = priorities(range, seed, key);
  int64_t positives = 0;
  for (const int64_t label : labels) {
    if (contains(range, label)) positives += std::exchange(classes[label - range.begin].first, 0) != 0;
  }
  const int64_t size = std::max<int64_t>(std::llround(rate * static_cast<double>(range.size())), positives);
  if (size < range.size()) std::nth_element(classes.begin(), classes.begin() + size, classes.end());
  std::vector<int64_t> sample(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) sample[i] = classes[i].second;
  std::sort(sample.begin(), sample.end());
  return sample;
}

std::vector<int64_t> positions_in_sample(RowRange range, const std::vector<int64_t>& sample,
                                         std::span<const int64_t> labels) {
  std::vector<int64_t> positions;
  for (const int64_t label : labels) {
    const auto place = std::lower_bound(sample.begin(), sample.end(), label - range.begin);
    positions.push_back(contains(range, label) ? place - sample.begin() : -1);
  }
  return positions;
}

}  // namespace uir
