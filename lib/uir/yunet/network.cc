#include "uir/yunet/network.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/onnx/reader.h"
#include "uir/onnx/tensor.h"

namespace uir {
namespace {

using Shape = std::vector<int64_t>;

constexpr int64_t kMostChannels = 256;
constexpr std::array<size_t, 6> kUnits{1, 4, 2, 2, 2, 2};  // of each stage; 2023 has five stages
constexpr std::array<int64_t, 4> kPriors{3, 2, 2, 3};      // of each scale of 2022
constexpr int64_t kNumbersOfPrior = 17;

int64_t blocks_of(int64_t channels) { return (channels + kBlock - 1) / kBlock; }

// A convolution as the file has it: weights [out][in of the group][rows][columns].
struct Convolution {
  int64_t out = 0;
  std::vector<double> weights, bias;
};

// Goes through the graph along its values, from the input on.
class Walk {
 public:
  explicit Walk(const OnnxModel& model) {
    for (const OnnxTensor& tensor : model.tensors) constants_[tensor.name] = &tensor;
    for (const OnnxNode& node : model.nodes) {
      for (const std::string& input : node.inputs) readers_.emplace(input, &node);
    }
  }

  // The only node of this type that reads the value as its first input, if there is one.
  const OnnxNode* find(const std::string& value, std::string_view type) const {
    const OnnxNode* found = nullptr;
    const auto [begin, end] = readers_.equal_range(value);
    for (auto it = begin; it != end; ++it) {
      if (it->second->type != type || it->second->inputs[0] != value) continue;
      if (found) fail(ErrorKind::kData, "'", readable(value), "' is read by several nodes of ", type);
      found = it->second;
    }
    return found;
  }
  const OnnxNode& next(const std::string& value, std::string_view type) const {
    const OnnxNode* found = find(value, type);
    if (!found) fail(ErrorKind::kData, "'", readable(value), "' is not read by a node of ", type);
    return *found;
  }
  static const std::string& result(const OnnxNode& node) {
    if (node.outputs.size() != 1) refuse(node, "has not one result");
    return node.outputs[0];
  }
  // The value behind the only reader of this type.
  const std::string& behind(const std::string& value, std::string_view type) const {
    return result(next(value, type));
  }

  Convolution convolution(const OnnxNode& node, int64_t in, int64_t side, int64_t stride,
                          bool grouped) const {
    const int64_t edge = side / 2;
    if (node.inputs.size() != 3) refuse(node, "has no bias");
    const OnnxTensor &weights = constant(node, 1), &bias = constant(node, 2);
    const int64_t out = weights.shape.empty() ? 0 : weights.shape[0];
    if (out < 1 || out > kMostChannels || weights.shape != Shape{out, grouped ? 1 : in, side, side} ||
        bias.shape != Shape{out} || (grouped && out != in))
      refuse(node, "has weights of another shape");
    if (integers(node, "strides", {1, 1}) != Shape{stride, stride} ||
        integers(node, "dilations", {1, 1}) != Shape{1, 1} ||
        integers(node, "pads", {0, 0, 0, 0}) != Shape{edge, edge, edge, edge} ||
        integer(node, "group", 1) != (grouped ? out : 1))
      refuse(node, "moves in another way");
    return {out, numbers_of(weights), numbers_of(bias)};
  }

  static void check_pool(const OnnxNode& node) {
    if (integers(node, "kernel_shape", {}) != Shape{2, 2} ||
        integers(node, "strides", {1, 1}) != Shape{2, 2} ||
        integers(node, "pads", {0, 0, 0, 0}) != Shape{0, 0, 0, 0} || integer(node, "ceil_mode", 0) != 0)
      refuse(node, "does not halve the picture");
  }
  // Doubles the size by repeating pixels.
  void check_resize(const OnnxNode& node) const {
    if (node.inputs.size() < 3 || numbers_of(constant(node, 2)) != std::vector<double>{1, 1, 2, 2} ||
        text(node, "mode") != "nearest" || text(node, "coordinate_transformation_mode") != "asymmetric" ||
        text(node, "nearest_mode") != "floor")
      refuse(node, "does not repeat pixels");
  }
  static void check_channels_last(const OnnxNode& node) {
    if (integers(node, "perm", {}) != Shape{0, 2, 3, 1}) refuse(node, "does not put channels last");
  }
  static int64_t integer(const OnnxNode& node, std::string_view name, int64_t otherwise) {
    const auto* found = attribute<int64_t>(node, name);
    return found ? *found : otherwise;
  }

