#include "uir/model/mobilefacenet.h"

#include <torch/nn/modules/container/modulelist.h>

#include <vector>

#include "uir/model/layers.h"

namespace uir {
namespace {

// Children named layers.0, layers.1, … as those of a torch.nn.Sequential that is a member "layers".
class Layer : public torch::nn::Module {
 public:
  virtual at::Tensor forward(const at::Tensor& x) = 0;

 protected:
  template <class Child, class... Args>
  std::shared_ptr<Child> add(Args&&... args) {
    auto child = std::make_shared<Child>(std::forward<Args>(args)...);
    children_->push_back(child);
    return child;
  }

 private:
  torch::nn::ModuleList children_ = register_module("layers", torch::nn::ModuleList());
};

// Convolution, batch normalisation, PReLU.
class ConvBlock : public Layer {
 public:
  explicit ConvBlock(const ConvShape& shape)
      : conv_(add<Conv>(shape)), bn_(add<BatchNorm>(shape.out)), prelu_(add<PReLU>(shape.out)) {}
  at::Tensor forward(const at::Tensor& x) override { return bn_->forward(conv_->forward(x), *prelu_); }

 private:
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> bn_;
  std::shared_ptr<PReLU> prelu_;
};

// Convolution, batch normalisation, and the residual sum if there is one.
class LinearBlock : public Layer {
 public:
  explicit LinearBlock(const ConvShape& shape) : conv_(add<Conv>(shape)), bn_(add<BatchNorm>(shape.out)) {}
  at::Tensor forward(const at::Tensor& x) override { return bn_->forward(conv_->forward(x)); }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& residual) {
    return bn_->forward(conv_->forward(x), residual);
  }

 private:
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> bn_;
};

ConvShape pointwise(int64_t in, int64_t out) { return {.in = in, .out = out, .kernel = 1, .padding = 0}; }

// 1×1 expansion to `groups` channels, depthwise 3×3, 1×1 projection.
class DepthWise : public Layer {
 public:
  DepthWise(int64_t in, int64_t out, int64_t groups, int64_t stride)
      : expand_(add<ConvBlock>(pointwise(in, groups))),
        depthwise_(
            add<ConvBlock>(ConvShape{.in = groups, .out = groups, .stride = stride, .groups = groups})),
        project_(add<LinearBlock>(pointwise(groups, out))),
        residual_(stride == 1) {}

  at::Tensor forward(const at::Tensor& x) override {
    const at::Tensor y = depthwise_->forward(expand_->forward(x));
    return residual_ ? project_->forward(y, x) : project_->forward(y);
  }

 private:
  std::shared_ptr<ConvBlock> expand_, depthwise_;
  std::shared_ptr<LinearBlock> project_;
  bool residual_;
};

class Residual : public Layer {
 public:
  Residual(int64_t channels, int64_t num_blocks, int64_t groups) {
    for (int64_t i = 0; i < num_blocks; ++i) blocks_.push_back(add<DepthWise>(channels, channels, groups, 1));
  }
  at::Tensor forward(const at::Tensor& x) override {
    at::Tensor y = x;
    for (const auto& block : blocks_) y = block->forward(y);
    return y;
  }

 private:
  std::vector<std::shared_ptr<DepthWise>> blocks_;
};

// The global depthwise convolution, the embedding and its normalisation. Layer 1, a flatten, has no
// parameters.
class Features : public Layer {
 public:
  Features(int64_t channels, int64_t embedding_size)
      : global_(add<LinearBlock>(
            ConvShape{.in = channels, .out = channels, .kernel = 7, .padding = 0, .groups = channels})),
        flatten_(add<torch::nn::Module>()),
        linear_(add<Linear>(channels, embedding_size, /*bias=*/false)),
        bn_(add<BatchNorm>(embedding_size)) {}
  at::Tensor forward(const at::Tensor& x) override {
    return bn_->forward(linear_->forward(global_->forward(x).flatten(1)));
  }

 private:
  std::shared_ptr<LinearBlock> global_;
  std::shared_ptr<torch::nn::Module> flatten_;
  std::shared_ptr<Linear> linear_;
  std::shared_ptr<BatchNorm> bn_;
};

class MobileFaceNet : public Backbone {
 public:
  explicit MobileFaceNet(const MobileFaceNetConfig& config) : embedding_size_(config.embedding_size) {
    const BlocksPerStage blocks = blocks_per_stage(config);
    const int64_t scale = config.large ? 4 : 2;
    const auto channels = [&](int64_t count) { return scaled_channels(count, config.width); };
    const int64_t narrow = channels(64 * scale), wide = channels(128 * scale), last = channels(512);

    add<ConvBlock>(ConvShape{.in = 3, .out = narrow, .stride = 2});
    if (config.large) {
      add<Residual>(narrow, blocks[0], channels(128));
    } else {
      add<ConvBlock>(ConvShape{.in = narrow, .out = narrow, .groups = narrow / 2});
    }
    add<DepthWise>(narrow, narrow, channels(128), /*stride=*/2);
    add<Residual>(narrow, blocks[1], channels(128));
    add<DepthWise>(narrow, wide, channels(256), /*stride=*/2);
    add<Residual>(wide, blocks[2], channels(256));
    add<DepthWise>(wide, wide, channels(512), /*stride=*/2);
    add<Residual>(wide, blocks[3], channels(256));
    conv_sep_ = register_module("conv_sep", std::make_shared<ConvBlock>(pointwise(wide, last)));
    features_ = register_module("features", std::make_shared<Features>(last, embedding_size_));
  }

  at::Tensor forward(const at::Tensor& pixels) override {
    at::Tensor x = pixels;
    for (const auto& layer : layers_) x = layer->forward(x);
    return features_->forward(conv_sep_->forward(at_least_float32(x)));
  }

  int64_t embedding_size() const override { return embedding_size_; }

 private:
  template <class Child, class... Args>
  void add(Args&&... args) {
    layers_.push_back(std::make_shared<Child>(std::forward<Args>(args)...));
    children_->push_back(layers_.back());
  }

  int64_t embedding_size_;
  torch::nn::ModuleList children_ = register_module("layers", torch::nn::ModuleList());
  std::vector<std::shared_ptr<Layer>> layers_;
  std::shared_ptr<ConvBlock> conv_sep_;
  std::shared_ptr<Features> features_;
};

}  // namespace

std::shared_ptr<Backbone> make_mobilefacenet(const MobileFaceNetConfig& config) {
  return std::make_shared<MobileFaceNet>(config);
}

}  // namespace uir
