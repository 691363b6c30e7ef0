#include "uir/pipeline/chosen_precision.h"

#include <ATen/ops/cosine_similarity.h>

#include "uir/base/log.h"
#include "uir/device/transfer.h"
#include "uir/pipeline/onnx_engines.h"

namespace uir {

void choose_precision(Backbone& backbone, Precision wanted, const OwnFaces& faces, const Communicator& ranks,
                      Compute& compute) {
  constexpr int64_t kFirstFaces = 64;
  if (wanted != Precision::kAuto || compute.pixel_type != at::kBFloat16) return;
  const at::Tensor first = faces.first(kFirstFaces);
  if (first.size(0) == 0) return;
  const at::NoGradGuard no_grad;
  backbone.eval();
  const at::Tensor there = upload(first, compute.device);
  const auto embed = [&](at::ScalarType type) {
    return backbone.forward(normalize_pixels(there, type)).to(at::kDouble);
  };
  const double least = at::cosine_similarity(embed(at::kFloat), embed(at::kBFloat16)).min().item<double>();
  if (ranks.sum(least >= kShortCosine ? 0 : 1) == 0) return;
  compute.pixel_type = at::kFloat;
  log_info("precision: float32, since in bf16 one of the first ", first.size(0),
           " faces keeps a cosine of only ", least);
}

}  // namespace uir
