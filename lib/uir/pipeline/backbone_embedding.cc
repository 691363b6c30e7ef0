#include "uir/pipeline/backbone_embedding.h"

#include <ATen/ops/cosine_similarity.h>

#include "uir/base/log.h"
#include "uir/device/transfer.h"
#include "uir/pipeline/int8_extraction.h"
#include "uir/pipeline/onnx_engines.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

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

}  // namespace

BackboneEmbedding backbone_embedding(const Experiment& experiment, const std::shared_ptr<Backbone>& backbone,
                                     const std::string& identity, const OwnFaces& faces,
                                     const Communicator& ranks, Compute& compute) {
  BackboneEmbedding result{{}, {{"color_order", kColorOrder}, {"normalization", kNormalization}}};
  move_to(*backbone, compute.device);
  if (experiment.extract.precision == ExtractPrecision::kInt8) {
    check_int8(compute.device, InferenceConv::runs_int8());
    const Int8Embedding int8 = int8_embedding(experiment, int8_network(backbone, identity), faces, ranks);
    result.embedder = {backbone->embedding_size(), int8.embed};
    result.manifest.update(int8.manifest);
  } else {
    choose_precision(*backbone, experiment.train.precision, faces, ranks, compute);
    result.embedder = embedder_of(backbone, compute.pixel_type);
    result.manifest["precision"] = c10::toString(compute.pixel_type);
  }
  return result;
}

}  // namespace uir
