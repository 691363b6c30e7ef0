#include "uir/onnx/face_network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/onnx/interpreter.h"
#include "uir/onnx/tensor.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape)
    text += concat(text.empty() ? "" : " x ", size == kFreeSize ? "any" : std::to_string(size));
  return text.empty() ? "a size that it does not tell" : text;
}

template <class Names>
std::string listed(const Names& names) {
  std::string text;
  for (const auto& name : names) text += concat(text.empty() ? "" : ", ", readable(name));
  return text;
}

void check_input(const OnnxModel& model) {
  std::vector<std::string> names;
  for (const OnnxValue& input : model.inputs) names.push_back(input.name);
  if (names.size() != 1)
    fail(ErrorKind::kData, "has ", names.size(), " inputs (", listed(names),
         "), a network that embeds faces has one: the image");
  const OnnxValue& input = model.inputs[0];
  const auto is = [&](const std::vector<int64_t>& wanted) {
    return std::ranges::equal(
        input.shape, wanted, [](int64_t a, int64_t b) { return a == b || a == kFreeSize || b == kFreeSize; });
  };
  const std::vector<int64_t> ours{kFreeSize, 3, kImageSize, kImageSize};
  if (!is(ours))
    fail(ErrorKind::kData, "takes an input of ", shape_text(input.shape), ", faces are ", shape_text(ours),
         is({kFreeSize, kImageSize, kImageSize, 3})
             ? "; export it with channels first"
             : " (batch, RGB, height, width); another network is needed");
  if (input.type != static_cast<int64_t>(OnnxType::kFloat32))
    fail(ErrorKind::kData, "takes an input of ONNX's type ", input.type,
         ", not float32; export it with a float32 input");
}

void check_operators(const OnnxModel& model) {
  const std::vector<std::string> unknown = unknown_operators(model);
  if (unknown.empty()) return;
  fail(ErrorKind::kData, "has operators that are not known here: ", listed(unknown),
       "; without a way to check them no engine is trusted with them");
}

// A picture without features, enough to learn shapes.
Array grey_face(int64_t batch) {
  return {{batch, 3, kImageSize, kImageSize},
          std::vector<double>(static_cast<size_t>(batch * kImageBytes), 0.25)};
}

// The shapes of the outputs, batch included; of those that do not tell, by computing them.
std::vector<std::vector<int64_t>> output_shapes(const FaceNetwork& network, int threads) {
  const OnnxModel& model = network.file.model;
  const auto told = [](const OnnxValue& output) {
    return output.shape.size() > 1 &&
           std::ranges::count(output.shape.begin() + 1, output.shape.end(), kFreeSize) == 0;
  };
  std::vector<std::vector<int64_t>> shapes;
  std::vector<std::string> names;
  for (const OnnxValue& output : model.outputs) {
    shapes.push_back(output.shape);
    names.push_back(output.name);
  }
  if (std::ranges::all_of(model.outputs, told)) return shapes;
  shapes.clear();
  const OnnxInterpreter interpreter(model, threads);
  for (const Array& output :
       interpreter.run({{network.input, grey_face(network.fixed_batch.value_or(1))}}, names))
    shapes.push_back(output.shape);
  return shapes;
}

// The numbers for each face, if the shape is that of embeddings.
int64_t numbers_per_face(const std::vector<int64_t>& shape) {
  int64_t count = 1, longest = 1;
  for (size_t i = 1; i < shape.size(); ++i) {
    count *= shape[i];
    longest = std::max(longest, shape[i]);
  }
  return shape.size() > 1 && count == longest ? count : 0;
}

void choose_output(FaceNetwork& network, const std::string& wanted, int threads) {
  const std::vector<OnnxValue>& outputs = network.file.model.outputs;
  const std::vector<std::vector<int64_t>> shapes = output_shapes(network, threads);
  std::vector<size_t> possible;
  std::vector<std::string> told;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool asked = wanted.empty() || outputs[i].name == wanted;
    if (asked && numbers_per_face(shapes[i]) > 1) possible.push_back(i);
    told.push_back(concat("'", outputs[i].name, "' of ", shape_text(shapes[i])));
  }
  if (possible.size() != 1) {
    fail(ErrorKind::kData,
         possible.empty() ? "has no output that is an embedding"
                          : "has several outputs that may be the embedding",
         wanted.empty() ? "" : concat(" and is called '", wanted, "'"), ": ", listed(told),
         possible.empty() ? "; is it a detector?" : "; name it with extract.onnx.output");
  }
  network.output = outputs[possible[0]].name;
  network.embedding_size = numbers_per_face(shapes[possible[0]]);
}

int64_t count_parameters(const OnnxModel& model) {
  int64_t count = 0;
  for (const OnnxTensor& tensor : model.tensors) {
    if (!is_integer(tensor.type)) count += num_elements(tensor.shape).value_or(0);
  }
  return count;
}

// --- What the file tells of its pixels --------------------------------------------------------------------

// x · scale + shift, per channel.
struct Affine {
  std::array<double, 3> scale{1, 1, 1}, shift{0, 0, 0};
};

// A constant as one number per channel.
std::optional<std::array<double, 3>> per_channel(const std::optional<Array>& constant) {
  if (!constant) return std::nullopt;
  if (constant->size() == 1) return std::array{constant->values[0], constant->values[0], constant->values[0]};
  const bool channels =
      constant->size() == 3 && constant->rank() >= 3 && constant->shape[constant->shape.size() - 3] == 3;
  if (!channels) return std::nullopt;
  return std::array{constant->values[0], constant->values[1], constant->values[2]};
}

