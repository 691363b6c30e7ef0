#include "uir/train/running_state.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/where.h>

#include <map>

namespace uir {
namespace {

// Moves the tensors into one, of which they become parts.
at::Tensor move_into_block(std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> flat;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.flatten());
  const at::Tensor block = at::cat(flat);
  int64_t position = 0;
  for (at::Tensor& tensor : tensors) {
    tensor.set_data(block.narrow(0, position, tensor.numel()).view_as(tensor));
    position += tensor.numel();
  }
  return block;
}

}  // namespace

RunningState::RunningState(const Backbone& backbone, Head& head) {
  std::map<at::ScalarType, std::vector<at::Tensor>> statistics;
  const auto add = [&](const at::Tensor& tensor) {
    if (tensor.is_floating_point()) {
      statistics[tensor.scalar_type()].push_back(tensor);
    } else {
      counters_.push_back(tensor);
    }
  };
  for (const auto& entry : backbone.named_buffers()) add(entry.value());
  if (head.margin_state().defined()) add(head.margin_state());
  for (auto& [type, tensors] : statistics) {
    const at::Tensor block = move_into_block(tensors);
    statistics_.push_back({block, block.clone()});
  }
}

void RunningState::save() {
  for (Block& block : statistics_) block.saved.copy_(block.values);
}

void RunningState::restore(const at::Tensor& skip) {
  for (Block& block : statistics_) block.values.copy_(at::where(skip, block.saved, block.values));
}

void RunningState::forget(int64_t passes) {
  for (at::Tensor& counter : counters_) counter.sub_(passes);
}

void RunningState::average(const Communicator& communicator) {
  if (communicator.size() == 1) return;
  for (Block& block : statistics_) {
    at::Tensor sum = block.values.to(at::kDouble);
    communicator.all_reduce_sum(sum);
    block.values.copy_(sum.div_(communicator.size()));
  }
}

}  // namespace uir
