#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "naive_yunet.h"
#include "support/catch.h"
#include "support/real_data.h"
#include "uir/onnx/interpreter.h"
#include "uir/onnx/reader.h"
#include "uir/yunet/forward_pass.h"

using namespace uir;

namespace {

std::vector<uint8_t> noise(int64_t width, int64_t height, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> rgb(static_cast<size_t>(width * height * 3));
  for (uint8_t& byte : rgb) byte = static_cast<uint8_t>(random() >> 24);
  return rgb;
}

// The largest difference, as a part of the largest number.
double difference(const YuNetMap& map, const NaiveMap& naive) {
  REQUIRE(map.width == naive.width);
  REQUIRE(map.height == naive.height);
  REQUIRE(map.blocks * kBlock == naive.channels);
  double most = 0, largest = 1e-3;
  for (int64_t y = 0; y < map.height; ++y) {
    for (int64_t x = 0; x < map.width; ++x) {
      for (int64_t c = 0; c < naive.channels; ++c) {
        const double expected = naive.get(x, y, c), is = static_cast<double>(map.at(x, y, c));
        // A NaN must not be passed over.
        most = std::isfinite(is) ? std::max(most, std::abs(is - expected)) : INFINITY;
        largest = std::max(largest, std::abs(expected));
      }
    }
  }
  return most / largest;
}

}  // namespace

TEST_CASE("Every set of kernels computes what plain loops do, at sizes of all kinds", "[yunet]") {
  constexpr int64_t kSizes[][4] = {{64, 64, 64, 64},   {1, 1, 64, 64},     {97, 71, 97, 71}, {96, 70, 96, 96},
                                   {65, 200, 65, 200}, {131, 33, 160, 64}, {223, 5, 223, 66}};
  for (const YuNetGeneration generation : {YuNetGeneration::k2022, YuNetGeneration::k2023}) {
    const YuNetNetwork network = RandomYuNet(1).of(generation);
    std::vector<YuNetPass> passes;
    for (const YuNetKernels& kernels : yunet_kernels()) passes.emplace_back(network, kernels);
    for (const auto& [width, height, seen_width, seen_height] : kSizes) {
      if (generation == YuNetGeneration::k2023 && (seen_width % 32 != 0 || seen_height % 32 != 0)) continue;
      const std::vector<uint8_t> rgb = noise(width, height, 7);
      const YuNetPicture picture{rgb.data(), width, height, seen_width, seen_height};
      const std::vector<NaiveMap> expected = naive_yunet(network, picture);
      for (size_t set = 0; set < passes.size(); ++set) {
        INFO(yunet_kernels()[set].name << ", " << width << "x" << height);
        const std::vector<YuNetMap>& maps = passes[set].run(picture);
        REQUIRE(maps.size() == expected.size());
        for (size_t i = 0; i < maps.size(); ++i) CHECK(difference(maps[i], expected[i]) < 1e-5);
      }
    }
  }
}

