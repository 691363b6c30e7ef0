// An ONNX network as the network of an extraction: what its pixels are, which engine computes it, decided
// once for a run and kept in <run>/onnx.json, so that all of its sets are embedded alike.
//
// Collectives: two sums; the first rank decides, all read what it wrote.
// Cost: at the first time two faces in float64 (seconds), a process per engine, and some passes of at most 64
// faces where the file does not tell what its pixels are.
// Errors: those of onnx/face_network.h and onnx_engines.h; kConfig where pixels or colour order can be
// neither read nor found out, naming the options that answer, and for an engine or precision that cannot be
// had; kData where no engine computes the network.
#pragma once

#include <memory>
#include <string>

#include "uir/base/json.h"
#include "uir/dist/communicator.h"
#include "uir/embed/extractor.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/own_faces.h"

namespace uir {

struct OnnxEmbedding {
  Embedder embedder;
  std::string checksum;
  // What the manifests of its embeddings say of it: color_order, normalization, precision, engine.
  Json manifest;
};

// faces: of those whose embeddings are wanted.
OnnxEmbedding onnx_embedding(const Experiment& experiment, const fs::path& file, const OwnFaces& faces,
                             const Compute& compute, const Communicator& ranks);

}  // namespace uir
