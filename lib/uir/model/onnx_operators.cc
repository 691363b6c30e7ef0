#include "uir/model/onnx_operators.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>

#include "uir/base/error.h"

namespace uir {
namespace {

using Value = OnnxTorchValue;

// A node's inputs as tensors.
class TorchCall {
 public:
  TorchCall(const OnnxCall& call, const std::vector<const Value*>& inputs) : call_(call), inputs_(inputs) {}

  const OnnxCall& attributes() const { return call_; }
  int64_t size() const { return static_cast<int64_t>(inputs_.size()); }
  // Arrays become tensors of the first tensor's type.
  at::Tensor tensor(int64_t i) const {
    const Value* value = i < size() ? inputs_[static_cast<size_t>(i)] : nullptr;
    if (value == nullptr) call_.refuse(concat("its input ", i, " is missing"));
    return value->tensor.defined() ? value->tensor : tensor_of(*value->array, first().options());
  }
  std::vector<int64_t> axes(std::string_view attribute, int64_t input) const {
    std::vector<int64_t> axes = call_.integers_from(attribute, input);
    for (int64_t& axis : axes) axis = call_.axis(axis, tensor(0).dim());
    return axes;
  }

 private:
  const at::Tensor& first() const {
    for (const Value* value : inputs_) {
      if (value != nullptr && value->tensor.defined()) return value->tensor;
    }
    fail(ErrorKind::kInternal, "a node without tensors is computed by the interpreter");
  }

  const OnnxCall& call_;
  const std::vector<const Value*>& inputs_;
};

using Operator = std::function<at::Tensor(const TorchCall&)>;

template <class F>
Operator unary(F f) {
  return [f](const TorchCall& c) { return f(c.tensor(0)); };
}
template <class F>
Operator binary(F f) {
  return [f](const TorchCall& c) { return f(c.tensor(0), c.tensor(1)); };
}
template <class F>
Operator folded(F f) {
  return [f](const TorchCall& c) {
    at::Tensor out = c.tensor(0);
    for (int64_t i = 1; i < c.size(); ++i) out = f(out, c.tensor(i));
    return out;
  };
}

// --- Layers -----------------------------------------------------------------------------------------------

Window window(const TorchCall& c, const at::Tensor& x, const std::vector<int64_t>& kernel) {
  if (x.dim() != 4) c.attributes().refuse("its input is no image");
  return window_of(c.attributes(), kernel, x.size(2), x.size(3));
}

at::Tensor conv(const TorchCall& c) {
  const at::Tensor x = c.tensor(0), weight = c.tensor(1);
  const Window w = window(c, x, {weight.size(2), weight.size(3)});
  const bool even = w.top == w.bottom && w.left == w.right;
  const at::Tensor padded = even ? x : at::constant_pad_nd(x, {w.left, w.right, w.top, w.bottom}, 0);
  const c10::optional<at::Tensor> bias = c.size() > 2 ? c10::optional<at::Tensor>(c.tensor(2)) : c10::nullopt;
  return at::convolution(padded, weight, bias, {w.stride_y, w.stride_x},
                         {even ? w.top : 0, even ? w.left : 0}, {w.dilation_y, w.dilation_x}, false, {0, 0},
                         c.attributes().integer("group", 1));
}

at::Tensor max_pool(const TorchCall& c) {
  const at::Tensor x = c.tensor(0);
  const Window w = window(c, x, c.attributes().integers("kernel_shape"));
  const at::Tensor padded = at::constant_pad_nd(x, {w.left, w.right, w.top, w.bottom}, -INFINITY);
  const bool up = c.attributes().integer("ceil_mode", 0) != 0;
  return at::max_pool2d(padded, {w.kernel_y, w.kernel_x}, {w.stride_y, w.stride_x}, {0, 0},
                        {w.dilation_y, w.dilation_x}, up);
}

at::Tensor average_pool(const TorchCall& c) {
  const at::Tensor x = c.tensor(0);
  const Window w = window(c, x, c.attributes().integers("kernel_shape"));
  if (w.top != w.bottom || w.left != w.right || w.dilation_y != 1 || w.dilation_x != 1)
    c.attributes().refuse("its window is not one that LibTorch averages");
  return at::avg_pool2d(x, {w.kernel_y, w.kernel_x}, {w.stride_y, w.stride_x}, {w.top, w.left},
                        c.attributes().integer("ceil_mode", 0) != 0,
                        c.attributes().integer("count_include_pad", 0) != 0);
}

at::Tensor batch_norm_of(const TorchCall& c) {
  const at::Tensor x = c.tensor(0).to(at::kFloat);
  const auto parameter = [&](int64_t i) { return c.tensor(i).to(at::kFloat); };
  return at::batch_norm(x, parameter(1), parameter(2), parameter(3), parameter(4), false, 0,
                        c.attributes().number("epsilon", 1e-5F), true);
}

at::Tensor prelu(const TorchCall& c) {
  const at::Tensor x = c.tensor(0), slope = c.tensor(1);
  const bool per_channel = x.dim() == 4 && slope.dim() == 1 && slope.size(0) == x.size(1);
  return at::where(x < 0, x * (per_channel ? slope.view({-1, 1, 1}) : slope), x);
}

// Products of matrices run in float32.
at::Tensor gemm(const TorchCall& c) {
  const OnnxCall& call = c.attributes();
  at::Tensor a = c.tensor(0).to(at::kFloat), b = c.tensor(1).to(at::kFloat);
  if (call.integer("transA", 0) != 0) a = a.t();
  if (call.integer("transB", 0) != 0) b = b.t();
  at::Tensor out = at::matmul(a, b).mul(call.number("alpha", 1));
  return c.size() > 2 ? out.add(c.tensor(2).to(at::kFloat), call.number("beta", 1)) : out;
}

// --- Shapes -----------------------------------------------------------------------------------------------

at::Tensor flatten(const TorchCall& c) {
  const at::Tensor x = c.tensor(0);
  const int64_t axis = c.attributes().integer("axis", 1);
  int64_t rows = 1;
  for (int64_t i = 0; i < (axis < 0 ? axis + x.dim() : axis); ++i) rows *= x.size(i);
  return x.reshape({rows, -1});
}

at::Tensor reshape(const TorchCall& c) {
  const at::Tensor x = c.tensor(0);
  std::vector<int64_t> shape = c.attributes().integers_from("shape", 1);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) shape[i] = x.size(static_cast<int64_t>(i));
  }
  return x.reshape(shape);
}

