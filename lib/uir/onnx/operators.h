// The operators of face networks, each computed plainly in float64: what every engine is held against.
//
// Source: the operators' texts in the ONNX specification, opsets 7 to 21. Departure: a PRelu whose slope is a
// vector as long as there are channels has one slope per channel, as converters from MXNet mean it; by the
// specification it would be one per column.
// Shapes: images [B, C, H, W]; convolutions and pools of two dimensions only.
// Errors: kData, naming the node, for values that do not fit it and for what it does not compute.
// Threads: pure functions; convolutions and products run on the call's threads.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/onnx/array.h"
#include "uir/onnx/model.h"

namespace uir {

// How a node asks for its attributes and inputs.
class OnnxCall {
 public:
  OnnxCall(const OnnxNode& node, int64_t opset, std::vector<const Array*> inputs, int threads)
      : node_(&node), opset_(opset), inputs_(std::move(inputs)), threads_(threads) {}

  int64_t opset() const { return opset_; }
  int threads() const { return threads_; }
  const OnnxNode& node() const { return *node_; }

  int64_t num_inputs() const { return static_cast<int64_t>(inputs_.size()); }
  // Null where an optional input is not given.
  const Array* optional(int64_t i) const;
  const Array& input(int64_t i) const;
  std::vector<int64_t> integers_of_input(int64_t i) const;

  bool has(std::string_view attribute) const { return find(attribute) != nullptr; }
  int64_t integer(std::string_view attribute, int64_t otherwise) const;
  double number(std::string_view attribute, double otherwise) const;
  std::string text(std::string_view attribute, std::string_view otherwise) const;
  std::vector<int64_t> integers(std::string_view attribute, std::vector<int64_t> otherwise = {}) const;
  std::vector<double> numbers(std::string_view attribute) const;
  const OnnxTensor* tensor(std::string_view attribute) const;
  // From an attribute in old opsets, from an input in new ones.
  std::vector<int64_t> integers_from(std::string_view attribute, int64_t input) const;
  // An axis from −rank to rank − 1, counted from the front.
  int64_t axis(int64_t value, int64_t rank) const;

  [[noreturn]] void refuse(const std::string& why) const;

 private:
  const OnnxAttribute* find(std::string_view attribute) const;
  template <class T>
  const T* value(std::string_view attribute) const;

  const OnnxNode* node_;
  int64_t opset_;
  std::vector<const Array*> inputs_;
  int threads_;
};

// A window that slides over images: of convolutions and pools.
struct Window {
  int64_t kernel_y, kernel_x, stride_y, stride_x, dilation_y, dilation_x;
  int64_t top, left, bottom, right;  // padding
  int64_t out_height, out_width;
};
// kernel: height and width; of an image of this size.
Window window_of(const OnnxCall& call, const std::vector<int64_t>& kernel, int64_t height, int64_t width);

// The one result of a node.
std::vector<Array> one(Array array);

using OnnxOperator = std::function<std::vector<Array>(const OnnxCall&)>;
struct NamedOperator {
  std::string_view name;
  OnnxOperator compute;
};
// By family; find_operator looks through all of them. Null: unknown.
std::vector<NamedOperator> elementwise_operators();
std::vector<NamedOperator> shape_operators();
std::vector<NamedOperator> layer_operators();
std::vector<NamedOperator> reduction_operators();
const OnnxOperator* find_operator(std::string_view name);

// kData, naming the node, for more numbers than a face network's values have.
int64_t checked_size(const OnnxCall& call, const std::vector<int64_t>& shape);

}  // namespace uir
