#include "uir/model/backbone.h"

#include <ATen/ops/empty.h>

#include <set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/base/parallel.h"
#include "uir/base/random.h"
#include "uir/device/transfer.h"
#include "uir/model/layers.h"

namespace uir {
namespace {

std::shared_ptr<torch::nn::Module> make_layer(const Op& op) {
  switch (op.kind) {
    case OpKind::kConv:
      return std::make_shared<Conv>(op);
    case OpKind::kBatchNorm:
      return std::make_shared<BatchNorm>(op);
    case OpKind::kPReLU:
      return std::make_shared<PReLU>(op);
    case OpKind::kLinear:
      return std::make_shared<Linear>(op);
    default:
      return nullptr;
  }
}

// Makes the modules between the root and the layer where they are missing. A module's children stand in the
// order in which they are first named, which is the order of InsightFace's files.
void register_layer(torch::nn::Module& root, const std::string& name,
                    const std::shared_ptr<torch::nn::Module>& layer) {
  torch::nn::Module* parent = &root;
  size_t begin = 0;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', begin)) {
    const std::string child = name.substr(begin, dot - begin);
    const auto children = parent->named_children();
    const auto* known = children.find(child);
    parent =
        known ? known->get() : parent->register_module(child, std::make_shared<torch::nn::Module>()).get();
    begin = dot + 1;
  }
  parent->register_module(name.substr(begin), layer);
}

// Whether the operation is computed together with the batch norm that it reads.
bool joins_batch_norm(const Op& op) { return op.kind == OpKind::kPReLU || op.kind == OpKind::kAdd; }

// float64 networks stay what they are.
at::Tensor at_least_float32(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

}  // namespace

Backbone::Backbone(Blueprint blueprint, uint64_t seed) : blueprint_(std::move(blueprint)), seed_(seed) {
  for (const Op& op : blueprint_.ops) {
    layers_.push_back(make_layer(op));
    if (layers_.back()) register_layer(*this, op.name, layers_.back());
  }
  steps_ = steps();
}

std::vector<Backbone::Step> Backbone::steps() const {
  const std::vector<Op>& ops = blueprint_.ops;
  std::vector<bool> joined(ops.size());
  for (const Op& op : ops) {
    if (!joins_batch_norm(op)) continue;
    ensure(ops[op.inputs[0]].kind == OpKind::kBatchNorm, "a PReLU or a sum reads a batch norm");
    joined[op.inputs[0]] = true;
  }
  std::vector<Step> steps;
  for (const int64_t i : evaluation_order(ops)) {
    if (joined[i]) continue;
    Step step{.op = i, .inputs = ops[i].inputs, .released = {}};
    if (joins_batch_norm(ops[i])) step.inputs[0] = ops[step.inputs[0]].inputs[0];
    steps.push_back(std::move(step));
  }
  std::set<int64_t> read_later;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    for (const int64_t input : step->inputs) {
      if (read_later.insert(input).second && input != kNetworkInput) step->released.push_back(input);
    }
  }
  return steps;
}

at::Tensor Backbone::forward(const at::Tensor& pixels) {
  std::vector<at::Tensor> values(blueprint_.ops.size());
  for (const Step& step : steps_) {
    const int64_t input = step.inputs[0];
    values[step.op] = compute(step, input == kNetworkInput ? pixels : values[input], values);
    for (const int64_t value : step.released) values[value].reset();
  }
  return values.back();
}

at::Tensor Backbone::compute(const Step& step, const at::Tensor& input,
                             const std::vector<at::Tensor>& values) {
  const Op& op = blueprint_.ops[step.op];
  const at::Tensor x = op.always_float32 ? at_least_float32(input) : input;
  switch (op.kind) {
    case OpKind::kConv:
      return layer<Conv>(step.op).forward(x);
    case OpKind::kBatchNorm:
      return layer<BatchNorm>(step.op).forward(x);
    case OpKind::kPReLU:
      return layer<BatchNorm>(op.inputs[0]).forward(x, layer<PReLU>(step.op));
    case OpKind::kAdd:
      return layer<BatchNorm>(op.inputs[0]).forward(x, values[op.inputs[1]]);
    case OpKind::kFlatten:
      return x.flatten(1);
    case OpKind::kLinear:
      return layer<Linear>(step.op).forward(dropout(x));
    case OpKind::kNormalize:
      break;
  }
  fail(ErrorKind::kInternal, "a blueprint does not normalise");
}

// A row's mask depends on the seed, on its number among the rows of all ranks, and on the number of batches
// seen by the last batch norm, which is part of the state dict: a resumed run drops the same elements.
at::Tensor Backbone::dropout(const at::Tensor& x) const {
  if (!is_training() || blueprint_.dropout == 0) return x;
  ensure(row_numbers_.empty() || std::ssize(row_numbers_) == x.size(0), "every row has a number");
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  const auto last = static_cast<int64_t>(layers_.size()) - 1;
  const auto batches = static_cast<uint64_t>(layer<BatchNorm>(last).num_batches_tracked());
  const auto batch = mix64(checksum64(as_bytes("dropout")) + batches);
  const auto kept = static_cast<float>(1 / (1 - blueprint_.dropout));
  float* values = mask.data_ptr<float>();
  parallel_blocks(x.size(0), 8, 0, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t number = row_numbers_.empty() ? row : row_numbers_[row];
      ItemRandom random(seed_, RandomPurpose::kDropout, batch, static_cast<uint64_t>(number));
      for (int64_t i = 0; i < x.size(1); ++i)
        values[row * x.size(1) + i] = random.chance(blueprint_.dropout) ? 0 : kept;
    }
  });
  return x * upload(mask, x.device());
}

}  // namespace uir
