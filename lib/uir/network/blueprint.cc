#include "uir/network/blueprint.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "uir/network/blueprint_writer.h"

namespace uir {
namespace {

Blueprint blueprint_of(const IResNetConfig& config) { return iresnet_blueprint(config); }
Blueprint blueprint_of(const MobileFaceNetConfig& config) { return mobilefacenet_blueprint(config); }

}  // namespace

int64_t Op::parameters() const {
  switch (kind) {
    case OpKind::kConv:
      return out_channels * in_channels / groups * kernel * kernel + (bias ? out_channels : 0);
    case OpKind::kBatchNorm:
      return 2 * in_channels;
    case OpKind::kPReLU:
      return in_channels;
    case OpKind::kLinear:
      return out_channels * in_channels + (bias ? out_channels : 0);
    default:
      return 0;
  }
}

int64_t Op::multiply_adds() const {
  const bool multiplies = kind == OpKind::kConv || kind == OpKind::kLinear;
  return multiplies ? out_elements() * in_channels / groups * kernel * kernel : 0;
}

bool Op::thins_input() const {
  return kind == OpKind::kConv && kernel == 1 && stride > 1 && in_channels % 16 != 0;
}

Blueprint network_blueprint(const ModelConfig& config) {
  return std::visit([](const auto& network) { return blueprint_of(network); }, config.backbone);
}

std::vector<int64_t> evaluation_order(const std::vector<Op>& ops) {
  std::vector<int64_t> order(ops.size());
  std::iota(order.begin(), order.end(), 0);
  for (const int64_t sum : std::vector(order)) {
    if (ops[sum].kind != OpKind::kAdd) continue;
    // Between a block's result and the sum stand the operations of the shortcut, if it has any.
    const int64_t first = ops[sum].inputs[0] + 1;
    if (first == sum) continue;
    const int64_t block_input = ops[first].inputs[0];
    std::rotate(order.begin() + block_input + 1, order.begin() + first, order.begin() + sum);
  }
  return order;
}

}  // namespace uir
