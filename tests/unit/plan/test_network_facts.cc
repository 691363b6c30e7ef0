// Published counts, and the rules they follow. tests/unit/model compares the same facts with the networks'
// modules.
#include "support/catch.h"
#include "support/errors.h"
#include "uir/plan/network_facts.h"

using namespace uir;

namespace {

NetworkFacts iresnet(int64_t depth, double width = 1) {
  return network_facts({IResNetConfig{.depth = depth, .width = width}});
}
NetworkFacts mobilefacenet(bool large, double width = 1) {
  return network_facts({MobileFaceNetConfig{.large = large, .width = width}});
}

const LayerFacts& layer(const NetworkFacts& facts, const std::string& name) {
  for (const LayerFacts& layer : facts.layers) {
    if (layer.name == name) return layer;
  }
  throw std::runtime_error("no layer " + name);
}

}  // namespace

TEST_CASE("parameters are those that InsightFace's networks have") {
  CHECK(iresnet(18).parameters() == 24'025'600);
  CHECK(iresnet(34).parameters() == 34'139'328);
  CHECK(iresnet(50).parameters() == 43'590'848);
  CHECK(iresnet(100).parameters() == 65'156'160);
  CHECK(iresnet(200).parameters() == 118'833'920);
  CHECK(mobilefacenet(false).parameters() == 2'059'520);
  CHECK(mobilefacenet(true).parameters() == 6'314'880);
}

TEST_CASE("multiply-adds and the challenge's FLOPs are the published ones") {
  CHECK(mobilefacenet(false).multiply_adds() / 1e9 == Approx(0.4375).margin(0.00005));
  // The organisers' baseline "r100fc (ResNet100FC-IR): 24G FLOPs".
  CHECK(std::round(iresnet(100).challenge_flops() / 1e9) == 24);
}

TEST_CASE("the challenge counts one operation less per output without a bias, divided by the groups") {
  // By hand: 3 → 64 channels, 3×3, at 112×112: (2·27 − 1) operations for each of 64·112² outputs.
  const NetworkFacts plain = iresnet(18);
  const NetworkFacts grouped = mobilefacenet(false);
  int64_t expected = 0;
  for (const LayerFacts& l : grouped.layers) {
    if (l.kind == OpKind::kConv) {
      expected +=
          (2 * l.in_channels * l.kernel * l.kernel - 1) * l.out_size * l.out_size * l.out_channels / l.groups;
    }
  }
  CHECK(grouped.challenge_flops() == expected + 2 * 512 * 512 - 512);
  const LayerFacts stem = layer(plain, "conv1");
  CHECK(stem.multiply_adds() == 27 * 64 * 112 * 112);
  const LayerFacts last = layer(plain, "fc");
  CHECK(last.multiply_adds() == 25088 * 512);
  CHECK(last.parameters() == 25088 * 512 + 512);
}

TEST_CASE("a tensor that two layers keep for backward counts once") {
  const NetworkFacts facts = iresnet(18);
  CHECK(layer(facts, "conv1").kept_elements == 3 * 112 * 112);
  CHECK(layer(facts, "bn1").kept_elements == 64 * 112 * 112);
  CHECK(layer(facts, "layer1.0.downsample.0").kept_elements == 64 * 112 * 112);
  CHECK(layer(facts, "layer1.0.bn1").kept_elements == 0);  // the shortcut keeps the block's input
  CHECK(layer(facts, "layer1.1.bn1").kept_elements == 64 * 56 * 56);
  CHECK(layer(facts, "fc").kept_elements == 25088);
  CHECK(layer(facts, "fc").always_float32);
  CHECK_FALSE(layer(facts, "bn2").always_float32);
  CHECK(layer(mobilefacenet(false), "conv_sep.layers.0").always_float32);
}

TEST_CASE("an unknown depth is refused as the networks refuse it") {
  const auto error = error_of([] { iresnet(42); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kConfig);
  CHECK_THAT(error->what(), contains_text("depth 42; choose 18, 34, 50, 100 or 200"));
}
