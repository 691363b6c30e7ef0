#include "uir/onnx/operators.h"

#include <limits>
#include <map>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/onnx/tensor.h"

namespace uir {

namespace {

// "To the end" is often the largest integer there is, which float64 rounds up.
int64_t whole(double value) {
  constexpr double kBeyond = 9223372036854775808.0;
  if (value >= kBeyond) return std::numeric_limits<int64_t>::max();
  return value > -kBeyond ? static_cast<int64_t>(value) : std::numeric_limits<int64_t>::min();
}

}  // namespace

const OnnxAttribute* OnnxCall::find(std::string_view attribute) const {
  for (const auto& [name, value] : node_->attributes) {
    if (name == attribute) return &value;
  }
  return nullptr;
}

template <class T>
const T* OnnxCall::value(std::string_view attribute) const {
  const OnnxAttribute* found = find(attribute);
  if (found == nullptr) return nullptr;
  const T* of_type = std::get_if<T>(found);
  if (of_type == nullptr) refuse(concat("its attribute '", attribute, "' is of another kind"));
  return of_type;
}

int64_t OnnxCall::integer(std::string_view attribute, int64_t otherwise) const {
  const auto* found = value<int64_t>(attribute);
  return found ? *found : otherwise;
}
double OnnxCall::number(std::string_view attribute, double otherwise) const {
  const auto* found = value<float>(attribute);
  return found ? static_cast<double>(*found) : otherwise;
}
std::string OnnxCall::text(std::string_view attribute, std::string_view otherwise) const {
  const auto* found = value<std::string>(attribute);
  return found ? *found : std::string(otherwise);
}
std::vector<int64_t> OnnxCall::integers(std::string_view attribute, std::vector<int64_t> otherwise) const {
  const auto* found = value<std::vector<int64_t>>(attribute);
  return found ? *found : std::move(otherwise);
}
std::vector<double> OnnxCall::numbers(std::string_view attribute) const {
  const auto* found = value<std::vector<float>>(attribute);
  return found ? std::vector<double>(found->begin(), found->end()) : std::vector<double>();
}
const OnnxTensor* OnnxCall::tensor(std::string_view attribute) const { return value<OnnxTensor>(attribute); }

std::vector<int64_t> OnnxCall::integers_from(std::string_view attribute, int64_t input) const {
  return has(attribute) || optional(input) == nullptr ? integers(attribute) : integers_of_input(input);
}

const Array* OnnxCall::optional(int64_t i) const {
  return i < num_inputs() ? inputs_[static_cast<size_t>(i)] : nullptr;
}
const Array& OnnxCall::input(int64_t i) const {
  const Array* found = optional(i);
  if (found == nullptr) refuse(concat("its input ", i, " is missing"));
  return *found;
}
std::vector<int64_t> OnnxCall::integers_of_input(int64_t i) const {
  const Array& array = input(i);
  if (!array.integer) refuse(concat("its input ", i, " holds no integers"));
  std::vector<int64_t> integers;
  for (const double value : array.values) integers.push_back(whole(value));
  return integers;
}

int64_t OnnxCall::axis(int64_t value, int64_t rank) const {
  if (value < -rank || value >= rank)
    refuse(concat("axis ", value, " of a value with ", rank, " dimensions"));
  return value < 0 ? value + rank : value;
}

void OnnxCall::refuse(const std::string& why) const {
  fail(ErrorKind::kData, "node '", readable(node_->name), "' (", readable(node_->type), "): ", why);
}

std::vector<Array> one(Array array) {
  std::vector<Array> result;
  result.push_back(std::move(array));
  return result;
}

int64_t checked_size(const OnnxCall& call, const std::vector<int64_t>& shape) {
  constexpr int64_t kLargest = int64_t{1} << 25;
  const auto count = num_elements(shape);
  if (!count || *count > kLargest)
    call.refuse("its result would have more numbers than a face network's has");
  // Only a list may be empty: sizes beside a 0 would mean nothing.
  if (*count == 0 && shape.size() != 1) call.refuse("its result would have a dimension of size 0");
  return *count;
}

const OnnxOperator* find_operator(std::string_view name) {
  static const auto known = [] {
    std::map<std::string_view, OnnxOperator> operators;
    for (const auto& family :
         {elementwise_operators(), shape_operators(), layer_operators(), reduction_operators()}) {
      for (const NamedOperator& each : family) operators.emplace(each.name, each.compute);
    }
    return operators;
  }();
  const auto found = known.find(name);
  return found == known.end() ? nullptr : &found->second;
}

}  // namespace uir
