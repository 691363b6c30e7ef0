#include <ATen/ops/randn.h>

#include "uir/model/backbone.h"
//
#include "support/catch.h"

using namespace uir;

// oneDNN 2.6 corrupts the heap in the backward pass of a strided 1x1 convolution over 8 channels: without the
// detour in layers.cc this test crashes.
TEST_CASE("the narrowest networks train") {
  for (const double width : {0.0625, 0.125, 0.1875}) {
    IResNetConfig config;
    config.depth = 18;
    config.width = width;
    config.embedding_size = 8;
    const auto network = make_backbone({config}, 1);
    for (int step = 0; step < 2; ++step) {
      const at::Tensor pixels = at::randn({2, 3, 112, 112}).contiguous(at::MemoryFormat::ChannelsLast);
      const at::Tensor embeddings = network->forward(pixels);
      embeddings.backward(at::randn({2, 8}));
      CHECK(embeddings.isfinite().all().item<bool>());
    }
    for (const at::Tensor& weight : network->parameters()) {
      if (weight.requires_grad()) CHECK(weight.grad().isfinite().all().item<bool>());
    }
  }
}
