// A network as identification uses it: a run of uir-train or an ONNX file.
//
// Errors: kMissingInput; those of the config, of the weights and of onnx_embedding.h.
#pragma once

#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/identify/embed_faces.h"
#include "uir/pipeline/own_faces.h"

namespace uir {

struct FaceModel {
  FaceEmbedder embedder;
  Json description;  // file, checksum, color_order, normalization, precision, engine
};

// model: a run folder, or an ONNX file. overrides: of the experiment's options ("train.precision=float32").
// work: a folder of one's own, where the choice for an ONNX file is kept.
FaceModel load_face_model(const fs::path& model, const std::vector<std::string>& overrides,
                          const fs::path& work, const OwnFaces& faces);

}  // namespace uir
