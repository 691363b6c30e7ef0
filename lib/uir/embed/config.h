// Config of embedding extraction. Free of LibTorch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

// What computes an ONNX network.
enum class EngineChoice { kAuto, kLibTorch, kOpenCv, kOpenVino, kOnnxRuntime };
template <>
struct EnumNames<EngineChoice> {
  static constexpr std::array<EnumName<EngineChoice>, 5> value{{{EngineChoice::kAuto, "auto"},
                                                                {EngineChoice::kLibTorch, "libtorch"},
                                                                {EngineChoice::kOpenCv, "opencv"},
                                                                {EngineChoice::kOpenVino, "openvino"},
                                                                {EngineChoice::kOnnxRuntime, "onnxruntime"}}};
};
enum class PixelsChoice { kAuto, kBytes, kSigned, kSigned128, kUnit, kImageNet };
template <>
struct EnumNames<PixelsChoice> {
  static constexpr std::array<EnumName<PixelsChoice>, 6> value{{{PixelsChoice::kAuto, "auto"},
                                                                {PixelsChoice::kBytes, "bytes"},
                                                                {PixelsChoice::kSigned, "signed"},
                                                                {PixelsChoice::kSigned128, "signed128"},
                                                                {PixelsChoice::kUnit, "unit"},
                                                                {PixelsChoice::kImageNet, "imagenet"}}};
};
enum class ColorOrderChoice { kAuto, kRgb, kBgr };
template <>
struct EnumNames<ColorOrderChoice> {
  static constexpr std::array<EnumName<ColorOrderChoice>, 3> value{
      {{ColorOrderChoice::kAuto, "auto"}, {ColorOrderChoice::kRgb, "rgb"}, {ColorOrderChoice::kBgr, "bgr"}}};
};

// In what a network is computed: as train.precision says, or in int8.
enum class ExtractPrecision { kTrain, kInt8 };
template <>
struct EnumNames<ExtractPrecision> {
  static constexpr std::array<EnumName<ExtractPrecision>, 2> value{
      {{ExtractPrecision::kTrain, "train"}, {ExtractPrecision::kInt8, "int8"}}};
};

struct OnnxConfig {
  PixelsChoice pixels = PixelsChoice::kAuto;
  ColorOrderChoice color_order = ColorOrderChoice::kAuto;
  EngineChoice engine = EngineChoice::kAuto;
  std::string output;
};
template <class Visitor>
void describe(Visitor& v, OnnxConfig& c) {
  v.field(
      "pixels", c.pixels,
      "What a byte x of an image becomes: bytes (x), signed ((x - 127.5) / 127.5), signed128 ((x - 127.5) / "
      "128), unit (x / 255), imagenet (unit, then ImageNet's mean and deviation). auto: as the file tells, "
      "else as faces of one person come out most alike.");
  v.field("color_order", c.color_order,
          "Which colour is the first channel: rgb or bgr. auto: as for pixels.");
  v.field("engine", c.engine,
          "What computes it: libtorch, opencv, or openvino or onnxruntime where the build has them. auto: of "
          "those "
          "that agree with the file's own arithmetic, the fastest here. On a CUDA device always libtorch.");
  v.field("output", c.output, "Name of the output that is the embedding; empty: the only one that can be.");
}

struct ExtractConfig {
  ConfigPath weights;
  std::vector<std::string> sets;
  bool mirrored = true;
  bool classes = true;
  int64_t batch = 64;
  ExtractPrecision precision = ExtractPrecision::kTrain;
  OnnxConfig onnx;
};
template <class Visitor>
void describe(Visitor& v, ExtractConfig& c) {
  v.field("weights", c.weights,
          "Checkpoint folder, .safetensors, .pt, .pth or .onnx file, or a folder of InsightFace's "
          "checkpoint_gpu_*.pt; empty: the run's best checkpoint, else its latest.");
  v.field(
      "sets", c.sets,
      "What to embed: source names, or <source>.held_out; empty: all test sources and all held-out images.",
      Distinct{});
  v.field("mirrored", c.mirrored, "Also embed every image's mirror image.");
  v.field("classes", c.classes, "Also store each image's best class, its cosine and its probability.");
  v.field("batch", c.batch,
          "Images per forward pass; part of the result's definition (rounding depends on it).", AtLeast{1});
  v.field("precision", c.precision,
          "In what the network is computed: train (as train.precision says), or int8: on processors with "
          "AVX-512 VNNI, with ranges from the first set's images (docs/models.md).");
  v.section("onnx", c.onnx, "Where weights is an ONNX file, which brings its own network (docs/models.md).");
}

}  // namespace uir