at::Tensor squeeze(const TorchCall& c) {
  const at::Tensor x = c.tensor(0);
  const std::vector<int64_t> axes = c.axes("axes", 1);
  std::vector<int64_t> shape;
  for (int64_t i = 0; i < x.dim(); ++i) {
    const bool goes = axes.empty() ? x.size(i) == 1 : std::ranges::count(axes, i) > 0;
    if (!goes) shape.push_back(x.size(i));
  }
  return x.reshape(shape);
}

at::Tensor unsqueeze(const TorchCall& c) {
  at::Tensor x = c.tensor(0);
  std::vector<int64_t> axes = c.attributes().integers_from("axes", 1);
  const int64_t rank = x.dim() + static_cast<int64_t>(axes.size());
  for (int64_t& axis : axes) axis = c.attributes().axis(axis, rank);
  std::ranges::sort(axes);
  for (const int64_t axis : axes) x = x.unsqueeze(axis);
  return x;
}

at::Tensor transpose(const TorchCall& c) {
  const at::Tensor x = c.tensor(0);
  std::vector<int64_t> order;
  for (int64_t i = x.dim(); i-- > 0;) order.push_back(i);
  return x.permute(c.attributes().integers("perm", order));
}

at::Tensor slice(const TorchCall& c) {
  const OnnxCall& call = c.attributes();
  at::Tensor x = c.tensor(0);
  const std::vector<int64_t> starts = call.integers_from("starts", 1), ends = call.integers_from("ends", 2);
  std::vector<int64_t> axes = call.integers_from("axes", 3), steps = call.integers_from("steps", 4);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t axis = axes.empty() ? static_cast<int64_t>(i) : call.axis(axes.at(i), x.dim());
    x = x.slice(axis, starts[i], ends.at(i), steps.empty() ? 1 : steps.at(i));
  }
  return x;
}

at::Tensor concat_tensors(const TorchCall& c) {
  std::vector<at::Tensor> parts;
  for (int64_t i = 0; i < c.size(); ++i) parts.push_back(c.tensor(i));
  return at::cat(parts, c.attributes().integer("axis", 1));
}

at::Tensor pad(const TorchCall& c) {
  const OnnxCall& call = c.attributes();
  const std::vector<int64_t> pads = call.integers_from("pads", 1);
  const at::Tensor x = c.tensor(0);
  if (call.text("mode", "constant") != "constant" || static_cast<int64_t>(pads.size()) != 2 * x.dim())
    call.refuse("pads in a way that is not computed");
  const Array* value = call.optional(2);
  std::vector<int64_t> from_the_last;
  for (size_t i = pads.size() / 2; i-- > 0;) {
    from_the_last.push_back(pads[i]);
    from_the_last.push_back(pads[i + pads.size() / 2]);
  }
  return at::constant_pad_nd(x, from_the_last,
                             value != nullptr ? value->values.at(0) : call.number("value", 0));
}

