// The networks against an independent construction from LibTorch's operators with the same weights.
#include <torch/torch.h>

#include "uir/model/backbone.h"
//
#include <map>

#include "support/catch.h"
#include "support/plain_network.h"
#include "support/tensor_errors.h"

namespace uir {
namespace {

at::Tensor random_pixels(int64_t batch) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const at::Tensor images =
      at::randint(0, 256, {batch, 112, 112, 3}, generator, at::TensorOptions(at::kByte));
  return normalize_pixels(images, at::kFloat);
}

void randomize_normalisation(Backbone& network) {
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(9);
  at::NoGradGuard no_grad;
  for (const auto& [key, tensor] : named_state(network)) {
    if (tensor.dim() == 1 && tensor.requires_grad()) tensor.add_(at::randn(tensor.sizes(), generator), 0.1);
    if (key.ends_with("running_var")) tensor.uniform_(0.5, 2, generator);
    if (key.ends_with("running_mean")) tensor.normal_(0, 0.3, generator);
  }
}

void compare_training(const ModelConfig& config) {
  const auto network = make_backbone(config, 3);
  randomize_normalisation(*network);
  PlainNetwork reference(*network, /*training=*/true);
  const at::Tensor pixels = random_pixels(4);
  const at::Tensor direction =
      at::randn({4, network->embedding_size()}, at::make_generator<at::CPUGeneratorImpl>(6));

  const at::Tensor embeddings = network->forward(pixels);
  (embeddings * direction).sum().backward();
  const at::Tensor expected = reference.forward(pixels.contiguous());
  (expected * direction).sum().backward();

  CHECK(embeddings.scalar_type() == at::kFloat);
  CHECK(relative_error(embeddings, expected) < 1e-4);
  // Some gradients vanish in exact arithmetic (biases in front of another normalisation): the measure of all
  // is the largest one.
  double largest = 0;
  for (const auto& item : network->named_parameters()) {
    if (item.value().requires_grad()) largest = std::max(largest, item.value().grad().norm().item<double>());
  }
  for (const auto& [key, tensor] : named_state(*network)) {
    INFO(key);
    if (tensor.requires_grad()) {
      const at::Tensor expected_gradient = reference[key].grad();
      const double error = (tensor.grad() - expected_gradient).norm().item<double>();
      CHECK(error < 0.05 * expected_gradient.norm().item<double>() + 1e-5 * largest);
    } else if (key.ends_with("num_batches_tracked")) {
      CHECK(tensor.item<int64_t>() == 1);
    } else {
      CHECK(relative_error(tensor, reference[key]) < 1e-4);
    }
  }
}

void compare_evaluation(const ModelConfig& config) {
  const auto network = make_backbone(config, 4);
  randomize_normalisation(*network);
  network->eval();
  const at::Tensor pixels = random_pixels(2);
  at::NoGradGuard no_grad;
  const at::Tensor embeddings = network->forward(pixels);
  PlainNetwork reference(*network, /*training=*/false);
  CHECK(relative_error(embeddings, reference.forward(pixels.contiguous())) < 1e-5);
  const at::Tensor half = network->forward(pixels.to(at::kBFloat16));
  CHECK(half.scalar_type() == at::kFloat);
  CHECK(at::cosine_similarity(half, embeddings).min().item<double>() > 0.999);
}

const ModelConfig kResidual{IResNetConfig{.depth = 18, .width = 0.25}};
const ModelConfig kMobile{MobileFaceNetConfig{.width = 0.25}};
const ModelConfig kLarge{MobileFaceNetConfig{.large = true, .width = 0.125}};

TEST_CASE("IResNet trains as LibTorch's modules do") { compare_training(kResidual); }
TEST_CASE("MobileFaceNet trains as LibTorch's modules do") { compare_training(kMobile); }
TEST_CASE("the large MobileFaceNet trains as LibTorch's modules do") { compare_training(kLarge); }
TEST_CASE("IResNet evaluates as LibTorch's modules do") { compare_evaluation(kResidual); }
TEST_CASE("MobileFaceNet evaluates as LibTorch's modules do") {
  compare_evaluation(kMobile);
  compare_evaluation(kLarge);
}

TEST_CASE("training in bf16 is close to training in float32 and gives float32 gradients") {
  for (const ModelConfig& config : {kResidual, kMobile}) {
    const at::Tensor pixels = random_pixels(8);
    std::vector<at::Tensor> gradients[2];
    at::Tensor embeddings[2];
    for (int i = 0; i < 2; ++i) {
      const auto network = make_backbone(config, 3);
      embeddings[i] = network->forward(pixels.to(i == 0 ? at::kFloat : at::kBFloat16));
      embeddings[i].slice(1, 0, 8).sum().backward();
      for (const at::Tensor& parameter : network->parameters()) {
        if (!parameter.requires_grad()) continue;
        CHECK(parameter.grad().scalar_type() == at::kFloat);
        gradients[i].push_back(parameter.grad().flatten());
      }
    }
    CHECK(relative_error(embeddings[1], embeddings[0]) < 0.1);
    const at::Tensor half = at::cat(gradients[1]), full = at::cat(gradients[0]);
    CHECK(at::cosine_similarity(half, full, 0).item<double>() > 0.95);
  }
}

TEST_CASE("evaluation does not depend on the other images of the batch") {
  const auto network = make_backbone(kMobile, 3);
  network->eval();
  at::NoGradGuard no_grad;
  const at::Tensor pixels = random_pixels(4);
  const at::Tensor all = network->forward(pixels);
  CHECK(relative_error(network->forward(pixels.slice(0, 2, 3)), all.slice(0, 2, 3)) < 1e-5);
}

TEST_CASE("dropout repeats with the state dict and drops the wanted share") {
  const ModelConfig config{IResNetConfig{.depth = 18, .width = 0.03, .embedding_size = 16, .dropout = 0.4}};
  const at::Tensor pixels = random_pixels(4);
  const auto first = make_backbone(config, 3), second = make_backbone(config, 3);
  const at::Tensor a1 = first->forward(pixels), b1 = second->forward(pixels);
  CHECK(a1.equal(b1));
  const at::Tensor a2 = first->forward(pixels);
  CHECK_FALSE(a2.equal(a1));  // another mask
  CHECK(a2.equal(second->forward(pixels)));
  first->eval();
  CHECK(first->forward(pixels).equal(first->forward(pixels)));
}

TEST_CASE("dropout knows rows by the numbers that they are given") {
  const ModelConfig config{IResNetConfig{.depth = 18, .width = 0.03, .embedding_size = 16, .dropout = 0.4}};
  const at::Tensor pixels = random_pixels(2).repeat({2, 1, 1, 1});  // rows 0 and 2 are one image
  const auto plain = make_backbone(config, 3), numbered = make_backbone(config, 3),
             alike = make_backbone(config, 3);
  numbered->number_rows({0, 1, 2, 3});
  alike->number_rows({5, 1, 5, 1});
  const at::Tensor expected = plain->forward(pixels);
  CHECK(numbered->forward(pixels).equal(expected));
  CHECK(relative_error(expected[0], expected[2]) > 1e-3);
  const at::Tensor same = alike->forward(pixels);
  CHECK(relative_error(same[0], same[2]) < 1e-5);
}

TEST_CASE("normalize_pixels maps 0..255 to −1..1 without moving bytes") {
  const at::Tensor images =
      at::arange(0, 2 * 5 * 7 * 3, at::kInt).remainder(256).to(at::kByte).view({2, 5, 7, 3});
  const at::Tensor pixels = normalize_pixels(images, at::kFloat);
  CHECK(pixels.sizes() == at::IntArrayRef({2, 3, 5, 7}));
  CHECK(pixels.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(pixels.equal((images.permute({0, 3, 1, 2}).to(at::kFloat) - 127.5) / 127.5));
  const at::Tensor half = normalize_pixels(images, at::kBFloat16);
  CHECK(half.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK(half.equal(pixels.to(at::kBFloat16)));
  CHECK(normalize_pixels(images.to(at::kByte).slice(2, 1, 6), at::kFloat).equal(pixels.slice(3, 1, 6)));
}

}  // namespace
}  // namespace uir
