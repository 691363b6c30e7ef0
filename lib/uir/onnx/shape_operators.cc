// Operators that move numbers, or tell and make shapes.
#include <algorithm>
#include <limits>
#include <numeric>

#include "uir/base/error.h"
#include "uir/onnx/operators.h"
#include "uir/onnx/tensor.h"

namespace uir {
namespace {

constexpr int64_t kFarthest = int64_t{1} << 28;  // that a step or a border may reach

Array with_shape(const OnnxCall& call, Array array, std::vector<int64_t> shape) {
  if (checked_size(call, shape) != array.size())
    call.refuse(concat(array.size(), " numbers do not fill its shape"));
  array.shape = std::move(shape);
  return array;
}

// The product of the sizes of dimensions [first, last).
int64_t product(const std::vector<int64_t>& shape, int64_t first, int64_t last) {
  return std::accumulate(shape.begin() + first, shape.begin() + last, int64_t{1}, std::multiplies<>());
}

std::vector<Array> flatten(const OnnxCall& call) {
  const Array& x = call.input(0);
  const int64_t wanted = call.integer("axis", 1);
  const int64_t axis = wanted == x.rank() ? wanted : call.axis(wanted, x.rank());
  return one(with_shape(call, x, {product(x.shape, 0, axis), product(x.shape, axis, x.rank())}));
}

std::vector<Array> reshape(const OnnxCall& call) {
  const Array& x = call.input(0);
  std::vector<int64_t> shape = call.integers_from("shape", 1);
  int64_t free = -1, known = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && call.integer("allowzero", 0) == 0) {
      if (i >= x.shape.size()) call.refuse("copies the size of a dimension that its input does not have");
      shape[i] = x.shape[i];
    }
    if (shape[i] == -1) {
      if (free >= 0) call.refuse("leaves two sizes open");
      free = static_cast<int64_t>(i);
    } else if (shape[i] < 0 || __builtin_mul_overflow(known, shape[i], &known)) {
      call.refuse("asks for an impossible shape");
    }
  }
  if (free >= 0) shape[static_cast<size_t>(free)] = known > 0 ? x.size() / known : 0;
  return one(with_shape(call, x, std::move(shape)));
}

std::vector<Array> squeeze(const OnnxCall& call) {
  const Array& x = call.input(0);
  std::vector<int64_t> axes = call.integers_from("axes", 1);
  for (int64_t& axis : axes) axis = call.axis(axis, x.rank());
  std::vector<int64_t> shape;
  for (int64_t i = 0; i < x.rank(); ++i) {
    const int64_t size = x.shape[static_cast<size_t>(i)];
    const bool goes = axes.empty() ? size == 1 : std::ranges::count(axes, i) > 0;
    if (goes && size != 1) call.refuse(concat("takes away a dimension of size ", size));
    if (!goes) shape.push_back(size);
  }
  return one(with_shape(call, x, std::move(shape)));
}

std::vector<Array> unsqueeze(const OnnxCall& call) {
  const Array& x = call.input(0);
  std::vector<int64_t> axes = call.integers_from("axes", 1);
  const int64_t rank = x.rank() + static_cast<int64_t>(axes.size());
  for (int64_t& axis : axes) axis = call.axis(axis, rank);
  std::vector<int64_t> shape;
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i) {
    if (std::ranges::count(axes, i) > 0) {
      shape.push_back(1);
    } else if (next < x.shape.size()) {
      shape.push_back(x.shape[next++]);
    }
  }
  return one(with_shape(call, x, std::move(shape)));
}

// The distances between neighbours along each dimension.
std::vector<int64_t> strides_of(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

// out[i] = x[begin + Σ i_d · steps_d], for every index i of the shape.
Array gathered(const OnnxCall& call, const Array& x, std::vector<int64_t> shape, int64_t begin,
               const std::vector<int64_t>& steps) {
  Array out{std::move(shape), {}, x.integer};
  out.values.resize(static_cast<size_t>(checked_size(call, out.shape)));
  std::vector<int64_t> at(out.shape.size(), 0);
  int64_t from = begin;
  for (double& value : out.values) {
    value = x.values[static_cast<size_t>(from)];
    for (size_t i = at.size(); i-- > 0;) {
      from += steps[i];
      if (++at[i] < out.shape[i]) break;
      from -= steps[i] * out.shape[i];
      at[i] = 0;
    }
  }
  return out;
}

std::vector<Array> transpose(const OnnxCall& call) {
  const Array& x = call.input(0);
  std::vector<int64_t> order(x.shape.size());
  std::iota(order.rbegin(), order.rend(), int64_t{0});
  order = call.integers("perm", order);
  std::vector<int64_t> sorted = order;
  std::ranges::sort(sorted);
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != x.shape.size() || sorted[i] != static_cast<int64_t>(i))
      call.refuse("its attribute 'perm' does not name every dimension once");
  }
  const std::vector<int64_t> strides = strides_of(x.shape);
  std::vector<int64_t> shape, steps;
  for (const int64_t axis : order) {
    shape.push_back(x.shape[static_cast<size_t>(axis)]);
    steps.push_back(strides[static_cast<size_t>(axis)]);
  }
  return one(gathered(call, x, std::move(shape), 0, steps));
}

