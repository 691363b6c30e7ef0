#include "uir/export/check.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <array>

#include "uir/base/error.h"
#include "uir/base/progress.h"

namespace uir {
namespace {

std::vector<int64_t> batches_of(int64_t faces) {
  constexpr std::array<int64_t, 4> kFirst{1, 3, 1, 5};  // some programs go wrong when the size changes
  constexpr int64_t kLargest = 8;
  std::vector<int64_t> batches;
  while (faces > 0) {
    const int64_t size = batches.size() < kFirst.size() ? kFirst[batches.size()] : kLargest;
    batches.push_back(std::min(size, faces));
    faces -= batches.back();
  }
  return batches;
}

at::Tensor norms(const at::Tensor& rows) { return rows.norm(2, {1}); }

void check_network(const at::Tensor& embeddings) {
  const bool usable = embeddings.isfinite().all().item<bool>() && norms(embeddings).min().item<double>() > 0;
  if (!usable) {
    fail(ErrorKind::kData, "the network's embeddings are zero or not finite: its weights are broken");
  }
}

// Not a number counts as infinitely far away.
void add(Agreement& agreement, const at::Tensor& found, const at::Tensor& expected) {
  const at::Tensor norm = norms(expected);
  const double difference =
      (norms(found - expected) / norm).nan_to_num(INFINITY, INFINITY).max().item<double>();
  const at::Tensor cosines = (found * expected).sum(1) / (norms(found) * norm);
  agreement.largest_difference = std::max(agreement.largest_difference, difference);
  agreement.smallest_cosine =
      std::min(agreement.smallest_cosine, cosines.nan_to_num(-1).min().item<double>());
}

// Float32 as it is trained, without what inference's own kernels round otherwise (model/inference_conv.h).
at::Tensor by_its_layers(Backbone& backbone, const at::Tensor& pixels) {
  const at::AutoGradMode with_gradients(true);
  return backbone.forward(pixels).detach();
}

}  // namespace

Agreement compare_with_network(const CheckEngine& engine, Backbone& backbone, const at::Tensor& faces,
                               bool normalized_inside) {
  const at::NoGradGuard no_grad;
  backbone.eval();
  Agreement agreement;
  Progress progress("checking with " + engine.name, "faces", faces.size(0));
  int64_t first = 0;
  for (const int64_t size : batches_of(faces.size(0))) {
    const at::Tensor images = faces.slice(0, first, first + size);
    const at::Tensor pixels = normalize_pixels(images, at::kFloat);
    const at::Tensor expected = by_its_layers(backbone, pixels).to(at::kDouble);
    check_network(expected);
    const at::Tensor input = normalized_inside ? images.permute({0, 3, 1, 2}).to(at::kFloat) : pixels;
    const at::Tensor found = engine.embed(input.contiguous());
    if (found.sizes() != expected.sizes()) {
      fail(ErrorKind::kInternal, engine.name, " computes an embedding of another shape: ", found.sizes(),
           ", expected ", expected.sizes());
    }
    add(agreement, found.to(at::kDouble), expected);
    agreement.batches.push_back(size);
    progress.add(size);
    first += size;
  }
  return agreement;
}

}  // namespace uir
