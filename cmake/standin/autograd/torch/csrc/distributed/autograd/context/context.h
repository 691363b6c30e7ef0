// Debian 12's c10d/reducer.hpp includes this header of LibTorch, which its package omits; the reducer only
// needs the names. On the include path only where LibTorch has no file of its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>

namespace torch::distributed::autograd {

class DistAutogradContext {
 public:
  using GradCallback = std::function<bool(at::Tensor&)>;
};
using ContextPtr = std::shared_ptr<DistAutogradContext>;

}  // namespace torch::distributed::autograd
