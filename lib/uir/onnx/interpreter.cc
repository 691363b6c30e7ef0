#include "uir/onnx/interpreter.h"

#include <algorithm>
#include <set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/onnx/operators.h"
#include "uir/onnx/tensor.h"

namespace uir {
namespace {

// How often each value is still to be read.
std::map<std::string, int64_t> readers_of(const std::vector<const OnnxNode*>& nodes,
                                          const std::vector<std::string>& outputs) {
  std::map<std::string, int64_t> readers;
  for (const OnnxNode* node : nodes) {
    for (const std::string& input : node->inputs) ++readers[input];
  }
  for (const std::string& output : outputs) ++readers[output];
  return readers;
}

bool depends_on_input(const OnnxNode& node, const std::set<std::string>& computed) {
  return std::ranges::any_of(node.inputs, [&](const std::string& name) { return computed.contains(name); });
}

void put(std::map<std::string, Array>& values, const OnnxNode& node, std::vector<Array> results) {
  for (size_t i = 0; i < std::min(results.size(), node.outputs.size()); ++i) {
    if (!node.outputs[i].empty()) values.insert_or_assign(node.outputs[i], std::move(results[i]));
  }
}

}  // namespace

OnnxInterpreter::OnnxInterpreter(const OnnxModel& model, int threads) : model_(model), threads_(threads) {
  for (const OnnxTensor& tensor : model.tensors) tensors_[tensor.name] = &tensor;
  std::set<std::string> computed;
  for (const OnnxValue& input : model.inputs) computed.insert(input.name);
  for (const OnnxNode& node : model.nodes) {
    if (depends_on_input(node, computed)) {
      nodes_.push_back(&node);
      computed.insert(node.outputs.begin(), node.outputs.end());
    } else {
      put(constants_, node, compute(node, {}));
    }
  }
}

std::optional<Array> OnnxInterpreter::constant(const std::string& name) const {
  if (const auto found = constants_.find(name); found != constants_.end()) return found->second;
  if (const auto found = tensors_.find(name); found != tensors_.end()) return array_of(*found->second);
  return std::nullopt;
}

std::vector<Array> OnnxInterpreter::compute(const OnnxNode& node,
                                            const std::map<std::string, Array>& values) const {
  std::vector<const Array*> inputs;
  std::vector<std::optional<Array>> read_once(node.inputs.size());
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const std::string& name = node.inputs[i];
    const auto value = values.find(name);
    if (value == values.end()) read_once[i] = constant(name);
    inputs.push_back(value != values.end() ? &value->second : read_once[i] ? &*read_once[i] : nullptr);
    if (inputs.back() == nullptr && !name.empty())
      fail(ErrorKind::kData, "node '", readable(node.name), "' (", readable(node.type), ") reads '",
           readable(name), "', which no node before it makes");
  }
  const OnnxCall call(node, model_.opset, std::move(inputs), threads_);
  const OnnxOperator* compute = find_operator(node.type);
  if (compute == nullptr) call.refuse("an operator that is not known here");
  return (*compute)(call);
}

std::vector<Array> OnnxInterpreter::run(std::map<std::string, Array> inputs,
                                        const std::vector<std::string>& outputs) const {
  std::map<std::string, Array> values = std::move(inputs);
  std::map<std::string, int64_t> readers = readers_of(nodes_, outputs);
  for (const OnnxNode* node : nodes_) {
    std::vector<Array> results = compute(*node, values);
    for (const std::string& name : node->inputs) {
      if (--readers[name] == 0) values.erase(name);
    }
    put(values, *node, std::move(results));
  }
  std::vector<Array> found;
  for (const std::string& name : outputs) {
    const auto value = values.find(name);
    const std::optional<Array> array = value != values.end() ? value->second : constant(name);
    if (!array) fail(ErrorKind::kData, "no node makes the output '", readable(name), "'");
    found.push_back(*array);
  }
  return found;
}

std::vector<std::string> unknown_operators(const OnnxModel& model) {
  std::set<std::string> unknown;
  for (const OnnxNode& node : model.nodes) {
    if (find_operator(node.type) == nullptr) unknown.insert(node.type);
  }
  return {unknown.begin(), unknown.end()};
}

}  // namespace uir
