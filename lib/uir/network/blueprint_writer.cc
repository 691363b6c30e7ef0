#include "uir/network/blueprint_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "uir/pixels/pixels.h"

namespace uir {

int64_t scaled_channels(int64_t channels, double width) {
  const double multiple = std::round(static_cast<double>(channels) * width / 8);
  return 8 * std::max<int64_t>(1, static_cast<int64_t>(multiple));
}

int64_t BlueprintWriter::conv(const std::string& name, int64_t x, const Convolution& c) {
  Op op = start(OpKind::kConv, name, x);
  op.out_channels = c.out;
  op.out_size = (op.in_size + 2 * c.padding - c.kernel) / c.stride + 1;
  op.kernel = c.kernel;
  op.stride = c.stride;
  op.padding = c.padding;
  op.groups = c.groups;
  return append(std::move(op));
}

int64_t BlueprintWriter::batch_norm(const std::string& name, int64_t x, bool trained) {
  Op op = start(OpKind::kBatchNorm, name, x);
  op.trained = trained;
  return append(std::move(op));
}

int64_t BlueprintWriter::prelu(const std::string& name, int64_t x) {
  return append(start(OpKind::kPReLU, name, x));
}

int64_t BlueprintWriter::add(const std::string& name, int64_t x, int64_t shortcut) {
  Op op = start(OpKind::kAdd, name, x);
  op.inputs.push_back(shortcut);
  return append(std::move(op));
}

int64_t BlueprintWriter::flatten(int64_t x) {
  Op op = start(OpKind::kFlatten, "flatten", x);
  op.out_channels = op.in_elements();
  op.out_size = 1;
  return append(std::move(op));
}

int64_t BlueprintWriter::linear(const std::string& name, int64_t x, int64_t out, bool bias) {
  Op op = start(OpKind::kLinear, name, x);
  op.out_channels = out;
  op.bias = bias;
  return append(std::move(op));
}

int64_t BlueprintWriter::channels(int64_t x) const { return x == kNetworkInput ? 3 : ops_[x].out_channels; }

Blueprint BlueprintWriter::finish(double dropout) {
  const int64_t embedding_size = ops_.back().out_channels;
  return {std::move(ops_), embedding_size, dropout};
}

Op BlueprintWriter::start(OpKind kind, const std::string& name, int64_t x) const {
  Op op;
  op.kind = kind;
  op.name = name;
  op.inputs = {x};
  op.in_channels = op.out_channels = channels(x);
  op.in_size = op.out_size = x == kNetworkInput ? kImageSize : ops_[x].out_size;
  op.always_float32 = float32_;
  return op;
}

int64_t BlueprintWriter::append(Op op) {
  ops_.push_back(std::move(op));
  return static_cast<int64_t>(ops_.size()) - 1;
}

}  // namespace uir
