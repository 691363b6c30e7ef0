// Work over rows of pixels, split among LibTorch's intra-op threads in a fixed way: the same number of
// threads gives the same parts, so sums over parts are reproducible.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace uir {

class RowThreads {
 public:
  // Small work stays on one thread: waking another costs as much as some ten thousand elements.
  RowThreads(int64_t rows, int64_t elements_per_row)
      : rows_(rows),
        parts_(std::clamp<int64_t>(rows * elements_per_row / 16384, 1,
                                   std::min<int64_t>(rows, at::get_num_threads()))) {}

  int64_t parts() const { return parts_; }

  // body(part, begin, end) for each part of the rows.
  template <class Body>
  void run(const Body& body) const {
    at::parallel_for(0, parts_, 1, [&](int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part)
        body(part, rows_ * part / parts_, rows_ * (part + 1) / parts_);
    });
  }

  // Sums of `count` numbers: body(begin, end, sums) adds a part's share to sums[0 .. count).
  template <class Body>
  std::vector<double> sum(int64_t count, const Body& body) const {
    std::vector<double> sums(parts_ * count);
    run([&](int64_t part, int64_t begin, int64_t end) { body(begin, end, sums.data() + part * count); });
    for (int64_t i = count; i < parts_ * count; ++i) sums[i % count] += sums[i];
    sums.resize(count);
    return sums;
  }

 private:
  int64_t rows_, parts_;
};

}  // namespace uir
