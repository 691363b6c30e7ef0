// Random tensors, and how far two of them are apart.
#pragma once

#include <ATen/ATen.h>

inline at::Tensor random_tensor(at::IntArrayRef shape, int64_t seed, at::ScalarType type = at::kFloat) {
  return at::randn(shape, at::make_generator<at::CPUGeneratorImpl>(seed), at::TensorOptions(type));
}

// ‖a − b‖ / ‖b‖, in float64.
inline double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor wide = b.to(at::kDouble);
  return ((a.to(at::kDouble) - wide).norm() / wide.norm().clamp_min(1e-9)).item<double>();
}
