// engines/: what computes ONNX networks fast: other people's libraries behind one interface. LibTorch, which
// all programs have, is the one beside them (model/onnx_network.h); pipeline/onnx_engines.h finds out which
// are right.
//
// Shapes: pixels float32 [n, 3, 112, 112], C order, prepared as the network wants them → embeddings float32
// [n, D]. n: any, unless the file fixes the batch; then exactly that.
// Errors: kData, naming file and engine, where the library refuses the file or throws.
// Threads: one call at a time per engine; the library computes on its own threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string name() const = 0;  // "OpenCV 4.6.0"
  virtual std::vector<float> embed(const float* pixels, int64_t n) = 0;
};

struct EngineOptions {
  int threads = 0;       // 0: the library's choice
  std::string output{};  // the embedding's value; empty: the file's last
  bool bf16 = false;     // else float32; OpenVINO only
  // Layer by layer, without the fusions and fast transforms with which some versions compute another network;
  // OpenCV only.
  bool plain = false;
};
std::unique_ptr<Engine> opencv_engine(const fs::path& onnx_file, const EngineOptions& options);
// kConfig in a build without the library.
std::unique_ptr<Engine> openvino_engine(const fs::path& onnx_file, const EngineOptions& options);
std::unique_ptr<Engine> onnxruntime_engine(const fs::path& onnx_file, const EngineOptions& options);

std::string opencv_name();  // "OpenCV 4.6.0"
// Empty in a build without the library.
std::string openvino_name();     // "OpenVINO 2026.4.1"
std::string onnxruntime_name();  // "ONNX Runtime 1.32.0"

}  // namespace uir
