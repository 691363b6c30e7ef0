#include "uir/train/running_state.h"

#include <ATen/ops/cat.h>

namespace uir {

RunningState::RunningState(const Backbone& backbone, Head& head) {
  for (const auto& entry : backbone.named_buffers()) tensors_.push_back(entry.value());
  if (head.margin_state().defined()) tensors_.push_back(head.margin_state());
  for (const at::Tensor& tensor : tensors_) saved_.push_back(tensor.clone());
}

void RunningState::save() {
  for (size_t i = 0; i < tensors_.size(); ++i) saved_[i].copy_(tensors_[i]);
}

void RunningState::restore() {
  for (size_t i = 0; i < tensors_.size(); ++i) tensors_[i].copy_(saved_[i]);
}

void RunningState::average(const Communicator& communicator) {
  if (communicator.size() == 1) return;
  std::vector<at::Tensor> statistics, flat;
  for (const at::Tensor& tensor : tensors_) {
    if (tensor.is_floating_point()) statistics.push_back(tensor);
  }
  for (const at::Tensor& tensor : statistics) flat.push_back(tensor.flatten().to(at::kCPU, at::kDouble));
  if (flat.empty()) return;
  at::Tensor all = at::cat(flat);
  communicator.all_reduce_sum(all);
  all.div_(communicator.size());
  int64_t position = 0;
  for (const at::Tensor& tensor : statistics) {
    tensor.copy_(all.narrow(0, position, tensor.numel()).view_as(tensor));
    position += tensor.numel();
  }
}

}  // namespace uir
