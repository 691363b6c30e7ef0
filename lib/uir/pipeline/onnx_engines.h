// The engines that may compute an ONNX network, and whether they do it right.
//
// An engine is tried in a process of its own, since a library that does not know a file may end or hang with
// it: it embeds two drawn faces, which are compared with the file's own arithmetic in float64
// (onnx/interpreter.h), and then as many as tell its rate.
// Errors: kData for a network whose embeddings are zero or not finite; kInternal if no process can be
// started. What an engine does wrong is no error, but stands in its trial.
#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/embed/config.h"
#include "uir/embed/extractor.h"
#include "uir/onnx/face_network.h"
#include "uir/pipeline/int8_extraction.h"

namespace uir {

struct EngineCandidate {
  EngineChoice engine = EngineChoice::kLibTorch;  // not auto
  at::ScalarType type = at::kFloat;
  at::Device device = at::kCPU;
  bool in_groups = false;  // a file with a fixed batch is given exactly that, not all faces at once
};

// "LibTorch 1.13.1", "OpenCV 4.6.0"; empty where the build has none.
std::string engine_name(EngineChoice engine);

// Embeds with the candidate, on this process's threads. kData, naming file and engine, if it refuses the
// file.
Embedder make_embedder(const FaceNetwork& network, const EngineCandidate& candidate,
                       const PixelPreparation& preparation);

// In int8, by LibTorch on a CPU. in_groups: EngineCandidate's.
Int8Network int8_network(const FaceNetwork& network, bool in_groups, const PixelPreparation& preparation);

// What two drawn faces are by the file's own arithmetic.
struct EngineReference {
  PixelPreparation preparation;  // that the faces were given in: the file's own, or a likely one
  at::Tensor embeddings;         // float64 [2, D]
};
EngineReference compute_reference(const FaceNetwork& network);

// Of rows with each other; -1 where one is zero or not finite.
double smallest_cosine(const at::Tensor& a, const at::Tensor& b);

// What an engine must reach in float32, and in bf16.
inline constexpr double kExactCosine = 0.99999, kShortCosine = 0.999;

struct EngineTrial {
  EngineCandidate candidate;
  double cosine = 0;  // the smaller one of the two faces
  double images_per_s = 0;
  std::string problem;  // empty: it answered

  bool right() const;
};
// program: one whose main answers engine trials (engine_trial.h). work: a folder for the exchange, which
// exists.
EngineTrial try_engine(const FaceNetwork& network, const EngineCandidate& candidate,
                       const EngineReference& reference, int64_t batch, const std::string& program,
                       const fs::path& work);

}  // namespace uir
