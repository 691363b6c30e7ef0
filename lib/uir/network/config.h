// Config of the network. Free of LibTorch.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

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

struct ModelConfig {
  std::variant<MobileFaceNetConfig, IResNetConfig> backbone;
  bool operator==(const ModelConfig&) const = default;
};
template <class Visitor>
void describe(Visitor& v, ModelConfig& c) {
  v.variant("type", c.backbone, "The network.");
}

}  // namespace uir
