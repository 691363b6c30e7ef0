// The filter of pair searches on any device of LibTorch: matrix products in float16, bfloat16 or float32,
// compared on the device with the rows' thresholds less a proven bound. For CUDA; tested on the CPU, where
// the kernels of pair_filter.h are faster.
//
// A vector x has a copy x̂ in the type of the products, values below the type's smallest normal number being
// zero, and a measured residual e = ‖x − x̂‖ (float64, rounded up). With u = 2⁻²² and γ = D·u / (1 − D·u),
//   |x·y − p| <= e_x·‖y‖ + (‖x‖ + e_x)·e_y + (γ + D·2⁻⁵²)·(‖x‖ + e_x)·(‖y‖ + e_y) + D·2⁻¹²⁴
// where p is what the device sums up in float32: products of two such values are exact in float32, or rounded
// once when they are float32 themselves; sums of any order and blocking err by D roundings of terms up to
// Σ|x̂_d·ŷ_d| <= ‖x̂‖·‖ŷ‖ (Higham 2002, (3.5)). Tensor cores align a block of k products and the sum to the
// largest of them and cut off what is below (M. Fasi, N. J. Higham, M. Mikaitis, S. Pranesh, Numerical
// behavior of NVIDIA tensor cores, PeerJ Comput. Sci. 7:e330, 2021): k + 1 cuts and one rounding of at most
// 2⁻²³ of it for k terms, k >= 2, which is u = 2·2⁻²³ a term. The last term stands for products and sums that
// are flushed to zero, D·2⁻⁵² for the exact score's own sums in float64. p is then rounded to the type of the
// products, by at most its spacing (2⁻¹⁰ or 2⁻⁷ of p, or its smallest normal number); as rounding is
// monotonic, it is compared with the threshold less the bound less that spacing.
//
// So the bound needs sums in float32 and float32 products that are no TensorFloat-32 ones. Both are settings
// of the process in LibTorch, set here (no reduced-precision reduction, no TF32), and the constructor
// measures them.
//
// Vectors: [n, D] float32, canonical, D of 1 to kMaxDim. Cost: 2·D operations per pair at the device's rate,
// and one comparison; memory on the device: what vector_bytes() and pair_bytes() say.
// Threads: const functions may run at once. Errors: kConfig when the device cannot compute in the type, or
// not as exactly as the bound needs (constructor); c10::Error for what the device refuses later.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "uir/search/block_filter.h"

namespace uir {

class TorchFilter : public BlockFilter {
 public:
  // type: kHalf, kBFloat16 or kFloat. Sets the precision of the process, and multiplies vectors of up to 4096
  // values to measure it.
  TorchFilter(at::Device device, at::ScalarType type);

  std::string name() const override;
  std::unique_ptr<DeviceVectors> make_vectors(int64_t size, int64_t dim) const override;
  std::unique_ptr<Product> multiply(const DeviceVectors& rows, RowRange row_range,
                                    const DeviceVectors& columns, RowRange column_range) const override;
  int64_t vector_bytes(int64_t dim) const override;
  // A score, its comparison, what finding the passing pairs takes.
  int64_t pair_bytes() const override { return 10; }

  // The bound on |p − exact score| of one pair, before p is rounded to the type of the products.
  static double bound(const DeviceVectors& rows, int64_t row, const DeviceVectors& columns, int64_t column);

 private:
  void check_arithmetic() const;
  bool agrees(int64_t dim, bool cancels) const;

  at::Device device_;
  at::ScalarType type_;
};

// In the fastest type that the device computes in as the bound needs: on CUDA float16, bfloat16, float32;
// else float32.
std::unique_ptr<TorchFilter> fastest_torch_filter(at::Device device);

}  // namespace uir
