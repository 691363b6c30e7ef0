#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "uir/base/error.h"
#include "uir/model/backbone.h"

namespace uir {

at::Tensor normalize_pixels(const at::Tensor& images, at::ScalarType type) {
  ensure(images.dim() == 4 && images.scalar_type() == at::kByte, "images are uint8 [B, H, W, 3]");
  // The permuted view of an NHWC tensor is a channels-last NCHW tensor: nothing moves.
  return images.permute({0, 3, 1, 2}).to(at::kFloat).sub_(127.5).div_(127.5).to(type);
}

at::ScalarType fastest_pixel_type(const at::Device& device) {
  return device.is_cuda() ? at::kBFloat16 : at::kFloat;
}

}  // namespace uir
