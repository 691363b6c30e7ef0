#include "uir/eval/sort.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "uir/base/parallel.h"

namespace uir {
namespace {

constexpr int64_t kFirstSlices = 1024;
constexpr size_t kWorthThreads = 1 << 16, kWorthSlicing = 64, kPerSlice = 16, kMaxSlices = 8192;

// Equal slices of the values' range: slice 0 holds the highest.
class Slices {
 public:
  Slices(std::span<const double> values, int64_t count) : last_(count - 1) {
    const auto [low, high] = std::ranges::minmax(values);
    high_ = high;
    const double per_unit = static_cast<double>(count) / (high - low);
    if (std::isfinite(per_unit)) per_unit_ = per_unit;  // else the values are (as good as) equal: slice 0
  }
  int64_t of(double value) const {
    return std::min(static_cast<int64_t>((high_ - value) * per_unit_), last_);
  }

 private:
  int64_t last_;
  double high_, per_unit_ = 0;
};

// Sorts by slicing again and again; scratch is as long as the values.
void sort_by_slices(std::span<double> values, std::span<double> scratch) {
  if (values.size() < kWorthSlicing) {
    std::ranges::sort(values, std::greater());
    return;
  }
  const size_t count = std::min(std::bit_ceil(values.size() / kPerSlice), kMaxSlices);
  const Slices slices(values, static_cast<int64_t>(count));
  std::vector<size_t> ends(count, 0);
  for (double value : values) ++ends[slices.of(value)];
  if (std::ranges::max(ends) > values.size() / 2) {  // slicing does not help
    std::ranges::sort(values, std::greater());
    return;
  }
  size_t place = 0;
  for (size_t& end : ends) place += std::exchange(end, place);
  for (double value : values) scratch[ends[slices.of(value)]++] = value;  // moves each begin to its end
  std::ranges::copy(scratch, values.begin());
  size_t begin = 0;
  for (size_t end : ends) {
    sort_by_slices(values.subspan(begin, end - begin), scratch.subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace

void sort_descending(std::vector<double>& values, int threads) {
  std::vector<double> sorted(values.size());
  if (values.size() < kWorthThreads) return sort_by_slices(values, sorted);
  const Slices slices(values, kFirstSlices);
  const auto n = static_cast<int64_t>(values.size());
  const int64_t parts = resolve_threads(threads), part_size = (n + parts - 1) / parts;
  const auto for_each_part = [&](auto&& body) {
    parallel_blocks(parts, 1, threads, [&](int64_t part, int64_t) {
      body(part, std::min(n, part * part_size), std::min(n, (part + 1) * part_size));
    });
  };
  // places[part][slice]: how many values of the part are in the slice, then where its next one goes.
  std::vector<std::vector<int64_t>> places(static_cast<size_t>(parts), std::vector<int64_t>(kFirstSlices));
  for_each_part([&](int64_t part, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++places[part][slices.of(values[i])];
  });
  std::vector<int64_t> begins;
  int64_t place = 0;
  for (int64_t s = 0; s < kFirstSlices; ++s) {
    begins.push_back(place);
    for (std::vector<int64_t>& of_part : places) place += std::exchange(of_part[s], place);
  }
  begins.push_back(n);
  for_each_part([&](int64_t part, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sorted[places[part][slices.of(values[i])]++] = values[i];
  });
  parallel_blocks(kFirstSlices, 1, threads, [&](int64_t s, int64_t) {
    const auto begin = static_cast<size_t>(begins[s]), size = static_cast<size_t>(begins[s + 1]) - begin;
    sort_by_slices(std::span(sorted).subspan(begin, size), std::span(values).subspan(begin, size));
  });
  values.swap(sorted);
}

}  // namespace uir