bool apply(Affine& affine, const OnnxNode& node, const std::array<double, 3>& value, bool constant_first) {
  for (size_t c = 0; c < 3; ++c) {
    if (node.type == "Add") {
      affine.shift[c] += value[c];
    } else if (node.type == "Sub" && !constant_first) {
      affine.shift[c] -= value[c];
    } else if (node.type == "Mul") {
      affine.scale[c] *= value[c];
      affine.shift[c] *= value[c];
    } else if (node.type == "Div" && !constant_first && value[c] != 0) {
      affine.scale[c] /= value[c];
      affine.shift[c] /= value[c];
    } else {
      return false;
    }
  }
  return true;
}

// What the nodes before all others do to the pixels; none if the first one does something else.
std::optional<Affine> leading_affine(const OnnxModel& model, const OnnxInterpreter& interpreter) {
  Affine affine;
  std::string value = model.inputs[0].name;
  constexpr int kDeepest = 16;
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::vector<const OnnxNode*> readers;
    for (const OnnxNode* node : interpreter.nodes()) {
      if (std::ranges::count(node->inputs, value) > 0) readers.push_back(node);
    }
    const bool goes_on =
        readers.size() == 1 && !readers[0]->outputs.empty() && readers[0]->inputs.size() == 2;
    if (!goes_on) return depth > 0 ? std::optional(affine) : std::nullopt;
    const OnnxNode& node = *readers[0];
    const bool constant_first = node.inputs[1] == value;
    const auto constant = per_channel(interpreter.constant(node.inputs[constant_first ? 0 : 1]));
    if (!constant || !apply(affine, node, *constant, constant_first))
      return depth > 0 ? std::optional(affine) : std::nullopt;
    value = node.outputs[0];
  }
  return std::nullopt;
}

// Whether 0 … largest becomes about −1 … 1, or what ImageNet's mean and deviation make of it.
bool normalizes(const Affine& affine, double largest) {
  for (size_t c = 0; c < 3; ++c) {
    const double low = affine.shift[c], high = affine.scale[c] * largest + affine.shift[c];
    if (!(std::abs(low) < 3.5 && std::abs(high) < 3.5 && std::abs(high - low) >= 0.5)) return false;
  }
  return true;
}

std::optional<PixelRange> range_of(std::string_view text) {
  for (const PixelRange range : kPixelRanges) {
    if (text_of(range) == text) return range;
  }
  return text == kNormalizedInside ? std::optional(PixelRange::kBytes) : std::nullopt;
}

void take_metadata(FaceNetwork& network) {
  const auto& metadata = network.file.model.metadata;
  if (const auto found = metadata.find("color_order"); found != metadata.end()) {
    for (const ColorOrder order : kColorOrders) {
      if (found->second == text_of(order)) network.order = order;
    }
  }
  if (const auto found = metadata.find("normalization"); found != metadata.end())
    network.range = range_of(found->second);
  if (network.order || network.range) network.told_by = "its metadata";
}

// Public networks of which neither metadata nor graph tell the order of colours (docs/models.md), by the
// checksum of the file.
void take_known_order(FaceNetwork& network) {
  constexpr std::string_view kY1 = "8c9687ae1e11b6ac";  // InsightFace's MobileFaceNet y1
  if (network.order || network.file.checksum != kY1) return;
  network.order = ColorOrder::kRgb;
  network.told_by += concat(network.told_by.empty() ? "" : "; ", "it is InsightFace's y1");
}

void take_first_nodes(FaceNetwork& network, int threads) {
  if (network.range) return;
  const auto affine = leading_affine(network.file.model, OnnxInterpreter(network.file.model, threads));
  if (!affine) return;
  if (normalizes(*affine, 255)) {
    network.range = PixelRange::kBytes;
    network.told_by = "its first nodes normalise pixels of 0 to 255";
  } else if (normalizes(*affine, 1)) {
    network.range = PixelRange::kUnit;
    network.told_by = "its first nodes normalise pixels of 0 to 1";
  }
}

FaceNetwork checked(OnnxFile file, const std::string& output, int threads) {
  FaceNetwork network;
  network.file = std::move(file);
  const OnnxModel& model = network.file.model;
  check_input(model);
  check_operators(model);
  network.input = model.inputs[0].name;
  if (!model.inputs[0].shape.empty() && model.inputs[0].shape[0] != kFreeSize)
    network.fixed_batch = model.inputs[0].shape[0];
  if (network.fixed_batch.value_or(1) > 4096)
    fail(ErrorKind::kData, "takes ", *network.fixed_batch,
         " faces in every call; export it with a smaller batch");
  choose_output(network, output, threads);
  network.parameters = count_parameters(model);
  take_metadata(network);
  take_first_nodes(network, threads);
  take_known_order(network);
  return network;
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

}  // namespace

FaceNetwork open_face_network(const fs::path& path, const std::string& output, int threads) {
  OnnxFile file = read_onnx(path);
  try {
    return checked(std::move(file), output, threads);
  } catch (const Error& error) {
    throw error.at(path.string());
  }
}

std::string description(const FaceNetwork& network) {
  const OnnxModel& model = network.file.model;
  return concat(readable(network.name()), ": ONNX network", network.file.producer.empty() ? "" : " of ",
                network.file.producer, ", opset ", model.opset, ": input '", readable(network.input), "', ",
                network.fixed_batch ? concat("batch fixed at ", *network.fixed_batch) : "any batch",
                "; output '", readable(network.output), "', embeddings of ", network.embedding_size,
                " numbers; ", grouped(network.parameters), " parameters in ", model.nodes.size(), " nodes");
}

}  // namespace uir
