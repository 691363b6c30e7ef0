// The ranges of the numbers that int8 products are given, found on images of the user's.
//
// A range is the one of 16 that rounds and saturates the samples with the least mean square error: the
// largest magnitude, or up to 13 times less.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "uir/model/inference_conv.h"

namespace uir {

// Of each convolution that is computed in int8, by its name: [points] (InferenceConv).
using Int8Ranges = std::map<std::string, std::vector<float>>;

class RangeSamples {
 public:
  // What the convolution is given with these inputs. Keeps at most some MB.
  void add(const std::string& name, const Op& conv, const at::Tensor& x, const ConvEdges& edges);
  Int8Ranges ranges() const;

 private:
  std::map<std::string, std::vector<at::Tensor>> samples_;
};

}  // namespace uir
