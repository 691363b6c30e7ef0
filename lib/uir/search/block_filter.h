// The filter in front of exact scores on a device that is good at large matrix products. Like the kernels of
// pair_filter.h it may let through too many pairs but never leaves out one that reaches its row's threshold,
// so no result depends on it. This is the interface; search_device/torch_filter.h implements it with
// LibTorch.
//
// Values are canonical vectors (canonical.h), float32. Threads: const functions may run at once, set() for
// different vectors too. Errors: what the device throws, its lack of memory included.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "uir/base/row_range.h"

namespace uir {

class BlockFilter {
 public:
  struct Pair {
    int64_t row, column;  // numbers of vectors
  };
  // Vectors of one side, on the device.
  class DeviceVectors {
   public:
    virtual ~DeviceVectors() = default;
    // values: [n, D], of vectors first, first + 1, …; all must be set before they are multiplied.
    virtual void set(int64_t first, std::span<const float> values) = 0;
  };
  // The low-precision scores of some rows with some columns, on the device.
  class Product {
   public:
    virtual ~Product() = default;
    // Appends the pairs of a part of the product that may reach their row's threshold (one per row of the
    // part; +infinity: none need be found), row by row. False, and none appended, if they are more than
    // `most`. Rows and columns are numbers of vectors, as in multiply().
    virtual bool passing(RowRange rows, RowRange columns, std::span<const double> thresholds, int64_t most,
                         std::vector<Pair>& found) const = 0;
  };

  virtual ~BlockFilter() = default;
  virtual std::string name() const = 0;  // for the log
  virtual std::unique_ptr<DeviceVectors> make_vectors(int64_t size, int64_t dim) const = 0;
  // Of vectors of one dimension that this filter made; both must outlive the product.
  virtual std::unique_ptr<Product> multiply(const DeviceVectors& rows, RowRange row_range,
                                            const DeviceVectors& columns, RowRange column_range) const = 0;
  // The most memory, in bytes, of a vector and per pair of a product besides the pairs found.
  virtual int64_t vector_bytes(int64_t dim) const = 0;
  virtual int64_t pair_bytes() const = 0;
};

}  // namespace uir
