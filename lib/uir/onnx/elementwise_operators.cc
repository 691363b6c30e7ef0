// Operators that compute every number of their result from one number of each input.
#include <algorithm>
#include <cmath>
#include <functional>

#include "uir/base/error.h"
#include "uir/onnx/operators.h"

namespace uir {
namespace {

using Unary = std::function<double(double)>;
using Binary = std::function<double(double, double)>;

std::vector<Array> mapped(const OnnxCall& call, const Unary& f) {
  Array out = call.input(0);
  for (double& value : out.values) value = f(value);
  return {std::move(out)};
}

OnnxOperator unary(double (*f)(double)) {
  return [f](const OnnxCall& call) { return mapped(call, f); };
}

std::vector<int64_t> common_shape(const OnnxCall& call, const Array& a, const Array& b) {
  std::vector<int64_t> shape(std::max(a.shape.size(), b.shape.size()), 1);
  for (const Array* each : {&a, &b}) {
    const size_t missing = shape.size() - each->shape.size();
    for (size_t i = 0; i < each->shape.size(); ++i) {
      int64_t& size = shape[missing + i];
      if (size != 1 && each->shape[i] != 1 && size != each->shape[i])
        call.refuse(concat("its inputs are of sizes ", size, " and ", each->shape[i], " in one dimension"));
      if (each->shape[i] != 1) size = each->shape[i];
    }
  }
  checked_size(call, shape);
  return shape;
}

// How far apart an array's neighbours lie along each dimension of the common shape; 0: repeated.
std::vector<int64_t> steps_of(const Array& array, const std::vector<int64_t>& shape) {
  std::vector<int64_t> steps(shape.size(), 0);
  int64_t step = 1;
  for (size_t i = 0; i < array.shape.size(); ++i) {
    const int64_t size = array.shape[array.shape.size() - 1 - i];
    if (size != 1) steps[shape.size() - 1 - i] = step;
    step *= size;
  }
  return steps;
}

Array combined(const OnnxCall& call, const Array& a, const Array& b, const Binary& f) {
  Array out{common_shape(call, a, b), {}, a.integer && b.integer};
  const auto size = checked_size(call, out.shape);
  const std::vector<int64_t> steps_a = steps_of(a, out.shape), steps_b = steps_of(b, out.shape);
  std::vector<int64_t> at(out.shape.size(), 0);
  int64_t in_a = 0, in_b = 0;
  out.values.resize(static_cast<size_t>(size));
  for (double& value : out.values) {
    value = f(a.values[static_cast<size_t>(in_a)], b.values[static_cast<size_t>(in_b)]);
    for (size_t i = at.size(); i-- > 0;) {
      in_a += steps_a[i];
      in_b += steps_b[i];
      if (++at[i] < out.shape[i]) break;
      in_a -= steps_a[i] * out.shape[i];
      in_b -= steps_b[i] * out.shape[i];
      at[i] = 0;
    }
  }
  return out;
}

OnnxOperator binary(const Binary& f) {
  return [f](const OnnxCall& call) {
    return std::vector<Array>{combined(call, call.input(0), call.input(1), f)};
  };
}

// Of one input or more.
OnnxOperator folded(const Binary& f) {
  return [f](const OnnxCall& call) {
    Array out = call.input(0);
    for (int64_t i = 1; i < call.num_inputs(); ++i) out = combined(call, out, call.input(i), f);
    return std::vector<Array>{std::move(out)};
  };
}

std::vector<Array> divide(const OnnxCall& call) {
  const bool integers = call.input(0).integer && call.input(1).integer;
  if (integers && std::ranges::count(call.input(1).values, 0.0) > 0) call.refuse("divides an integer by 0");
  return {combined(call, call.input(0), call.input(1),
                   [integers](double a, double b) { return integers ? std::trunc(a / b) : a / b; })};
}

std::vector<Array> prelu(const OnnxCall& call) {
  const Array& x = call.input(0);
  Array slope = call.input(1);
  if (x.rank() == 4 && slope.rank() == 1 && slope.size() == x.shape[1]) slope.shape = {slope.size(), 1, 1};
  return {combined(call, x, slope, [](double v, double a) { return v < 0 ? a * v : v; })};
}

// From attributes up to opset 10, then from inputs.
std::vector<Array> clip(const OnnxCall& call) {
  const auto bound = [&](const char* name, int64_t input, double otherwise) {
    const Array* given = call.optional(input);
    if (given != nullptr && given->size() == 1) return given->values[0];
    return call.number(name, otherwise);
  };
  const double low = bound("min", 1, -INFINITY), high = bound("max", 2, INFINITY);
  return mapped(call, [&](double v) { return std::min(std::max(v, low), high); });
}

std::vector<Array> cast(const OnnxCall& call) {
  Array out = call.input(0);
  const auto type = static_cast<OnnxType>(call.integer("to", 1));
  switch (type) {
    case OnnxType::kFloat32:
    case OnnxType::kFloat64:
    case OnnxType::kFloat16:
    case OnnxType::kBFloat16:
      out.integer = false;
      return {std::move(out)};
    case OnnxType::kBool:
      for (double& value : out.values) value = value != 0;
      out.integer = true;
      return {std::move(out)};
    case OnnxType::kInt64:
    case OnnxType::kInt32:
      for (double& value : out.values) value = std::trunc(value);
      out.integer = true;
      return {std::move(out)};
    default:
      call.refuse(concat("casts to the type ", call.integer("to", 1), ", which is not computed"));
  }
}

std::vector<Array> gelu(const OnnxCall& call) {
  if (call.text("approximate", "none") != "none") {
    return mapped(call, [](double v) {
      return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
    });
  }
  return mapped(call, [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); });
}

}  // namespace

