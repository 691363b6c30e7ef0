// Numbers with a shape, as the interpreter of ONNX networks computes with them. Free of LibTorch.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace uir {

// In C order. Integers, booleans among them, are exact up to 2^53; an empty shape is a single number.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> values;
  bool integer = false;

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t size() const { return static_cast<int64_t>(values.size()); }
  static Array of_integers(std::vector<int64_t> integers) {
    return {{static_cast<int64_t>(integers.size())}, {integers.begin(), integers.end()}, true};
  }
};

}  // namespace uir
