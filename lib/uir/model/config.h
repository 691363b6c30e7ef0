// Config of the network. Free of LibTorch.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <variant>

#include "uir/base/error.h"
#include "uir/config/visitor.h"

namespace uir {

struct IResNetConfig {
  static constexpr std::string_view kType = "iresnet";
  int64_t depth = 50;
  double width = 1;
  int64_t embedding_size = 512;
  double dropout = 0;
  bool operator==(const IResNetConfig&) const = default;
};
template <class Visitor>
void describe(Visitor& v, IResNetConfig& c) {
  v.field("depth", c.depth, "18, 34, 50, 100 or 200.", Between{18, 200});
  v.field("width", c.width, "Multiplier of all channel counts (1: InsightFace's network).", Between{0.03, 4});
  v.field("embedding_size", c.embedding_size, "Length of the embedding.", Between{2, 65536});
  v.field("dropout", c.dropout, "Dropout before the last linear layer.", Between{0, 0.9});
}

struct MobileFaceNetConfig {
  static constexpr std::string_view kType = "mobilefacenet";
  bool large = false;
  double width = 1;
  int64_t embedding_size = 512;
  bool operator==(const MobileFaceNetConfig&) const = default;
};
template <class Visitor>
void describe(Visitor& v, MobileFaceNetConfig& c) {
  v.field("large", c.large, "mbf_large (blocks 2, 8, 12, 4, doubled channels) instead of mbf.");
  v.field("width", c.width, "Multiplier of all channel counts (1: InsightFace's network).", Between{0.03, 4});
  v.field("embedding_size", c.embedding_size, "Length of the embedding.", Between{2, 65536});
}

using BlocksPerStage = std::array<int64_t, 4>;

inline BlocksPerStage blocks_per_stage(const IResNetConfig& config) {
  switch (config.depth) {
    case 18:
      return {2, 2, 2, 2};
    case 34:
      return {3, 4, 6, 3};
    case 50:
      return {3, 4, 14, 3};
    case 100:
      return {3, 13, 30, 3};
    case 200:
      return {6, 26, 60, 6};
    default:
      fail(ErrorKind::kConfig, "model: iresnet has no depth ", config.depth,
           "; choose 18, 34, 50, 100 or 200");
  }
}
inline BlocksPerStage blocks_per_stage(const MobileFaceNetConfig& config) {
  return config.large ? BlocksPerStage{2, 8, 12, 4} : BlocksPerStage{1, 4, 6, 2};
}

// Channels at a width: the nearest multiple of 8, at least 8.
inline int64_t scaled_channels(int64_t channels, double width) {
  const double multiple = std::round(static_cast<double>(channels) * width / 8);
  return 8 * std::max<int64_t>(1, static_cast<int64_t>(multiple));
}

struct ModelConfig {
  std::variant<MobileFaceNetConfig, IResNetConfig> backbone;
  bool operator==(const ModelConfig&) const = default;
};
template <class Visitor>
void describe(Visitor& v, ModelConfig& c) {
  v.variant("type", c.backbone, "The network.");
}

}  // namespace uir