std::vector<NamedOperator> elementwise_operators() {
  return {
      {"Relu", unary([](double v) { return std::max(v, 0.0); })},
      {"Sigmoid", unary([](double v) { return 1 / (1 + std::exp(-v)); })},
      {"Tanh", unary([](double v) { return std::tanh(v); })},
      {"Erf", unary([](double v) { return std::erf(v); })},
      {"Exp", unary([](double v) { return std::exp(v); })},
      {"Log", unary([](double v) { return std::log(v); })},
      {"Sqrt", unary([](double v) { return std::sqrt(v); })},
      {"Neg", unary([](double v) { return -v; })},
      {"Abs", unary([](double v) { return std::abs(v); })},
      {"Reciprocal", unary([](double v) { return 1 / v; })},
      {"Softplus", unary([](double v) { return std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v))); })},
      {"HardSwish", unary([](double v) { return v * std::clamp(v / 6 + 0.5, 0.0, 1.0); })},
      {"HardSigmoid",
       [](const OnnxCall& call) {
         const double alpha = call.number("alpha", 0.2F), beta = call.number("beta", 0.5F);
         return mapped(call, [&](double v) { return std::clamp(alpha * v + beta, 0.0, 1.0); });
       }},
      {"LeakyRelu",
       [](const OnnxCall& call) {
         const double alpha = call.number("alpha", 0.01F);
         return mapped(call, [&](double v) { return v < 0 ? alpha * v : v; });
       }},
      {"Elu",
       [](const OnnxCall& call) {
         const double alpha = call.number("alpha", 1);
         return mapped(call, [&](double v) { return v < 0 ? alpha * std::expm1(v) : v; });
       }},
      {"Gelu", gelu},
      {"Clip", clip},
      {"Cast", cast},
      {"PRelu", prelu},
      {"Identity", [](const OnnxCall& call) { return std::vector<Array>{call.input(0)}; }},
      {"Add", binary(std::plus<>())},
      {"Sub", binary(std::minus<>())},
      {"Mul", binary(std::multiplies<>())},
      {"Div", divide},
      {"Pow", binary([](double a, double b) { return std::pow(a, b); })},
      {"Max", folded([](double a, double b) { return std::max(a, b); })},
      {"Min", folded([](double a, double b) { return std::min(a, b); })},
      {"Sum", folded(std::plus<>())},
  };
}

}  // namespace uir
