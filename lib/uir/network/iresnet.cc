// IResNet: residual networks of InsightFace (arcface_torch's iresnet.py). Their depths stand in config.h.
#include "uir/base/error.h"
#include "uir/network/blueprint_writer.h"

namespace uir {
namespace {

int64_t block(BlueprintWriter& w, const std::string& name, int64_t x, int64_t out, int64_t stride) {
  int64_t y = w.conv(name + ".conv1", w.batch_norm(name + ".bn1", x), {.out = out});
  y = w.prelu(name + ".prelu", w.batch_norm(name + ".bn2", y));
  y = w.batch_norm(name + ".bn3", w.conv(name + ".conv2", y, {.out = out, .stride = stride}));
  if (stride == 1) return w.add(name + ".add", y, x);
  const int64_t shortcut = w.conv(name + ".downsample.0", x, pointwise(out, stride));
  return w.add(name + ".add", y, w.batch_norm(name + ".downsample.1", shortcut));
}

}  // namespace

Blueprint iresnet_blueprint(const IResNetConfig& config) {
  const IResNetDepth* known = find_iresnet_depth(config.depth);
  if (!known)
    fail(ErrorKind::kConfig, "model: iresnet has no depth ", config.depth, "; choose ", iresnet_depths());
  const auto channels = [&](int64_t count) { return scaled_channels(count, config.width); };
  BlueprintWriter w;
  int64_t x = w.conv("conv1", kNetworkInput, {.out = channels(64)});
  x = w.prelu("prelu", w.batch_norm("bn1", x));
  for (size_t stage = 0; stage < known->blocks.size(); ++stage) {
    for (int64_t b = 0; b < known->blocks[stage]; ++b) {
      x = block(w, concat("layer", stage + 1, ".", b), x, channels(64 << stage), b == 0 ? 2 : 1);
    }
  }
  x = w.batch_norm("bn2", x);
  w.continue_in_float32();
  x = w.linear("fc", w.flatten(x), config.embedding_size, /*bias=*/true);
  w.batch_norm("features", x, /*trained=*/false);
  return w.finish(config.dropout);
}

}  // namespace uir
