#include "uir/model/backbone.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
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

// Which operations are computed by the one that reads them, and which ones read each.
std::vector<bool> joined_norms(const std::vector<Op>& ops) {
  std::vector<bool> joined(ops.size());
  for (const Op& op : ops) {
    if (!joins_batch_norm(op)) continue;
    ensure(ops[op.inputs[0]].kind == OpKind::kBatchNorm, "a PReLU or a sum reads a batch norm");
    joined[op.inputs[0]] = true;
  }
  return joined;
}

std::vector<int64_t> count_readers(const std::vector<Op>& ops) {
  std::vector<int64_t> readers(ops.size(), 0);
  for (const Op& op : ops) {
    for (const int64_t input : op.inputs) {
      if (input != kNetworkInput) ++readers[input];
    }
  }
  return readers;
}

}  // namespace

Backbone::Backbone(Blueprint blueprint, uint64_t seed) : blueprint_(std::move(blueprint)), seed_(seed) {
  for (const Op& op : blueprint_.ops) {
    layers_.push_back(make_layer(op));
    if (layers_.back()) register_layer(*this, op.name, layers_.back());
  }
  steps_ = steps(/*inference=*/false);
  inference_steps_ = steps(/*inference=*/true);
  divide_inference();
}

// Takes the convolution that the batch norm reads into the step, and the batch norm that this one reads.
void Backbone::fuse(Step& step, int64_t norm, const std::vector<int64_t>& readers) const {
  const std::vector<Op>& ops = blueprint_.ops;
  const int64_t conv = ops[norm].inputs[0];
  if (conv == kNetworkInput || readers[conv] != 1 || !InferenceConv::suits(ops[conv])) return;
  step.conv = conv;
  step.inputs[0] = ops[conv].inputs[0];
  const int64_t before = step.inputs[0];
  if (before == kNetworkInput || readers[before] != 1 || ops[before].kind != OpKind::kBatchNorm) return;
  step.before = before;
  step.inputs[0] = ops[before].inputs[0];
}

std::vector<Backbone::Step> Backbone::steps(bool inference) const {
  const std::vector<Op>& ops = blueprint_.ops;
  const std::vector<bool> joined = joined_norms(ops);
  const std::vector<int64_t> readers = count_readers(ops);
  std::vector<Step> steps;
  std::set<int64_t> inside;  // computed by another step
  for (const int64_t i : evaluation_order(ops)) {
    if (joined[i]) continue;
    Step step{.op = i, .inputs = ops[i].inputs, .released = {}};
    if (joins_batch_norm(ops[i])) step.inputs[0] = ops[step.inputs[0]].inputs[0];
    const bool norm = joins_batch_norm(ops[i]) || ops[i].kind == OpKind::kBatchNorm;
    if (inference && norm) fuse(step, joins_batch_norm(ops[i]) ? ops[i].inputs[0] : i, readers);
    if (step.conv >= 0) inside.insert({step.conv, step.before});
    steps.push_back(std::move(step));
  }
  std::erase_if(steps, [&](const Step& step) { return inside.contains(step.op); });
  std::set<int64_t> read_later;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    for (const int64_t input : step->inputs) {
      if (read_later.insert(input).second && input != kNetworkInput) step->released.push_back(input);
    }
  }
  return steps;
}

void Backbone::train(bool on) {
  fused_.forget();
  torch::nn::Module::train(on);
}

bool Backbone::infers(const at::Tensor& pixels) const {
  const bool int8 = !int8_.empty() && pixels.scalar_type() == at::kBFloat16;
  return !is_training() && !at::GradMode::is_enabled() && pixels.is_cpu() &&
         (int8 || InferenceConv::runs(pixels.scalar_type()));
}

void Backbone::infer_in_int8(Int8Ranges ranges) {
  ensure(ranges.empty() || InferenceConv::runs_int8(), "a processor that computes in int8");
  int8_ = std::move(ranges);
  fused_.forget();
}

