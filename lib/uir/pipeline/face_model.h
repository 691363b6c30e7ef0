// A network as identification uses it: a run of uir-train or an ONNX file.
//
// Errors: kMissingInput; those of the config, of the weights and of onnx_embedding.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "uir/base/json.h"
#include "uir/embed/config.h"
#include "uir/embed/extractor.h"
#include "uir/identify/embed_faces.h"
#include "uir/pipeline/own_faces.h"

namespace uir {

// uint8 [faces, 112, 112, 3].
at::Tensor to_tensor(std::span<const FacePixels* const> faces);

// config.batch faces at a time; config.mirrored: each one's embedding is the sum with its mirror image's.
FaceEmbedder face_embedder(Embedder embedder, at::Device device, const ExtractConfig& config);

struct FaceModel {
  FaceEmbedder embedder;
  Json description;  // file, checksum, color_order, normalization, precision, engine, mirrored
};

// model: a run folder, or an ONNX file. overrides: of the experiment's options ("train.precision=float32").
// work: a folder of one's own, where what was decided on these faces is kept.
FaceModel load_face_model(const fs::path& model, const std::vector<std::string>& overrides,
                          const fs::path& work, const OwnFaces& faces);

}  // namespace uir
