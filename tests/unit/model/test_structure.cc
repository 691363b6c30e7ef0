// Structure, names and initial weights of the networks.
#include <ATen/ATen.h>

#include "uir/model/backbone.h"
//
#include <algorithm>
#include <map>
#include <set>

#include "support/catch.h"
#include "uir/base/error.h"

namespace uir {
namespace {

ModelConfig iresnet(int64_t depth, double width = 1, double dropout = 0) {
  return {IResNetConfig{.depth = depth, .width = width, .dropout = dropout}};
}
ModelConfig mobilefacenet(bool large, double width = 1) {
  return {MobileFaceNetConfig{.large = large, .width = width}};
}

std::map<std::string, at::Tensor> state_map(const Backbone& network) {
  std::map<std::string, at::Tensor> map;
  for (const auto& [key, tensor] : named_state(network)) map[key] = tensor;
  return map;
}

TEST_CASE("key and parameter counts are InsightFace's") {
  struct Row {
    ModelConfig config;
    size_t keys;
    int64_t parameters;
  };
  const Row table[] = {{iresnet(18), 187, 24'025'600},       {iresnet(34), 331, 34'139'328},
                       {iresnet(50), 475, 43'590'848},       {iresnet(100), 925, 65'156'160},
                       {iresnet(200), 1807, 118'833'920},    {mobilefacenet(false), 333, 2'059'520},
                       {mobilefacenet(true), 606, 6'314'880}};
  for (const Row& row : table) {
    const auto network = make_uninitialized_backbone(row.config, 0);
    CHECK(named_state(*network).size() == row.keys);
    CHECK(num_parameters(*network) == row.parameters);
    CHECK(network->embedding_size() == 512);
  }
}

TEST_CASE("named_state holds exactly the named parameters and buffers") {
  const auto network = make_backbone(iresnet(18, 0.125), 1);
  const auto state = state_map(*network);
  CHECK(state.size() == network->named_parameters().size() + network->named_buffers().size());
  for (const auto& item : network->named_parameters()) CHECK(state.at(item.key()).is_same(item.value()));
  for (const auto& item : network->named_buffers()) CHECK(state.at(item.key()).is_same(item.value()));
}

TEST_CASE("IResNet's keys stand in InsightFace's order") {
  std::vector<std::string> keys;
  for (const auto& [key, tensor] : named_state(*make_backbone(iresnet(18, 0.125), 1))) keys.push_back(key);
  const auto bn = [](const std::string& name) {
    return std::vector<std::string>{name + ".weight", name + ".bias", name + ".running_mean",
                                    name + ".running_var", name + ".num_batches_tracked"};
  };
  std::vector<std::string> expected;
  const auto add = [&](const std::vector<std::string>& more) {
    expected.insert(expected.end(), more.begin(), more.end());
  };
  add({"conv1.weight"});
  add(bn("bn1"));
  add({"prelu.weight"});
  for (int stage = 1; stage <= 4; ++stage) {
    for (int b = 0; b < 2; ++b) {
      const std::string block = "layer" + std::to_string(stage) + "." + std::to_string(b) + ".";
      add(bn(block + "bn1"));
      add({block + "conv1.weight"});
      add(bn(block + "bn2"));
      add({block + "prelu.weight", block + "conv2.weight"});
      add(bn(block + "bn3"));
      if (b == 0) add({block + "downsample.0.weight"});
      if (b == 0) add(bn(block + "downsample.1"));
    }
  }
  add(bn("bn2"));
  add({"fc.weight", "fc.bias"});
  add(bn("features"));
  CHECK(keys == expected);
}

TEST_CASE("MobileFaceNet's names and shapes are InsightFace's") {
  const auto state = state_map(*make_uninitialized_backbone(mobilefacenet(false), 0));
  const std::map<std::string, std::vector<int64_t>> expected = {
      {"layers.0.layers.0.weight", {128, 3, 3, 3}},
      {"layers.0.layers.1.num_batches_tracked", {}},
      {"layers.0.layers.2.weight", {128}},
      {"layers.1.layers.0.weight", {128, 2, 3, 3}},
      {"layers.2.layers.0.layers.0.weight", {128, 128, 1, 1}},
      {"layers.2.layers.1.layers.0.weight", {128, 1, 3, 3}},
      {"layers.2.layers.2.layers.1.running_var", {128}},
      {"layers.3.layers.3.layers.1.layers.2.weight", {128}},
      {"layers.4.layers.0.layers.0.weight", {256, 128, 1, 1}},
      {"layers.5.layers.5.layers.2.layers.0.weight", {256, 256, 1, 1}},
      {"layers.6.layers.1.layers.0.weight", {512, 1, 3, 3}},
      {"layers.6.layers.2.layers.0.weight", {256, 512, 1, 1}},
      {"layers.7.layers.1.layers.1.layers.0.weight", {256, 1, 3, 3}},
      {"conv_sep.layers.0.weight", {512, 256, 1, 1}},
      {"conv_sep.layers.2.weight", {512}},
      {"features.layers.0.layers.0.weight", {512, 1, 7, 7}},
      {"features.layers.0.layers.1.bias", {512}},
      {"features.layers.2.weight", {512, 512}},
      {"features.layers.3.running_mean", {512}},
  };
  for (const auto& [key, shape] : expected) {
    INFO(key);
    REQUIRE(state.count(key) == 1);
    CHECK(state.at(key).sizes().vec() == shape);
  }
  CHECK(state.count("layers.3.layers.4.layers.0.layers.0.weight") == 0);
  const auto large = state_map(*make_uninitialized_backbone(mobilefacenet(true), 0));
  CHECK(large.at("layers.1.layers.0.layers.0.layers.0.weight").sizes() == at::IntArrayRef({128, 256, 1, 1}));
  CHECK(large.at("layers.5.layers.11.layers.2.layers.0.weight").sizes() == at::IntArrayRef({512, 256, 1, 1}));
}

TEST_CASE("initial weights have the published distribution") {
  const auto check = [](const at::Tensor& weight, double deviation) {
    const auto n = static_cast<double>(weight.numel());
    CHECK(std::abs(weight.mean().item<double>()) < 5 * deviation / std::sqrt(n));
    CHECK(weight.std().item<double>() == Approx(deviation).epsilon(5 / std::sqrt(2 * n)));
    // The fourth moment tells a normal (3) from a uniform distribution (1.8).
    const double kurtosis = (weight.pow(4).mean() / weight.pow(2).mean().square()).item<double>();
    CHECK(kurtosis == Approx(3).margin(5 * std::sqrt(96 / n)));
  };
  const auto mobile = state_map(*make_backbone(mobilefacenet(false, 0.5), 7));
  check(mobile.at("layers.5.layers.0.layers.0.layers.0.weight"), std::sqrt(2.0 / 128));
  check(mobile.at("layers.5.layers.0.layers.1.layers.0.weight"), std::sqrt(2.0 / (128 * 9)));
  check(mobile.at("features.layers.2.weight"), std::sqrt(2.0 / 512));
  CHECK(mobile.at("layers.0.layers.2.weight").eq(0.25).all().item<bool>());
  CHECK(mobile.at("layers.0.layers.1.weight").eq(1).all().item<bool>());
  CHECK(mobile.at("layers.0.layers.1.bias").eq(0).all().item<bool>());

  const auto residual = state_map(*make_backbone(iresnet(18, 0.25), 7));
  check(residual.at("layer3.1.conv1.weight"), 0.1);
  const at::Tensor fc = residual.at("fc.weight");
  const double bound = 1 / std::sqrt(128.0 * 49);
  CHECK(fc.abs().max().item<double>() <= bound);
  CHECK(fc.std().item<double>() == Approx(bound / std::sqrt(3.0)).epsilon(0.01));
  CHECK(residual.at("fc.bias").abs().max().item<double>() <= bound);
}

TEST_CASE("the last normalisation of IResNet has a fixed weight, everything else is trained") {
  for (const auto& item : make_backbone(iresnet(18, 0.125), 1)->named_parameters()) {
    CHECK(item.value().requires_grad() == (item.key() != "features.weight"));
  }
  for (const auto& item : make_backbone(mobilefacenet(false, 0.125), 1)->named_parameters()) {
    CHECK(item.value().requires_grad());
  }
}

TEST_CASE("weights are a function of the seed alone") {
  at::manual_seed(1);
  const auto first = state_map(*make_backbone(mobilefacenet(false, 0.25), 42));
  at::manual_seed(2);
  const auto second = state_map(*make_backbone(mobilefacenet(false, 0.25), 42));
  const auto other = state_map(*make_backbone(mobilefacenet(false, 0.25), 43));
  for (const auto& [key, tensor] : first) CHECK(tensor.equal(second.at(key)));
  CHECK_FALSE(first.at("layers.1.layers.0.weight").equal(other.at("layers.1.layers.0.weight")));
  // Layers of the same shape differ.
  CHECK_FALSE(first.at("layers.3.layers.0.layers.0.layers.0.weight")
                  .equal(first.at("layers.3.layers.1.layers.0.layers.0.weight")));
}

TEST_CASE("a width multiplier rounds channels to multiples of 8 and keeps the embedding") {
  const auto state = state_map(*make_uninitialized_backbone(mobilefacenet(false, 0.1), 0));
  CHECK(state.at("layers.0.layers.0.weight").sizes() == at::IntArrayRef({16, 3, 3, 3}));
  CHECK(state.at("layers.1.layers.0.weight").sizes() == at::IntArrayRef({16, 2, 3, 3}));
  CHECK(state.at("conv_sep.layers.0.weight").sizes() == at::IntArrayRef({48, 24, 1, 1}));
  CHECK(state.at("features.layers.2.weight").sizes() == at::IntArrayRef({512, 48}));
  ModelConfig config{IResNetConfig{.depth = 18, .width = 0.03, .embedding_size = 30}};
  const auto tiny = state_map(*make_uninitialized_backbone(config, 0));
  CHECK(tiny.at("layer1.0.conv1.weight").sizes() == at::IntArrayRef({8, 8, 3, 3}));
  CHECK(tiny.at("fc.weight").sizes() == at::IntArrayRef({30, 16 * 49}));
}

TEST_CASE("an unknown depth is a config error that lists the known ones") {
  try {
    make_backbone(iresnet(42), 0);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kConfig);
    CHECK(std::string(e.what()).find("depth 42; choose 18, 34, 50, 100 or 200") != std::string::npos);
  }
}

}  // namespace
}  // namespace uir
