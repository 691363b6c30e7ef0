// A YuNet computed plainly in float64 from the weights of a network, and random networks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "uir/yunet/forward_pass.h"

// Numbers [height][width][channels].
struct NaiveMap {
  int64_t width = 0, height = 0, channels = 0;
  std::vector<double> numbers;

  NaiveMap(int64_t w, int64_t h, int64_t c)
      : width(w), height(h), channels(c), numbers(static_cast<size_t>(w * h * c)) {}
  double& at(int64_t x, int64_t y, int64_t c) {
    return numbers[static_cast<size_t>((y * width + x) * channels + c)];
  }
  double get(int64_t x, int64_t y, int64_t c) const {
    if (x < 0 || y < 0 || x >= width || y >= height) return 0;
    return numbers[static_cast<size_t>((y * width + x) * channels + c)];
  }
};

inline double number_of(const std::vector<uir::Block>& blocks, int64_t i) {
  return static_cast<double>(blocks[static_cast<size_t>(i / uir::kBlock)].channels[i % uir::kBlock]);
}

inline NaiveMap naive_stem(const uir::YuNetStem& stem, const uir::YuNetPicture& picture) {
  NaiveMap in(picture.seen_width, picture.seen_height, 3);
  for (int64_t y = 0; y < picture.height; ++y) {
    for (int64_t x = 0; x < picture.width; ++x) {
      for (int64_t c = 0; c < 3; ++c) in.at(x, y, c) = picture.rgb[(y * picture.width + x) * 3 + c];
    }
  }
  NaiveMap out((in.width + 1) / 2, (in.height + 1) / 2, 16);
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      for (int64_t c = 0; c < 16; ++c) {
        double sum = number_of(stem.bias, c);
        for (int64_t tap = 0; tap < 27; ++tap)
          sum += number_of(stem.weights, tap * 16 + c) *
                 in.get(2 * x + tap / 3 % 3 - 1, 2 * y + tap / 9 - 1, tap % 3);
        out.at(x, y, c) = std::max(sum, 0.);
      }
    }
  }
  return out;
}

inline NaiveMap naive_unit(const uir::YuNetUnit& unit, const NaiveMap& in) {
  const int64_t channels = unit.out_blocks * 16;
  NaiveMap between(in.width, in.height, channels), out = between;
  for (int64_t y = 0; y < in.height; ++y) {
    for (int64_t x = 0; x < in.width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        double sum = number_of(unit.pointwise_bias, c);
        for (int64_t k = 0; k < in.channels; ++k)
          sum += number_of(unit.pointwise, k * channels + c) * in.get(x, y, k);
        between.at(x, y, c) = sum;
      }
    }
  }
  for (int64_t y = 0; y < in.height; ++y) {
    for (int64_t x = 0; x < in.width; ++x) {
      for (int64_t c = 0; c < channels; ++c) {
        double sum = number_of(unit.depthwise_bias, c);
        for (int64_t tap = 0; tap < 9; ++tap)
          sum += number_of(unit.depthwise, (c / 16 * 9 + tap) * 16 + c % 16) *
                 between.get(x + tap % 3 - 1, y + tap / 3 - 1, c);
        out.at(x, y, c) = unit.relu ? std::max(sum, 0.) : sum;
      }
    }
  }
  return out;
}

inline NaiveMap naive_half(const NaiveMap& in) {
  NaiveMap out(in.width / 2, in.height / 2, in.channels);
  for (int64_t y = 0; y < out.height; ++y) {
    for (int64_t x = 0; x < out.width; ++x) {
      for (int64_t c = 0; c < in.channels; ++c)
        out.at(x, y, c) = std::max({in.get(2 * x, 2 * y, c), in.get(2 * x + 1, 2 * y, c),
                                    in.get(2 * x, 2 * y + 1, c), in.get(2 * x + 1, 2 * y + 1, c)});
    }
  }
  return out;
}

inline std::vector<NaiveMap> naive_yunet(const uir::YuNetNetwork& network, const uir::YuNetPicture& picture) {
  NaiveMap map = naive_stem(network.stem, picture);
  std::vector<NaiveMap> trunk;
  for (size_t i = 0; i < network.stages.size(); ++i) {
    if (i > 0) map = naive_half(map);
    for (const uir::YuNetUnit& unit : network.stages[i]) map = naive_unit(unit, map);
    if (i >= 2) trunk.push_back(map);
  }
  for (size_t i = trunk.size(); i-- > 0;) {
    const uir::YuNetBranch& branch = network.branches[i];
    if (branch.neck.empty()) continue;
    NaiveMap& own = trunk[i];
    for (int64_t y = 0; i + 1 < trunk.size() && y < own.height; ++y) {
      for (int64_t x = 0; x < own.width; ++x) {
        for (int64_t c = 0; c < own.channels; ++c) own.at(x, y, c) += trunk[i + 1].get(x / 2, y / 2, c);
      }
    }
    own = naive_unit(branch.neck[0], own);
  }
  for (size_t i = 0; i < trunk.size(); ++i) {
    for (const uir::YuNetUnit& unit : network.branches[i].head) trunk[i] = naive_unit(unit, trunk[i]);
  }
  return trunk;
}

// Of the shape of the published ones, with weights that keep numbers at their size.
class RandomYuNet {
 public:
  explicit RandomYuNet(unsigned seed) : random_(seed) {}

  uir::YuNetNetwork of(uir::YuNetGeneration generation) {
    const bool old = generation == uir::YuNetGeneration::k2022;
    uir::YuNetNetwork network;
    network.generation = generation;
    network.stem = {blocks(27, 0.005f), blocks(1, 0.1f)};
    network.stages = old ? std::vector{chain({1, 1}),    chain({1, 1, 4, 4, 4}), chain({4, 4, 4}),
                                       chain({4, 4, 4}), chain({4, 4, 4}),       chain({4, 4, 4})}
                         : std::vector{chain({1, 1}), chain({1, 1, 2, 2, 4}), chain({4, 4, 4}),
                                       chain({4, 4, 4}), chain({4, 4, 4})};
    network.branches.resize(network.stages.size() - 2);
    constexpr int64_t kNumbers[4] = {4, 3, 3, 4};
    for (size_t i = 0; i < network.branches.size(); ++i) {
      uir::YuNetBranch& branch = network.branches[i];
      if (!old) branch.neck = chain({4, 4});
      branch.head = old ? chain({4, 4, kNumbers[i]}) : chain({4, 1});
      branch.head.back().relu = false;
    }
    return network;
  }

 private:
  std::vector<uir::Block> blocks(int64_t count, float spread) {
    std::normal_distribution<float> normal(0, spread);
    std::vector<uir::Block> result(static_cast<size_t>(count));
    for (uir::Block& block : result) std::ranges::generate(block.channels, [&] { return normal(random_); });
    return result;
  }
  std::vector<uir::YuNetUnit> chain(const std::vector<int64_t>& sizes) {
    std::vector<uir::YuNetUnit> units;
    for (size_t i = 1; i < sizes.size(); ++i) {
      const int64_t in = sizes[i - 1], out = sizes[i];
      const float spread = std::sqrt(2.f / static_cast<float>(16 * in));
      units.push_back({in, out, blocks(16 * in * out, spread), blocks(out, 0.1f), blocks(9 * out, 0.33f),
                       blocks(out, 0.1f), true});
    }
    return units;
  }

  std::mt19937 random_;
};