std::vector<Array> expand(const OnnxCall& call) {
  const Array& x = call.input(0);
  std::vector<int64_t> shape = call.integers_of_input(1);
  if (shape.size() < x.shape.size()) shape.insert(shape.begin(), x.shape.size() - shape.size(), 1);
  const std::vector<int64_t> strides = strides_of(x.shape);
  std::vector<int64_t> steps(shape.size(), 0);
  const size_t missing = shape.size() - x.shape.size();
  for (size_t i = 0; i < x.shape.size(); ++i) {
    if (x.shape[i] == 1) continue;
    if (shape[missing + i] != 1 && shape[missing + i] != x.shape[i]) call.refuse("its shapes do not fit");
    shape[missing + i] = x.shape[i];
    steps[missing + i] = strides[i];
  }
  return one(gathered(call, x, std::move(shape), 0, steps));
}

std::vector<Array> slice(const OnnxCall& call) {
  const Array& x = call.input(0);
  const std::vector<int64_t> starts = call.integers_from("starts", 1), ends = call.integers_from("ends", 2);
  std::vector<int64_t> axes = call.integers_from("axes", 3), steps = call.integers_from("steps", 4);
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), int64_t{0});
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    call.refuse("its lists of starts, ends, axes and steps are of different lengths");
  std::vector<int64_t> shape = x.shape, strides = strides_of(x.shape);
  int64_t begin = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<size_t>(call.axis(axes[i], x.rank()));
    const int64_t size = shape[axis];
    if (steps[i] < 1 || steps[i] > kFarthest) call.refuse("steps backwards, which is not computed");
    const auto place = [&](int64_t at) { return std::clamp(at < 0 ? at + size : at, int64_t{0}, size); };
    const int64_t first = place(starts[i]), last = std::max(first, place(ends[i]));
    begin += first * strides[axis];
    shape[axis] = (last - first + steps[i] - 1) / steps[i];
    strides[axis] *= steps[i];
  }
  return one(gathered(call, x, std::move(shape), begin, strides));
}

std::vector<Array> concat_arrays(const OnnxCall& call) {
  const Array& first = call.input(0);
  const int64_t axis = call.axis(call.integer("axis", 1), first.rank());
  Array out{first.shape, {}, first.integer};
  int64_t along = 0;
  for (int64_t i = 0; i < call.num_inputs(); ++i) {
    std::vector<int64_t> shape = call.input(i).shape;
    if (shape.size() != out.shape.size()) call.refuse("its inputs have different numbers of dimensions");
    along += shape[static_cast<size_t>(axis)];
    shape[static_cast<size_t>(axis)] = first.shape[static_cast<size_t>(axis)];
    if (shape != first.shape) call.refuse("its inputs do not fit together");
  }
  out.shape[static_cast<size_t>(axis)] = along;
  out.values.reserve(static_cast<size_t>(checked_size(call, out.shape)));
  const int64_t outer = product(out.shape, 0, axis);
  for (int64_t row = 0; row < outer; ++row) {
    for (int64_t i = 0; i < call.num_inputs(); ++i) {
      const Array& x = call.input(i);
      const int64_t run = outer > 0 ? x.size() / outer : 0;
      out.values.insert(out.values.end(), x.values.begin() + row * run, x.values.begin() + (row + 1) * run);
    }
  }
  return one(std::move(out));
}

std::vector<Array> split(const OnnxCall& call) {
  const Array& x = call.input(0);
  const int64_t axis = call.axis(call.integer("axis", 0), x.rank());
  const int64_t size = x.shape[static_cast<size_t>(axis)];
  std::vector<int64_t> sizes = call.integers_from("split", 1);
  if (sizes.empty()) {
    const auto parts = static_cast<int64_t>(call.node().outputs.size());
    if (parts == 0) call.refuse("has no outputs");
    const int64_t each = (size + parts - 1) / parts;
    for (int64_t left = size; left > 0; left -= each) sizes.push_back(std::min(each, left));
  }
  if (std::ranges::any_of(sizes, [](int64_t s) { return s < 0; }) ||
      std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != size)
    call.refuse(concat("its parts do not add up to ", size));
  const std::vector<int64_t> strides = strides_of(x.shape);
  std::vector<Array> parts;
  int64_t begin = 0;
  for (const int64_t part : sizes) {
    std::vector<int64_t> shape = x.shape;
    shape[static_cast<size_t>(axis)] = part;
    parts.push_back(gathered(call, x, std::move(shape), begin * strides[static_cast<size_t>(axis)], strides));
    begin += part;
  }
  return parts;
}

