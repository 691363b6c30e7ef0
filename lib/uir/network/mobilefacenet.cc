// MobileFaceNet, in InsightFace's variants mbf and mbf_large (arcface_torch's mobilefacenet.py). Children are
// named layers.0, layers.1, … as those of a torch.nn.Sequential that is a member "layers".
#include <array>

#include "uir/base/error.h"
#include "uir/network/blueprint_writer.h"

namespace uir {
namespace {

int64_t linear_block(BlueprintWriter& w, const std::string& name, int64_t x, const Convolution& c) {
  return w.batch_norm(name + ".layers.1", w.conv(name + ".layers.0", x, c));
}

int64_t conv_block(BlueprintWriter& w, const std::string& name, int64_t x, const Convolution& c) {
  return w.prelu(name + ".layers.2", linear_block(w, name, x, c));
}

// 1×1 expansion to `groups` channels, depthwise 3×3, 1×1 projection; with stride 1 a residual sum.
int64_t bottleneck(BlueprintWriter& w, const std::string& name, int64_t x, int64_t out, int64_t groups,
                   int64_t stride) {
  int64_t y = conv_block(w, name + ".layers.0", x, pointwise(groups));
  y = conv_block(w, name + ".layers.1", y, depthwise(groups, stride));
  y = linear_block(w, name + ".layers.2", y, pointwise(out));
  return stride == 1 ? w.add(name + ".add", y, x) : y;
}

int64_t residuals(BlueprintWriter& w, const std::string& name, int64_t x, int64_t blocks, int64_t groups) {
  for (int64_t b = 0; b < blocks; ++b)
    x = bottleneck(w, concat(name, ".layers.", b), x, w.channels(x), groups, 1);
  return x;
}

}  // namespace

Blueprint mobilefacenet_blueprint(const MobileFaceNetConfig& config) {
  const auto blocks = config.large ? std::array<int64_t, 4>{2, 8, 12, 4} : std::array<int64_t, 4>{1, 4, 6, 2};
  const int64_t scale = config.large ? 4 : 2;
  const auto channels = [&](int64_t count) { return scaled_channels(count, config.width); };
  const int64_t narrow = channels(64 * scale), wide = channels(128 * scale), last = channels(512);
  BlueprintWriter w;
  int64_t x = conv_block(w, "layers.0", kNetworkInput, {.out = narrow, .stride = 2});
  x = config.large ? residuals(w, "layers.1", x, blocks[0], channels(128))
                   : conv_block(w, "layers.1", x, {.out = narrow, .groups = narrow / 2});
  x = bottleneck(w, "layers.2", x, narrow, channels(128), 2);
  x = residuals(w, "layers.3", x, blocks[1], channels(128));
  x = bottleneck(w, "layers.4", x, wide, channels(256), 2);
  x = residuals(w, "layers.5", x, blocks[2], channels(256));
  x = bottleneck(w, "layers.6", x, wide, channels(512), 2);
  x = residuals(w, "layers.7", x, blocks[3], channels(256));
  w.continue_in_float32();
  x = conv_block(w, "conv_sep", x, pointwise(last));
  x = linear_block(w, "features.layers.0", x, {.out = last, .kernel = 7, .padding = 0, .groups = last});
  x = w.linear("features.layers.2", w.flatten(x), config.embedding_size, /*bias=*/false);
  w.batch_norm("features.layers.3", x);
  return w.finish();
}

}  // namespace uir
