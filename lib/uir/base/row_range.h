// A half-open range of rows.
#pragma once

#include <cstdint>

namespace uir {

struct RowRange {
  int64_t begin = 0, end = 0;
  int64_t size() const { return end - begin; }
  bool operator==(const RowRange&) const = default;
};

}  // namespace uir
