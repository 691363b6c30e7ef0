#include "uir/model/fused_convs.h"

#include "uir/base/random.h"

namespace uir {

void FusedConvs::check(const torch::nn::Module& network, at::ScalarType type) {
  auto state = static_cast<uint64_t>(type);
  const auto look = [&](const at::Tensor& tensor) {
    state = mix64(state ^ reinterpret_cast<uintptr_t>(tensor.data_ptr()));
    if (!tensor.is_inference()) state = mix64(state ^ static_cast<uint64_t>(tensor._version()));
  };
  for (const at::Tensor& parameter : network.parameters()) look(parameter);
  for (const at::Tensor& buffer : network.buffers()) look(buffer);
  if (state != state_) forget();
  state_ = state;
}

const FusedConvs::Fused& FusedConvs::get(int64_t op, const std::function<Fused()>& make) {
  const auto known = packed_.find(op);
  return known != packed_.end() ? known->second : packed_.emplace(op, make()).first->second;
}

}  // namespace uir