Int8Ranges Backbone::find_int8_ranges(const at::Tensor& pixels) {
  constexpr int64_t kImages = 16;
  const at::NoGradGuard no_grad;
  ensure(infers(pixels) && pixels.scalar_type() == at::kFloat, "ranges are found in inference, in float");
  RangeSamples samples;
  const auto end = [this](RangeSamples*) { samples_ = nullptr; };
  const std::unique_ptr<RangeSamples, decltype(end)> sampling(samples_ = &samples, end);
  for (const at::Tensor& part : pixels.split(kImages)) forward(part);
  return samples.ranges();
}

void Backbone::run(std::span<const Step> steps, const at::Tensor& pixels, std::vector<at::Tensor>& values) {
  for (const Step& step : steps) {
    const int64_t input = step.inputs[0];
    values[step.op] = compute(step, input == kNetworkInput ? pixels : values[input], values);
    for (const int64_t value : step.released) values[value].reset();
  }
}

at::Tensor Backbone::forward(const at::Tensor& pixels) {
  begin_pass(pixels.size(0));
  return pass(pixels);
}

void Backbone::begin_pass(int64_t rows) {
  if (!is_training()) return;
  if (blueprint_.dropout > 0) draw_dropout(rows);
  for (size_t op = 0; op < layers_.size(); ++op) {
    if (blueprint_.ops[op].kind == OpKind::kBatchNorm)
      layer<BatchNorm>(static_cast<int64_t>(op)).count_batch();
  }
}

at::Tensor Backbone::pass(const at::Tensor& pixels) {
  std::vector<at::Tensor> values(blueprint_.ops.size());
  if (infers(pixels)) {
    fused_.check(*this, pixels.scalar_type());
    infer(pixels, values);
  } else {
    run(steps_, pixels, values);
  }
  return values.back();
}

// The layers in front a few images after the other, whose activations then stay in the caches; the others,
// whose weights are larger than their activations, with all images at once.
void Backbone::infer(const at::Tensor& pixels, std::vector<at::Tensor>& values) {
  const std::span<const Step> steps(inference_steps_);
  // Weights of dense 3×3 convolutions are read anew for every few images.
  const int64_t images = pixels.size(0), few = dense_front_ ? 16 : pixels.scalar_type() == at::kFloat ? 4 : 8;
  if (images <= few || front_steps_ == 0 || front_steps_ == steps.size()) return run(steps, pixels, values);
  std::vector<std::vector<at::Tensor>> parts(behind_front_.size());
  for (int64_t begin = 0; begin < images; begin += few) {
    std::vector<at::Tensor> front(values.size());
    run(steps.first(front_steps_), pixels.slice(0, begin, std::min(images, begin + few)), front);
    for (size_t i = 0; i < parts.size(); ++i) parts[i].push_back(front[behind_front_[i]]);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    values[behind_front_[i]] = at::cat(parts[i]);
    parts[i].clear();
  }
  run(steps.subspan(front_steps_), pixels, values);
}

// The steps up to the last one with many activations, and what the steps behind them read of theirs.
void Backbone::divide_inference() {
  constexpr int64_t kMany = 100000;  // of an image
  for (size_t i = 0; i < inference_steps_.size(); ++i) {
    const Op& op = blueprint_.ops[inference_steps_[i].op];
    if (std::max(op.in_elements(), op.out_elements()) >= kMany) front_steps_ = i + 1;
  }
  for (const Step& step : std::span(inference_steps_).first(front_steps_)) {
    if (step.conv >= 0 && blueprint_.ops[step.conv].kernel == 3 && blueprint_.ops[step.conv].groups == 1)
      dense_front_ = true;
  }
  std::set<int64_t> made, read;
  for (size_t i = 0; i < inference_steps_.size(); ++i) {
    const Step& step = inference_steps_[i];
    if (i < front_steps_) made.insert(step.op);
    for (const int64_t input : step.inputs) {
      if (i >= front_steps_ && made.contains(input)) read.insert(input);
    }
  }
  behind_front_.assign(read.begin(), read.end());
}