// --- Sums over axes ---------------------------------------------------------------------------------------

template <class F>
Operator reduction(F f) {
  return [f](const TorchCall& c) {
    const at::Tensor x = c.tensor(0).to(at::kFloat);
    std::vector<int64_t> axes = c.axes("axes", 1);
    if (axes.empty() && c.attributes().integer("noop_with_empty_axes", 0) != 0) return x;
    if (axes.empty()) {
      axes.resize(static_cast<size_t>(x.dim()));
      std::iota(axes.begin(), axes.end(), int64_t{0});
    }
    return f(x, axes, c.attributes().integer("keepdims", 1) != 0);
  };
}

at::Tensor softmax(const TorchCall& c) {
  const at::Tensor x = c.tensor(0).to(at::kFloat);
  if (c.attributes().opset() >= 13) return at::softmax(x, c.attributes().integer("axis", -1));
  const int64_t axis = c.attributes().axis(c.attributes().integer("axis", 1), x.dim());
  return at::softmax(x.flatten(axis), axis).view(x.sizes());
}

at::Tensor layer_norm(const TorchCall& c) {
  const at::Tensor x = c.tensor(0).to(at::kFloat);
  const int64_t axis = c.attributes().axis(c.attributes().integer("axis", -1), x.dim());
  const c10::optional<at::Tensor> bias =
      c.size() > 2 ? c10::optional<at::Tensor>(c.tensor(2).to(at::kFloat)) : c10::nullopt;
  return at::layer_norm(x, x.sizes().slice(static_cast<size_t>(axis)), c.tensor(1).to(at::kFloat), bias,
                        c.attributes().number("epsilon", 1e-5F));
}

at::Tensor lp_normalization(const TorchCall& c) {
  const at::Tensor x = c.tensor(0).to(at::kFloat);
  const at::Tensor norm =
      x.norm(static_cast<double>(c.attributes().integer("p", 2)), {c.attributes().integer("axis", -1)}, true);
  return at::where(norm > 0, x / norm, at::zeros_like(x));
}

at::Tensor clip(const TorchCall& c) {
  const auto bound = [&](const char* name, int64_t input) -> c10::optional<at::Scalar> {
    const Array* given = c.attributes().optional(input);
    if (given != nullptr && given->size() == 1) return given->values[0];
    if (c.attributes().has(name)) return c.attributes().number(name, 0);
    return c10::nullopt;
  };
  const auto low = bound("min", 1), high = bound("max", 2);
  return low || high ? at::clamp(c.tensor(0), low, high) : c.tensor(0);
}

at::Tensor cast(const TorchCall& c) {
  const auto type = static_cast<OnnxType>(c.attributes().integer("to", 1));
  if (type != OnnxType::kFloat32 && type != OnnxType::kFloat64 && type != OnnxType::kFloat16 &&
      type != OnnxType::kBFloat16)
    c.attributes().refuse("casts pixels to integers");
  return c.tensor(0);
}

std::map<std::string_view, Operator> elementwise() {
  return {
      {"Relu", unary([](const at::Tensor& x) { return x.relu(); })},
      {"Sigmoid", unary([](const at::Tensor& x) { return x.sigmoid(); })},
      {"Tanh", unary([](const at::Tensor& x) { return x.tanh(); })},
      {"Erf", unary([](const at::Tensor& x) { return x.erf(); })},
      {"Exp", unary([](const at::Tensor& x) { return x.exp(); })},
      {"Log", unary([](const at::Tensor& x) { return x.log(); })},
      {"Sqrt", unary([](const at::Tensor& x) { return x.sqrt(); })},
      {"Neg", unary([](const at::Tensor& x) { return x.neg(); })},
      {"Abs", unary([](const at::Tensor& x) { return x.abs(); })},
      {"Reciprocal", unary([](const at::Tensor& x) { return x.reciprocal(); })},
      {"Softplus", unary([](const at::Tensor& x) { return at::softplus(x); })},
      {"HardSwish", unary([](const at::Tensor& x) { return at::hardswish(x); })},
      {"HardSigmoid",
       [](const TorchCall& c) {
         return c.tensor(0)
             .mul(c.attributes().number("alpha", 0.2F))
             .add(c.attributes().number("beta", 0.5F))
             .clamp(0, 1);
       }},
      {"LeakyRelu",
       [](const TorchCall& c) { return at::leaky_relu(c.tensor(0), c.attributes().number("alpha", 0.01F)); }},
      {"Elu", [](const TorchCall& c) { return at::elu(c.tensor(0), c.attributes().number("alpha", 1)); }},
      {"Gelu",
       [](const TorchCall& c) { return at::gelu(c.tensor(0), c.attributes().text("approximate", "none")); }},
      {"Clip", clip},
      {"Cast", cast},
      {"PRelu", prelu},
      {"Identity", unary([](const at::Tensor& x) { return x; })},
      {"Dropout", unary([](const at::Tensor& x) { return x; })},
      {"Add", binary([](const at::Tensor& a, const at::Tensor& b) { return a + b; })},
      {"Sub", binary([](const at::Tensor& a, const at::Tensor& b) { return a - b; })},
      {"Mul", binary([](const at::Tensor& a, const at::Tensor& b) { return a * b; })},
      {"Div", binary([](const at::Tensor& a, const at::Tensor& b) { return a / b; })},
      {"Pow", binary([](const at::Tensor& a, const at::Tensor& b) { return a.pow(b); })},
      {"Max", folded([](const at::Tensor& a, const at::Tensor& b) { return at::maximum(a, b); })},
      {"Min", folded([](const at::Tensor& a, const at::Tensor& b) { return at::minimum(a, b); })},
      {"Sum", folded([](const at::Tensor& a, const at::Tensor& b) { return a + b; })}};
}