std::vector<Array> gather(const OnnxCall& call) {
  const Array &x = call.input(0), &indices = call.input(1);
  const int64_t axis = call.axis(call.integer("axis", 0), x.rank()),
                size = x.shape[static_cast<size_t>(axis)];
  const int64_t outer = product(x.shape, 0, axis), inner = product(x.shape, axis + 1, x.rank());
  Array out{{x.shape.begin(), x.shape.begin() + axis}, {}, x.integer};
  out.shape.insert(out.shape.end(), indices.shape.begin(), indices.shape.end());
  out.shape.insert(out.shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  out.values.reserve(static_cast<size_t>(checked_size(call, out.shape)));
  const std::vector<int64_t> rows = call.integers_of_input(1);
  for (int64_t o = 0; o < outer; ++o) {
    for (const int64_t row : rows) {
      if (row < -size || row >= size) call.refuse(concat("takes entry ", row, " of ", size));
      const auto begin = x.values.begin() + (o * size + (row < 0 ? row + size : row)) * inner;
      out.values.insert(out.values.end(), begin, begin + inner);
    }
  }
  return one(std::move(out));
}

std::vector<Array> shape(const OnnxCall& call) {
  const Array& x = call.input(0);
  const auto place = [&](int64_t at) {
    return std::clamp(at < 0 ? at + x.rank() : at, int64_t{0}, x.rank());
  };
  const int64_t start = place(call.integer("start", 0));
  const int64_t end = std::max(start, place(call.integer("end", std::numeric_limits<int64_t>::max())));
  return one(Array::of_integers({x.shape.begin() + start, x.shape.begin() + end}));
}

std::vector<Array> constant(const OnnxCall& call) {
  if (const OnnxTensor* tensor = call.tensor("value")) return one(array_of(*tensor));
  if (call.has("value_float")) return one({{}, {call.number("value_float", 0)}});
  if (call.has("value_int")) return one({{}, {static_cast<double>(call.integer("value_int", 0))}, true});
  if (call.has("value_ints")) return one(Array::of_integers(call.integers("value_ints")));
  if (!call.has("value_floats")) call.refuse("is a constant of a kind that is not read");
  const std::vector<double> numbers = call.numbers("value_floats");
  return one({{static_cast<int64_t>(numbers.size())}, numbers});
}

std::vector<Array> constant_of_shape(const OnnxCall& call) {
  Array out{call.integers_of_input(0), {}, false};
  double value = 0;
  if (const OnnxTensor* tensor = call.tensor("value")) {
    const std::vector<double> numbers = numbers_of(*tensor);
    if (numbers.size() != 1) call.refuse("its value is not a single number");
    value = numbers[0];
    out.integer = is_integer(tensor->type);
  }
  out.values.assign(static_cast<size_t>(checked_size(call, out.shape)), value);
  return one(std::move(out));
}

std::vector<Array> pad(const OnnxCall& call) {
  const Array& x = call.input(0);
  const std::vector<int64_t> pads = call.integers_from("pads", 1);
  if (call.text("mode", "constant") != "constant") call.refuse("pads otherwise than with a constant");
  if (call.optional(3) != nullptr) call.refuse("pads along axes of its own choice, which is not computed");
  if (pads.size() != 2 * x.shape.size() ||
      std::ranges::any_of(pads, [](int64_t p) { return p < 0 || p > kFarthest; }))
    call.refuse("its padding does not fit its input");
  const Array* value = call.optional(2);
  Array out{x.shape, {}, x.integer};
  for (size_t i = 0; i < x.shape.size(); ++i) out.shape[i] += pads[i] + pads[i + x.shape.size()];
  out.values.assign(static_cast<size_t>(checked_size(call, out.shape)),
                    value != nullptr && value->size() == 1 ? value->values[0] : call.number("value", 0));
  const std::vector<int64_t> strides = strides_of(out.shape);
  std::vector<int64_t> at(x.shape.size(), 0);
  for (const double number : x.values) {
    int64_t to = 0;
    for (size_t i = 0; i < at.size(); ++i) to += (at[i] + pads[i]) * strides[i];
    out.values[static_cast<size_t>(to)] = number;
    for (size_t i = at.size(); i-- > 0;) {
      if (++at[i] < x.shape[i]) break;
      at[i] = 0;
    }
  }
  return one(std::move(out));
}

// What is dropped out in training only.
std::vector<Array> dropout(const OnnxCall& call) {
  Array mask{call.input(0).shape, std::vector<double>(call.input(0).values.size(), 1), true};
  return {call.input(0), std::move(mask)};
}

}  // namespace

std::vector<NamedOperator> shape_operators() {
  return {{"Flatten", flatten},
          {"Reshape", reshape},
          {"Squeeze", squeeze},
          {"Unsqueeze", unsqueeze},
          {"Transpose", transpose},
          {"Expand", expand},
          {"Slice", slice},
          {"Concat", concat_arrays},
          {"Split", split},
          {"Gather", gather},
          {"Shape", shape},
          {"Constant", constant},
          {"ConstantOfShape", constant_of_shape},
          {"Pad", pad},
          {"Dropout", dropout}};
}

}  // namespace uir