// The convolution with the batch norms, PReLU or sum around it.
at::Tensor Backbone::convolve(const Step& step, const at::Tensor& input,
                              const std::vector<at::Tensor>& values) {
  const Op& result = blueprint_.ops[step.op];
  const Op& conv = blueprint_.ops[step.conv];
  const at::Tensor x = conv.always_float32 ? at_least_float32(input) : input;
  const FusedConvs::Fused& fused = fused_.get(step.conv, [&] {
    ConvEdges edges;
    if (step.before >= 0) {
      const BatchNorm::Affine before = layer<BatchNorm>(step.before).affine();
      edges.in_scale = before.scale;
      edges.in_shift = before.shift;
    }
    const int64_t norm = joins_batch_norm(result) ? result.inputs[0] : step.op;
    const BatchNorm::Affine behind = layer<BatchNorm>(norm).affine();
    edges.scale = behind.scale;
    edges.shift = behind.shift;
    if (result.kind == OpKind::kPReLU)
      edges.slope = layer<PReLU>(step.op).weight().to(at::kFloat).contiguous();
    const at::Tensor& weight = layer<Conv>(step.conv).weight();
    const auto ranges = x.scalar_type() == at::kBFloat16 ? int8_.find(conv.name) : int8_.end();
    return FusedConvs::Fused{ranges == int8_.end() ? InferenceConv(conv, weight, x.scalar_type())
                                                   : InferenceConv(conv, weight, ranges->second),
                             edges};
  });
  ConvEdges edges = fused.edges;
  if (samples_ && InferenceConv::suits_int8(conv) && !conv.always_float32)
    samples_->add(conv.name, conv, x, edges);
  if (result.kind == OpKind::kAdd) edges.residual = values[result.inputs[1]];
  return fused.conv(x, edges);
}

at::Tensor Backbone::compute(const Step& step, const at::Tensor& input,
                             const std::vector<at::Tensor>& values) {
  if (step.conv >= 0) return convolve(step, input, values);
  const Op& op = blueprint_.ops[step.op];
  const at::Tensor x = op.always_float32 ? at_least_float32(input) : input;
  const bool dropped_out = is_training() && blueprint_.dropout > 0;
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
      return layer<Linear>(step.op).forward(dropped_out ? x * dropout_mask_ : x);
    case OpKind::kNormalize:
      break;
  }
  fail(ErrorKind::kInternal, "a blueprint does not normalise");
}

// A row's mask depends on the seed, on its number among the rows of all ranks, and on the number of batches
// seen before by the last batch norm, which is part of the state dict: a resumed run drops the same elements.
void Backbone::draw_dropout(int64_t rows) {
  ensure(row_numbers_.empty() || std::ssize(row_numbers_) == rows, "every row has a number");
  const auto linear = std::ranges::find(blueprint_.ops, OpKind::kLinear, &Op::kind);
  const int64_t columns = linear->in_channels;
  at::Tensor mask = at::empty({rows, columns}, at::kFloat);
  const auto last = static_cast<int64_t>(layers_.size()) - 1;
  const auto batches = static_cast<uint64_t>(layer<BatchNorm>(last).num_batches_tracked());
  const auto batch = mix64(checksum64(as_bytes("dropout")) + batches);
  const auto kept = static_cast<float>(1 / (1 - blueprint_.dropout));
  float* values = mask.data_ptr<float>();
  parallel_blocks(rows, 8, 0, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t number = row_numbers_.empty() ? row : row_numbers_[row];
      ItemRandom random(seed_, RandomPurpose::kDropout, batch, static_cast<uint64_t>(number));
      for (int64_t i = 0; i < columns; ++i)
        values[row * columns + i] = random.chance(blueprint_.dropout) ? 0 : kept;
    }
  });
  const at::Device device = layer<Linear>(linear - blueprint_.ops.begin()).weight().device();
  const at::Tensor there = upload(mask, device);
  const bool fits =
      dropout_mask_.defined() && dropout_mask_.sizes() == there.sizes() && dropout_mask_.device() == device;
  if (fits) {
    dropout_mask_.copy_(there);
  } else {
    dropout_mask_ = there;
  }
}

}  // namespace uir
