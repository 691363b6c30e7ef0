#include "uir/onnx/writer.h"

#include <limits>

#include "uir/base/error.h"
#include "uir/formats/protobuf_writer.h"

namespace uir {
namespace {

// The IR version that came with the opset, so that a reader of that time accepts the file.
int64_t ir_version(int64_t opset) {
  if (opset < kOldestOpset || opset > kNewestOpset) {
    fail(ErrorKind::kUsage, "opset ", opset, ": expected ", kOldestOpset, " to ", kNewestOpset);
  }
  if (opset == 11) return 6;
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  return opset <= 20 ? 9 : 10;
}

ProtobufWriter attribute_message(const std::string& name, const OnnxAttribute& value) {
  enum Type { kTypeFloat = 1, kTypeInt = 2, kTypeInts = 7 };
  ProtobufWriter message;
  message.text(1, name);
  if (const auto* number = std::get_if<float>(&value))
    return message.float32(2, *number).integer(20, kTypeFloat);
  if (const auto* integer = std::get_if<int64_t>(&value))
    return message.integer(3, *integer).integer(20, kTypeInt);
  const auto* integers = std::get_if<std::vector<int64_t>>(&value);
  ensure(integers != nullptr, "written attributes are numbers or lists of integers");
  for (const int64_t i : *integers) message.integer(8, i);
  return message.integer(20, kTypeInts);
}

ProtobufWriter node_message(const OnnxNode& node) {
  ProtobufWriter message;
  for (const std::string& input : node.inputs) message.text(1, input);
  for (const std::string& output : node.outputs) message.text(2, output);
  message.text(3, node.name).text(4, node.type);
  for (const auto& [name, value] : node.attributes) message.message(5, attribute_message(name, value));
  return message;
}

ProtobufWriter value_message(const OnnxValue& value) {
  ProtobufWriter shape;
  for (const int64_t size : value.shape) {
    ProtobufWriter dimension;
    size == kFreeSize ? dimension.text(2, "batch") : dimension.integer(1, size);
    shape.message(1, dimension);
  }
  const ProtobufWriter tensor = ProtobufWriter().integer(1, value.type).message(2, shape);
  return ProtobufWriter().text(1, value.name).message(2, ProtobufWriter().message(1, tensor));
}

// All of a TensorProto but its data.
ProtobufWriter tensor_head(const OnnxTensor& tensor) {
  ProtobufWriter message;
  for (const int64_t size : tensor.shape) message.integer(1, size);
  return message.integer(2, static_cast<int64_t>(tensor.type))
      .text(8, tensor.name)
      .begin(9, tensor.data.size());
}

// A tensor as a field of the graph, all but its data.
std::string tensor_field(const OnnxTensor& tensor) {
  const std::string head = tensor_head(tensor).bytes();
  return ProtobufWriter().begin(5, head.size() + tensor.data.size()).bytes() + head;
}

ProtobufWriter model_head(const OnnxModel& model) {
  ProtobufWriter message;
  message.integer(1, ir_version(model.opset)).text(2, "uir");
  message.message(8, ProtobufWriter().text(1, "").integer(2, model.opset));
  for (const auto& [key, value] : model.metadata) {
    message.message(14, ProtobufWriter().text(1, key).text(2, value));
  }
  return message;
}

}  // namespace

void write_onnx(const OnnxModel& model, OutputFile& out) {
  ProtobufWriter graph;
  for (const OnnxNode& node : model.nodes) graph.message(1, node_message(node));
  graph.text(2, "uir");
  for (const OnnxValue& input : model.inputs) graph.message(11, value_message(input));
  for (const OnnxValue& output : model.outputs) graph.message(12, value_message(output));
  uint64_t graph_size = graph.bytes().size();
  for (const OnnxTensor& tensor : model.tensors)
    graph_size += tensor_field(tensor).size() + tensor.data.size();

  const std::string head = model_head(model).begin(7, graph_size).bytes();
  if (head.size() + graph_size > std::numeric_limits<int32_t>::max()) {
    fail(ErrorKind::kUsage, out.path().string(), ": the network takes ", (head.size() + graph_size) >> 20,
         " MiB, but an ONNX file must stay below 2 GiB; export it as .pt or .pth");
  }
  out.write(head);
  out.write(graph.bytes());
  for (const OnnxTensor& tensor : model.tensors) {
    out.write(tensor_field(tensor));
    out.write(tensor.data);
  }
}

}  // namespace uir