  [[noreturn]] static void refuse(const OnnxNode& node, const std::string& why) {
    fail(ErrorKind::kData, "node '", readable(node.name), "' (", readable(node.type), ") ", why);
  }

 private:
  template <class T>
  static const T* attribute(const OnnxNode& node, std::string_view name) {
    for (const auto& [key, value] : node.attributes) {
      if (key == name) return std::get_if<T>(&value);
    }
    return nullptr;
  }
  static Shape integers(const OnnxNode& node, std::string_view name, const Shape& otherwise) {
    const auto* found = attribute<Shape>(node, name);
    return found ? *found : otherwise;
  }
  static std::string text(const OnnxNode& node, std::string_view name) {
    const auto* found = attribute<std::string>(node, name);
    return found ? *found : "";
  }
  const OnnxTensor& constant(const OnnxNode& node, size_t input) const {
    const auto found = constants_.find(node.inputs[input]);
    if (found == constants_.end()) refuse(node, concat("has no constant as its input ", input));
    return *found->second;
  }

  std::map<std::string, const OnnxTensor*> constants_;
  std::multimap<std::string, const OnnxNode*> readers_;
};

// Channels beyond the last one are zero: weights, biases, and so what comes out.
void put(std::vector<Block>& blocks, int64_t row, int64_t row_blocks, int64_t channel, double value) {
  blocks[static_cast<size_t>(row * row_blocks + channel / kBlock)].channels[channel % kBlock] =
      static_cast<float>(value);
}
std::vector<Block> zeros(int64_t blocks) { return std::vector<Block>(static_cast<size_t>(blocks)); }

// Several units beside each other that see the same: their channels follow one another.
class UnitWriter {
 public:
  UnitWriter(int64_t in, int64_t out, bool relu) : in_(in) {
    unit_.in_blocks = in / kBlock;
    unit_.out_blocks = blocks_of(out);
    unit_.relu = relu;
    unit_.pointwise = zeros(in * unit_.out_blocks);
    unit_.depthwise = zeros(unit_.out_blocks * 9);
    unit_.pointwise_bias = unit_.depthwise_bias = zeros(unit_.out_blocks);
  }

  void add(const Convolution& pointwise, const Convolution& depthwise) {
    for (int64_t i = 0; i < pointwise.out; ++i, ++channel_) {
      const auto at = static_cast<size_t>(i);
      for (int64_t k = 0; k < in_; ++k)
        put(unit_.pointwise, k, unit_.out_blocks, channel_,
            pointwise.weights[static_cast<size_t>(i * in_ + k)]);
      put(unit_.pointwise_bias, 0, unit_.out_blocks, channel_, pointwise.bias[at]);
      for (int64_t tap = 0; tap < 9; ++tap)
        put(unit_.depthwise, channel_ / kBlock * 9 + tap, 1, channel_ % kBlock,
            depthwise.weights[static_cast<size_t>(i * 9 + tap)]);
      put(unit_.depthwise_bias, 0, unit_.out_blocks, channel_, depthwise.bias[at]);
    }
  }
  YuNetUnit unit() && { return std::move(unit_); }

 private:
  int64_t in_, channel_ = 0;
  YuNetUnit unit_;
};

class Reader {
 public:
  explicit Reader(const OnnxModel& model) : model_(model), walk_(model) {}

