#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>

#include <algorithm>
#include <array>

#include "uir/base/error.h"
#include "uir/model/backbone.h"
#include "uir/pixels/pixels.h"

namespace uir {

at::Tensor normalize_pixels(const at::Tensor& images, at::ScalarType type) {
  ensure(images.dim() == 4 && images.scalar_type() == at::kByte, "images are uint8 [B, H, W, 3]");
  // The permuted view of an NHWC tensor is a channels-last NCHW tensor: nothing moves.
  return images.permute({0, 3, 1, 2}).to(at::kFloat).sub_(kPixelMiddle).div_(kPixelMiddle).to(type);
}

at::Tensor prepare_pixels(const at::Tensor& images, const PixelPreparation& preparation) {
  ensure(images.dim() == 4 && images.scalar_type() == at::kByte, "images are uint8 [B, H, W, 3]");
  const PixelScale scale = pixel_scale(preparation);
  const auto per_channel = [&](const std::array<double, 3>& values) {
    at::Tensor numbers = at::empty({3}, at::kFloat);
    std::copy(values.begin(), values.end(), numbers.data_ptr<float>());
    return numbers.to(images.device());
  };
  at::Tensor pixels = images.to(at::kFloat);
  if (preparation.order == ColorOrder::kBgr) pixels = pixels.flip({3});
  return pixels.mul_(per_channel(scale.scale)).add_(per_channel(scale.shift)).permute({0, 3, 1, 2});
}

at::ScalarType fastest_pixel_type(const at::Device& device) {
  if (device.is_cuda()) return at::kBFloat16;
#if defined(__x86_64__)
  // With AMX, and on AMD, bf16 products run at twice the rate of float32's or more. Intel's AVX-512 alone
  // runs them at the same rate and oneDNN's kernels for it are behind: a training step of MobileFaceNet
  // took 1.3 times as long.
  if (__builtin_cpu_supports("avx512bf16") &&
      (__builtin_cpu_supports("amx-bf16") || __builtin_cpu_is("amd"))) {
    return at::kBFloat16;
  }
#endif
  return at::kFloat;
}

}  // namespace uir
