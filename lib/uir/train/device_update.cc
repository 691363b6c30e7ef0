#include "uir/train/device_update.h"

#include <variant>

#include "uir/device/fused_update.h"

namespace uir {

void update_on_device(const OptimizerConfig& config, double learning_rate, double decay,
                      const UpdateLists& lists, const DeviceScalars& scalars) {
  if (lists.weights.empty()) return;
  const FusedScalars fused{scalars.factor.reciprocal().to(at::kFloat), scalars.skip.to(at::kFloat)};
  if (const auto* sgd = std::get_if<SgdConfig>(&config.rule)) {
    fused_sgd(lists.weights, lists.gradients, lists.first, decay, sgd->momentum, learning_rate, fused);
  } else {
    const auto& adamw = std::get<AdamWConfig>(config.rule);
    fused_adamw(lists.weights, lists.gradients, lists.first, lists.second, scalars.step_count.to(at::kFloat),
                {learning_rate, adamw.beta1, adamw.beta2, decay, adamw.epsilon}, fused);
  }
}

}  // namespace uir
