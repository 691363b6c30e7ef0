// Operators that compute sums over axes, and norms made of them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "uir/base/error.h"
#include "uir/onnx/operators.h"

namespace uir {
namespace {

// An array as [outer, size, inner] around one axis.
struct AxisView {
  int64_t outer, size, inner;
  size_t at(int64_t o, int64_t s, int64_t i) const { return static_cast<size_t>((o * size + s) * inner + i); }
};
AxisView around(const Array& x, int64_t axis) {
  AxisView view{1, x.shape[static_cast<size_t>(axis)], 1};
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (i < axis) view.outer *= x.shape[static_cast<size_t>(i)];
    if (i > axis) view.inner *= x.shape[static_cast<size_t>(i)];
  }
  return view;
}

// Starts at `first`, takes every number of an axis in; the axis stays with size 1.
Array reduced(const Array& x, int64_t axis, double first, double (*take)(double, double)) {
  const AxisView view = around(x, axis);
  Array out{x.shape, std::vector<double>(static_cast<size_t>(view.outer * view.inner), first), x.integer};
  out.shape[static_cast<size_t>(axis)] = 1;
  for (int64_t o = 0; o < view.outer; ++o) {
    for (int64_t s = 0; s < view.size; ++s) {
      for (int64_t i = 0; i < view.inner; ++i) {
        double& sum = out.values[static_cast<size_t>(o * view.inner + i)];
        sum = take(sum, x.values[view.at(o, s, i)]);
      }
    }
  }
  return out;
}

double add(double a, double b) { return a + b; }
double smaller(double a, double b) { return std::min(a, b); }
double larger(double a, double b) { return std::max(a, b); }

// before: applied to every number; after: to the reduced one, with how many it came from.
struct Reduction {
  double first;
  double (*take)(double, double);
  double (*before)(double) = [](double v) { return v; };
  double (*after)(double, double count) = [](double v, double) { return v; };
};

std::vector<Array> reduce(const OnnxCall& call, const Reduction& how) {
  Array x = call.input(0);
  std::vector<int64_t> axes = call.integers_from("axes", 1);
  if (axes.empty() && call.integer("noop_with_empty_axes", 0) != 0) return one(std::move(x));
  if (axes.empty()) {
    axes.resize(x.shape.size());
    std::iota(axes.begin(), axes.end(), int64_t{0});
  }
  if (x.integer && x.values.empty()) call.refuse("reduces no numbers at all");
  for (double& value : x.values) value = how.before(value);
  double count = 1;
  for (int64_t& axis : axes) {
    axis = call.axis(axis, x.rank());
    count *= static_cast<double>(x.shape[static_cast<size_t>(axis)]);
    x = reduced(x, axis, how.first, how.take);
  }
  for (double& value : x.values) value = how.after(value, count);
  if (call.integer("keepdims", 1) == 0) {
    std::vector<int64_t> shape;
    for (int64_t i = 0; i < x.rank(); ++i) {
      if (std::ranges::count(axes, i) == 0) shape.push_back(x.shape[static_cast<size_t>(i)]);
    }
    x.shape = std::move(shape);
  }
  return one(std::move(x));
}

OnnxOperator reduction(const Reduction& how) {
  return [how](const OnnxCall& call) { return reduce(call, how); };
}

double square(double v) { return v * v; }

// Every line along the axis becomes f(line).
template <class F>
Array along(Array x, int64_t axis, const F& f) {
  const AxisView view = around(x, axis);
  std::vector<double> line(static_cast<size_t>(view.size));
  for (int64_t o = 0; o < view.outer; ++o) {
    for (int64_t i = 0; i < view.inner; ++i) {
      for (int64_t s = 0; s < view.size; ++s) line[static_cast<size_t>(s)] = x.values[view.at(o, s, i)];
      f(line);
      for (int64_t s = 0; s < view.size; ++s) x.values[view.at(o, s, i)] = line[static_cast<size_t>(s)];
    }
  }
  return x;
}

// The array as a matrix whose rows are everything from the axis on.
Array rows_from(const OnnxCall& call, int64_t axis) {
  Array x = call.input(0);
  const auto middle = x.shape.begin() + call.axis(axis, x.rank());
  const auto product = [](auto begin, auto end) {
    return std::accumulate(begin, end, int64_t{1}, std::multiplies<>());
  };
  x.shape = {product(x.shape.begin(), middle), product(middle, x.shape.end())};
  return x;
}

void softmax_of(std::vector<double>& line) {
  const double largest = line.empty() ? 0 : *std::ranges::max_element(line);
  double sum = 0;
  for (double& value : line) sum += value = std::exp(value - largest);
  for (double& value : line) value /= sum;
}

// Along one axis; up to opset 12 over all axes from it on.
std::vector<Array> softmax(const OnnxCall& call) {
  const Array& x = call.input(0);
  if (call.opset() >= 13) return one(along(x, call.axis(call.integer("axis", -1), x.rank()), softmax_of));
  Array out = along(rows_from(call, call.integer("axis", 1)), 1, softmax_of);
  out.shape = x.shape;
  return one(std::move(out));
}

std::vector<Array> layer_norm(const OnnxCall& call) {
  const double epsilon = call.number("epsilon", 1e-5F);
  const Array &scale = call.input(1), *bias = call.optional(2);
  Array rows = rows_from(call, call.integer("axis", -1));
  if (scale.size() != rows.shape[1] || (bias != nullptr && bias->size() != rows.shape[1]))
    call.refuse("its scale and bias are not of its input's shape");
  rows = along(std::move(rows), 1, [&](std::vector<double>& line) {
    const auto count = static_cast<double>(line.size());
    const double mean = std::accumulate(line.begin(), line.end(), 0.0) / count;
    double variance = 0;
    for (const double value : line) variance += square(value - mean) / count;
    for (size_t i = 0; i < line.size(); ++i)
      line[i] =
          (line[i] - mean) / std::sqrt(variance + epsilon) * scale.values[i] + (bias ? bias->values[i] : 0);
  });
  rows.shape = call.input(0).shape;
  return one(std::move(rows));
}

std::vector<Array> lp_normalization(const OnnxCall& call) {
  const Array& x = call.input(0);
  const bool absolute = call.integer("p", 2) == 1;
  return one(along(x, call.axis(call.integer("axis", -1), x.rank()), [&](std::vector<double>& line) {
    double norm = 0;
    for (const double value : line) norm += absolute ? std::abs(value) : square(value);
    if (!absolute) norm = std::sqrt(norm);
    for (double& value : line) value = norm > 0 ? value / norm : 0;
  }));
}

}  // namespace

std::vector<NamedOperator> reduction_operators() {
  const auto mean = [](double v, double count) { return v / count; };
  const auto root = [](double v, double) { return std::sqrt(v); };
  return {{"ReduceSum", reduction({0, add})},
          {"ReduceMean", reduction({0, add, [](double v) { return v; }, mean})},
          {"ReduceMax", reduction({-INFINITY, larger})},
          {"ReduceMin", reduction({INFINITY, smaller})},
          {"ReduceL1", reduction({0, add, [](double v) { return std::abs(v); }})},
          {"ReduceL2", reduction({0, add, square, root})},
          {"ReduceSumSquare", reduction({0, add, square})},
          {"Softmax", softmax},
          {"LayerNormalization", layer_norm},
          {"LpNormalization", lp_normalization}};
}

}  // namespace uir