using Axes = std::vector<int64_t>;

std::map<std::string_view, Operator> others() {
  return {
      {"Conv", conv},
      {"Gemm", gemm},
      {"MatMul",
       [](const TorchCall& c) { return at::matmul(c.tensor(0).to(at::kFloat), c.tensor(1).to(at::kFloat)); }},
      {"MaxPool", max_pool},
      {"AveragePool", average_pool},
      {"GlobalAveragePool", unary([](const at::Tensor& x) {
         return x.mean({2, 3}, true);
       })},
      {"GlobalMaxPool", unary([](const at::Tensor& x) {
         return x.amax({2, 3}, true);
       })},
      {"BatchNormalization", batch_norm_of},
      {"Flatten", flatten},
      {"Reshape", reshape},
      {"Squeeze", squeeze},
      {"Unsqueeze", unsqueeze},
      {"Transpose", transpose},
      {"Slice", slice},
      {"Concat", concat_tensors},
      {"Pad", pad},
      {"Softmax", softmax},
      {"LayerNormalization", layer_norm},
      {"LpNormalization", lp_normalization},
      {"ReduceSum", reduction([](const at::Tensor& x, const Axes& a, bool keep) { return x.sum(a, keep); })},
      {"ReduceMean",
       reduction([](const at::Tensor& x, const Axes& a, bool keep) { return x.mean(a, keep); })},
      {"ReduceMax", reduction([](const at::Tensor& x, const Axes& a, bool keep) { return x.amax(a, keep); })},
      {"ReduceMin", reduction([](const at::Tensor& x, const Axes& a, bool keep) { return x.amin(a, keep); })},
      {"ReduceL1",
       reduction([](const at::Tensor& x, const Axes& a, bool keep) { return x.abs().sum(a, keep); })},
      {"ReduceL2", reduction([](const at::Tensor& x, const Axes& a, bool keep) {
         return x.square().sum(a, keep).sqrt();
       })},
      {"ReduceSumSquare",
       reduction([](const at::Tensor& x, const Axes& a, bool keep) { return x.square().sum(a, keep); })},
  };
}

}  // namespace

at::Tensor tensor_of(const Array& array, const at::TensorOptions& options) {
  const at::Tensor numbers = at::empty(array.shape, at::kDouble);
  std::copy(array.values.begin(), array.values.end(), numbers.data_ptr<double>());
  return numbers.to(options);
}

OnnxTorchValue compute_on_torch(const OnnxCall& call, const std::vector<const OnnxTorchValue*>& inputs) {
  static const auto known = [] {
    auto operators = elementwise();
    operators.merge(others());
    return operators;
  }();
  if (call.node().type == "Shape") {
    const TorchCall shaped(call, inputs);
    const Array sizes{shaped.tensor(0).sizes().vec(), {}, false};
    return {{}, (*find_operator("Shape"))(OnnxCall(call.node(), call.opset(), {&sizes}, 1)).at(0)};
  }
  const auto found = known.find(call.node().type);
  if (found == known.end()) call.refuse("an operator that is not computed with LibTorch here");
  try {
    return {found->second(TorchCall(call, inputs)), std::nullopt};
  } catch (const c10::Error& error) {
    call.refuse(error.what_without_backtrace());
  }
}

}  // namespace uir