  YuNetNetwork run() {
    network_.generation = generation();
    if (model_.inputs.size() != 1) fail(ErrorKind::kData, "it has ", model_.inputs.size(), " inputs");
    std::string value = stem(model_.inputs[0].name);
    const size_t stages = network_.generation == YuNetGeneration::k2022 ? 6 : 5;
    for (size_t i = 0; i < stages; ++i) {
      if (i > 0) {
        const OnnxNode& pool = walk_.next(value, "MaxPool");
        Walk::check_pool(pool);
        value = Walk::result(pool);
      }
      network_.stages.emplace_back();
      for (size_t unit = 0; unit < kUnits[i]; ++unit)
        value = unit_behind(value, true, network_.stages.back());
      trunk_.emplace_back(value, channels_);
    }
    trunk_.erase(trunk_.begin(), trunk_.begin() + kFirstBranch);
    network_.branches.resize(trunk_.size());
    if (network_.generation == YuNetGeneration::k2022) {
      branches_of_2022();
    } else {
      branches_of_2023();
    }
    return std::move(network_);
  }

 private:
  YuNetGeneration generation() const {
    const auto gives = [&](std::string_view name) {
      return std::ranges::any_of(model_.outputs,
                                 [&](const OnnxValue& output) { return output.name == name; });
    };
    if (gives("loc") && gives("conf") && gives("iou")) return YuNetGeneration::k2022;
    if (gives("cls_8") && gives("obj_8") && gives("bbox_8") && gives("kps_8")) return YuNetGeneration::k2023;
    fail(ErrorKind::kData, "its outputs are not those of a detector of faces");
  }

  // The file's channels are blue, green and red, ours the other way round.
  std::string stem(const std::string& input) {
    const OnnxNode& node = walk_.next(input, "Conv");
    const Convolution convolution = walk_.convolution(node, 3, 3, 2, false);
    if (convolution.out != kBlock) Walk::refuse(node, "has not 16 results");
    network_.stem = {zeros(27), zeros(1)};
    for (int64_t i = 0; i < kBlock; ++i) {
      for (int64_t color = 0; color < 3; ++color) {
        for (int64_t tap = 0; tap < 9; ++tap)
          put(network_.stem.weights, tap * 3 + 2 - color, 1, i,
              convolution.weights[static_cast<size_t>((i * 3 + color) * 9 + tap)]);
      }
      put(network_.stem.bias, 0, 1, i, convolution.bias[static_cast<size_t>(i)]);
    }
    channels_ = kBlock;
    return walk_.behind(Walk::result(node), "Relu");
  }

  struct Pair {
    Convolution pointwise, depthwise;
    std::string value;
  };
  Pair pair_at(const OnnxNode& node) const {
    Pair pair;
    pair.pointwise = walk_.convolution(node, channels_, 1, 1, false);
    const OnnxNode& second = walk_.next(Walk::result(node), "Conv");
    pair.depthwise = walk_.convolution(second, pair.pointwise.out, 3, 1, true);
    pair.value = Walk::result(second);
    return pair;
  }

  // The value behind the next unit.
  std::string unit_behind(const std::string& value, bool relu, std::vector<YuNetUnit>& units) {
    const OnnxNode& node = walk_.next(value, "Conv");
    const Pair pair = pair_at(node);
    if (relu && pair.pointwise.out % kBlock != 0) Walk::refuse(node, "has not 16, 32, 48, … results");
    UnitWriter writer(channels_, pair.pointwise.out, relu);
    writer.add(pair.pointwise, pair.depthwise);
    units.push_back(std::move(writer).unit());
    channels_ = pair.pointwise.out;
    return relu ? walk_.behind(pair.value, "Relu") : pair.value;
  }