namespace {

// The interpreter has no Resize: each is put as a product of shapes, for a picture of this size.
OnnxModel without_resize(OnnxModel model, const std::vector<std::vector<int64_t>>& shapes,
                         std::vector<std::vector<int64_t>>& storage) {
  std::vector<OnnxNode> nodes;
  size_t at = 0;
  storage.reserve(100);
  const auto constant = [&](const std::string& name, std::vector<int64_t> values) {
    storage.push_back(std::move(values));
    model.tensors.push_back({name,
                             {static_cast<int64_t>(storage.back().size())},
                             std::as_bytes(std::span(storage.back())),
                             OnnxType::kInt64});
    return name;
  };
  for (OnnxNode& node : model.nodes) {
    if (node.type != "Resize") {
      nodes.push_back(std::move(node));
      continue;
    }
    const std::vector<int64_t>& s = shapes.at(at++);
    const std::string name = node.outputs[0];
    nodes.push_back({"Reshape",
                     "",
                     {node.inputs[0], constant(name + "a", {1, s[0], s[1], 1, s[2], 1})},
                     {name + "split"},
                     {}});
    nodes.push_back({"Expand",
                     "",
                     {name + "split", constant(name + "b", {1, s[0], s[1], 2, s[2], 2})},
                     {name + "wide"},
                     {}});
    nodes.push_back(
        {"Reshape", "", {name + "wide", constant(name + "c", {1, s[0], 2 * s[1], 2 * s[2]})}, {name}, {}});
  }
  model.nodes = std::move(nodes);
  return model;
}

Array planes(const std::vector<uint8_t>& rgb, int64_t width, int64_t height) {
  Array array{{1, 3, height, width}, std::vector<double>(static_cast<size_t>(3 * width * height))};
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = 0; i < static_cast<size_t>(width * height); ++i)
      array.values[c * static_cast<size_t>(width * height) + i] = rgb[3 * i + 2 - c];
  }
  return array;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("The published networks give what their files say, operator by operator in float64", "[yunet]") {
  const fs::path folder = real_data("detector");
  if (folder.empty()) return;
  for (const auto& [width, height] : {std::pair{96, 64}, {101, 75}, {64, 150}}) {
    const std::vector<uint8_t> rgb = noise(width, height, 3);
    const fs::path path = folder / "face_detection_yunet_2022mar.onnx";
    const OnnxFile file = read_onnx(path);
    const std::vector<Array> expected =
        OnnxInterpreter(file.model, 1).run({{"input", planes(rgb, width, height)}}, {"loc", "conf", "iou"});
    const YuNetNetwork network = read_yunet(path);
    YuNetPass pass(network, yunet_kernels().front());
    size_t prior = 0;
    double most = 0;
    const std::vector<YuNetMap>& maps = pass.run({rgb.data(), width, height, width, height});
    constexpr int64_t kPriors[4] = {3, 2, 2, 3};
    for (size_t i = 0; i < maps.size(); ++i) {
      for (int64_t cell = 0; cell < maps[i].height * maps[i].width * kPriors[i]; ++cell, ++prior) {
        const int64_t place = cell / kPriors[i];
        const auto number = [&](int64_t n) {
          return static_cast<double>(
              maps[i].at(place % maps[i].width, place / maps[i].width, cell % kPriors[i] * 17 + n));
        };
        for (size_t n = 0; n < 14; ++n)
          most = std::max(most,
                          std::abs(number(static_cast<int64_t>(n)) - expected[0].values.at(prior * 14 + n)));
        most =
            std::max(most, std::abs(sigmoid(number(15) - number(14)) - expected[1].values.at(prior * 2 + 1)));
        most = std::max(most, std::abs(number(16) - expected[2].values.at(prior)));
      }
    }
    CHECK(prior == expected[2].values.size());
    CHECK(most < 1e-4);
  }
}

TEST_CASE("The network of 2023 gives what its file says, operator by operator in float64", "[yunet]") {
  const fs::path folder = real_data("detector");
  if (folder.empty()) return;
  const fs::path path = folder / "face_detection_yunet_2023mar.onnx";
  constexpr int64_t kWidth = 128, kHeight = 96;
  const std::vector<uint8_t> rgb = noise(kWidth, kHeight, 3);
  const OnnxFile file = read_onnx(path);
  std::vector<std::vector<int64_t>> storage;
  const OnnxModel model =
      without_resize(file.model, {{64, kHeight / 32, kWidth / 32}, {64, kHeight / 16, kWidth / 16}}, storage);
  const OnnxInterpreter interpreter(model, 1);
  const YuNetNetwork network = read_yunet(path);
  YuNetPass pass(network, yunet_kernels().front());
  const std::vector<YuNetMap>& maps = pass.run({rgb.data(), kWidth, kHeight, kWidth, kHeight});
  REQUIRE(maps.size() == 3);
  for (size_t i = 0; i < maps.size(); ++i) {
    const std::string stride = std::to_string(8 << i);
    const std::vector<Array> expected =
        interpreter.run({{"input", planes(rgb, kWidth, kHeight)}},
                        {"cls_" + stride, "obj_" + stride, "bbox_" + stride, "kps_" + stride});
    constexpr size_t kCounts[4] = {1, 1, 4, 10};
    double most = 0;
    int64_t first = 0;
    for (size_t output = 0; output < 4; ++output) {
      REQUIRE(expected[output].size() ==
              maps[i].width * maps[i].height * static_cast<int64_t>(kCounts[output]));
      for (size_t at = 0; at < expected[output].values.size(); ++at) {
        const auto place = static_cast<int64_t>(at / kCounts[output]);
        const auto number =
            static_cast<double>(maps[i].at(place % maps[i].width, place / maps[i].width,
                                           first + static_cast<int64_t>(at % kCounts[output])));
        most =
            std::max(most, std::abs((output < 2 ? sigmoid(number) : number) - expected[output].values[at]));
      }
      first += static_cast<int64_t>(kCounts[output]);
    }
    CHECK(most < 1e-4);
  }
}
