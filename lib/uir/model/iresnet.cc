#include "uir/model/iresnet.h"

#include <ATen/ops/empty.h>

#include <torch/nn/modules/container/modulelist.h>

#include <utility>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/parallel.h"
#include "uir/base/random.h"
#include "uir/model/layers.h"

namespace uir {
namespace {

class Block : public torch::nn::Module {
 public:
  Block(int64_t in, int64_t out, int64_t stride)
      : bn1_(register_module("bn1", std::make_shared<BatchNorm>(in))),
        conv1_(register_module("conv1", std::make_shared<Conv>(ConvShape{.in = in, .out = out}))),
        bn2_(register_module("bn2", std::make_shared<BatchNorm>(out))),
        prelu_(register_module("prelu", std::make_shared<PReLU>(out))),
        conv2_(register_module("conv2",
                               std::make_shared<Conv>(ConvShape{.in = out, .out = out, .stride = stride}))),
        bn3_(register_module("bn3", std::make_shared<BatchNorm>(out))) {
    if (stride == 1) return;
    const ConvShape shape{.in = in, .out = out, .kernel = 1, .stride = stride, .padding = 0};
    torch::nn::ModuleList downsample;
    downsample->push_back(shortcut_conv_ = std::make_shared<Conv>(shape));
    downsample->push_back(shortcut_bn_ = std::make_shared<BatchNorm>(out));
    register_module("downsample", downsample);
  }

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor shortcut = shortcut_conv_ ? shortcut_bn_->forward(shortcut_conv_->forward(x)) : x;
    at::Tensor y = conv1_->forward(bn1_->forward(x));
    y = conv2_->forward(bn2_->forward(y, *prelu_));
    return bn3_->forward(y, shortcut);
  }

 private:
  std::shared_ptr<BatchNorm> bn1_;
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> bn2_;
  std::shared_ptr<PReLU> prelu_;
  std::shared_ptr<Conv> conv2_;
  std::shared_ptr<BatchNorm> bn3_;
  std::shared_ptr<Conv> shortcut_conv_;
  std::shared_ptr<BatchNorm> shortcut_bn_;
};

class IResNet : public Backbone {
 public:
  IResNet(const IResNetConfig& config, uint64_t seed) : config_(config), seed_(seed) {
    const int64_t stem = scaled_channels(64, config.width);
    conv1_ = register_module("conv1", std::make_shared<Conv>(ConvShape{.in = 3, .out = stem}));
    bn1_ = register_module("bn1", std::make_shared<BatchNorm>(stem));
    prelu_ = register_module("prelu", std::make_shared<PReLU>(stem));
    const int64_t channels = add_stages(stem);
    bn2_ = register_module("bn2", std::make_shared<BatchNorm>(channels));
    fc_ = register_module("fc",
                          std::make_shared<Linear>(channels * 7 * 7, config.embedding_size, /*bias=*/true));
    features_ = register_module("features", std::make_shared<BatchNorm>(config.embedding_size, false));
  }

  at::Tensor forward(const at::Tensor& pixels) override {
    at::Tensor x = bn1_->forward(conv1_->forward(pixels), *prelu_);
    for (const auto& block : blocks_) x = block->forward(x);
    x = dropout(at_least_float32(bn2_->forward(x)).flatten(1));
    return features_->forward(fc_->forward(x));
  }

  int64_t embedding_size() const override { return config_.embedding_size; }

 private:
  int64_t add_stages(int64_t channels) {
    const BlocksPerStage num_blocks = blocks_per_stage(config_);
    for (int64_t stage = 0; stage < 4; ++stage) {
      const int64_t out = scaled_channels(64 << stage, config_.width);
      torch::nn::ModuleList layer;
      for (int64_t b = 0; b < num_blocks[stage]; ++b) {
        blocks_.push_back(std::make_shared<Block>(std::exchange(channels, out), out, b == 0 ? 2 : 1));
        layer->push_back(blocks_.back());
      }
      register_module("layer" + std::to_string(stage + 1), layer);
    }
    return channels;
  }

  // The mask depends on the seed and on the number of batches seen, which is part of the state dict: a
  // resumed run drops the same elements.
  at::Tensor dropout(const at::Tensor& x) const {
    if (!is_training() || config_.dropout == 0) return x;
    at::Tensor mask = at::empty(x.sizes(), at::kFloat);
    const auto batch =
        mix64(checksum64(as_bytes("dropout")) + static_cast<uint64_t>(features_->num_batches_tracked()));
    const auto kept = static_cast<float>(1 / (1 - config_.dropout));
    float* values = mask.data_ptr<float>();
    parallel_blocks(x.size(0), 8, 0, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        ItemRandom random(seed_, RandomPurpose::kInit, batch, static_cast<uint64_t>(row));
        for (int64_t i = 0; i < x.size(1); ++i)
          values[row * x.size(1) + i] = random.chance(config_.dropout) ? 0 : kept;
      }
    });
    return x * mask.to(x.device());
  }

  IResNetConfig config_;
  uint64_t seed_;
  std::shared_ptr<Conv> conv1_;
  std::shared_ptr<BatchNorm> bn1_;
  std::shared_ptr<PReLU> prelu_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<BatchNorm> bn2_;
  std::shared_ptr<Linear> fc_;
  std::shared_ptr<BatchNorm> features_;
};

}  // namespace

std::shared_ptr<Backbone> make_iresnet(const IResNetConfig& config, uint64_t seed) {
  return std::make_shared<IResNet>(config, seed);
}

}  // namespace uir
