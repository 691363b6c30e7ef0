// Config of the network. Free of LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "uir/config/visitor.h"

namespace uir {

// The depths that there are, ascending, with the residual blocks of their four stages. A new one is a line.
struct IResNetDepth {
  int64_t depth;
  std::array<int64_t, 4> blocks;
};
inline constexpr auto kIResNetDepths = std::to_array<IResNetDepth>({{18, {2, 2, 2, 2}},
                                                                    {34, {3, 4, 6, 3}},
                                                                    {50, {3, 4, 14, 3}},
                                                                    {100, {3, 13, 30, 3}},
                                                                    {200, {6, 26, 60, 6}}});
// Null for an unknown depth.
inline const IResNetDepth* find_iresnet_depth(int64_t depth) {
  for (const IResNetDepth& known : kIResNetDepths) {
    if (known.depth == depth) return &known;
  }
  return nullptr;
}
// "18, 34, 50, 100 or 200"
inline std::string iresnet_depths() {
  std::string words;
  for (size_t i = 0; i < kIResNetDepths.size(); ++i) {
    if (i > 0) words += i + 1 < kIResNetDepths.size() ? ", " : " or ";
    words += std::to_string(kIResNetDepths[i].depth);
  }
  return words;
}

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
  v.field("depth", c.depth, iresnet_depths() + ".",
          Between{kIResNetDepths.front().depth, kIResNetDepths.back().depth});
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

struct ModelConfig {
  std::variant<MobileFaceNetConfig, IResNetConfig> backbone;
  bool operator==(const ModelConfig&) const = default;
};
template <class Visitor>
void describe(Visitor& v, ModelConfig& c) {
  v.variant("type", c.backbone, "The network.");
}

}  // namespace uir