  void branches_of_2022() {
    std::vector<std::string> parts;
    for (size_t i = 0; i < trunk_.size(); ++i) {
      channels_ = trunk_[i].second;
      std::vector<YuNetUnit>& head = network_.branches[i].head;
      const std::string value = unit_behind(unit_behind(trunk_[i].first, true, head), false, head);
      if (channels_ != kPriors[i] * kNumbersOfPrior)
        fail(ErrorKind::kData, "it gives ", channels_, " numbers at scale ", i);
      const OnnxNode& transpose = walk_.next(value, "Transpose");
      Walk::check_channels_last(transpose);
      parts.push_back(walk_.behind(Walk::result(transpose), "Reshape"));
    }
    const OnnxNode& together = walk_.next(parts[0], "Concat");
    if (together.inputs != parts || Walk::integer(together, "axis", 0) != 1)
      Walk::refuse(together, "does not take the scales in turn");
  }

  // From the coarsest to the finest: each neck sees the next coarser one's result.
  void branches_of_2023() {
    std::string coarser;
    for (size_t i = trunk_.size(); i-- > 0;) {
      std::string value = trunk_[i].first;
      if (!coarser.empty()) {
        const OnnxNode& resize = walk_.next(coarser, "Resize");
        walk_.check_resize(resize);
        const OnnxNode& sum = walk_.next(value, "Add");
        if (channels_ != trunk_[i].second || sum.inputs != std::vector{value, Walk::result(resize)})
          Walk::refuse(sum, "does not join two scales");
        value = Walk::result(sum);
      }
      channels_ = trunk_[i].second;
      coarser = unit_behind(value, true, network_.branches[i].neck);
      network_.branches[i].head.push_back(outputs_of_2023(coarser, 8 << i));
    }
  }

  // One unit for the four results, which the file computes one by one.
  YuNetUnit outputs_of_2023(const std::string& value, int stride) const {
    UnitWriter writer(channels_, kBlock, false);
    constexpr std::array<std::pair<const char*, int64_t>, 4> kOutputs{
        {{"cls_", 1}, {"obj_", 1}, {"bbox_", 4}, {"kps_", 10}}};
    for (const auto& [name, count] : kOutputs) {
      const Pair pair = pair_before(value, concat(name, stride), count == 1);
      if (pair.pointwise.out != count)
        fail(ErrorKind::kData, "it gives ", pair.pointwise.out, " numbers as ", name, stride);
      writer.add(pair.pointwise, pair.depthwise);
    }
    return std::move(writer).unit();
  }

  // The unit that reads `value` and ends in this output.
  Pair pair_before(const std::string& value, const std::string& output, bool sigmoid) const {
    for (const OnnxNode& node : model_.nodes) {
      if (node.type != "Conv" || node.inputs.empty() || node.inputs[0] != value) continue;
      Pair pair = pair_at(node);
      const OnnxNode& transpose = walk_.next(pair.value, "Transpose");
      Walk::check_channels_last(transpose);
      std::string end = walk_.behind(Walk::result(transpose), "Reshape");
      if (sigmoid) {
        const OnnxNode* node_behind = walk_.find(end, "Sigmoid");
        if (!node_behind) continue;
        end = Walk::result(*node_behind);
      }
      if (end == output) return pair;
    }
    fail(ErrorKind::kData, "'", output, "' is not made of '", readable(value), "'");
  }

  const OnnxModel& model_;
  const Walk walk_;
  YuNetNetwork network_;
  std::vector<std::pair<std::string, int64_t>> trunk_;  // what the stages give: values and channels
  int64_t channels_ = 0;                                // of the value that was reached
};

}  // namespace

YuNetNetwork yunet_of(const OnnxModel& model) { return Reader(model).run(); }

YuNetNetwork read_yunet(const fs::path& path) {
  constexpr std::string_view kRemedy =
      "; take face_detection_yunet_2023mar.onnx or face_detection_yunet_2022mar.onnx of OpenCV's model zoo";
  std::optional<OnnxFile> file;
  try {
    file = read_onnx(path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    fail(ErrorKind::kData, error.what(), kRemedy);
  }
  try {
    return yunet_of(file->model);
  } catch (const Error& error) {
    fail(error.kind(), path.string(), ": is no YuNet detector (", error.what(), ")", kRemedy);
  }
}

}  // namespace uir
