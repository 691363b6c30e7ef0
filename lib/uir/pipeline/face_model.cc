#include "uir/pipeline/face_model.h"

#include <ATen/ops/empty.h>

#include <cstring>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/text.h"
#include "uir/device/transfer.h"
#include "uir/dist/communicator.h"
#include "uir/embed/extractor.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/backbone_embedding.h"
#include "uir/pipeline/chosen_weights.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/onnx_embedding.h"
#include "uir/pipeline/start_weights.h"

namespace uir {
namespace {

constexpr int64_t kWidth = 2;  // of the dimensions of images [n, 112, 112, 3]

FaceModel onnx_model(const fs::path& file, const std::vector<std::string>& overrides, const fs::path& work,
                     const OwnFaces& faces) {
  Experiment experiment = parse_experiment("paths: {run: .}\n", file.string(), work, overrides);
  experiment.paths.run.value = work.string();
  const Compute compute = choose_compute(experiment.train, World());
  OnnxEmbedding onnx = onnx_embedding(experiment, file, faces, compute, Communicator());
  FaceModel model{face_embedder(std::move(onnx.embedder), compute.device, experiment.extract),
                  {{"file", readable(file.filename().string())}, {"checksum", onnx.checksum}}};
  model.description.update(onnx.manifest);
  model.description["mirrored"] = experiment.extract.mirrored;
  return model;
}

FaceModel run_model(const fs::path& run, const std::vector<std::string>& overrides, const fs::path& work,
                    const OwnFaces& faces) {
  Experiment experiment = load_experiment(run / "config.yaml", overrides);
  experiment.paths.run.value = run.string();
  Compute compute = choose_compute(experiment.train, World());
  const fs::path file = chosen_weights(experiment);
  const std::shared_ptr<Backbone> backbone = make_backbone(experiment.model, 0);
  const Weights weights = load_backbone(file, *backbone);
  experiment.paths.run.value = work.string();
  BackboneEmbedding embedding =
      backbone_embedding(experiment, backbone, weights.checksum, faces, Communicator(), compute);
  FaceModel model{face_embedder(std::move(embedding.embedder), compute.device, experiment.extract),
                  {{"file", readable(file.filename().string())}, {"checksum", weights.checksum}}};
  model.description.update(embedding.manifest);
  model.description["mirrored"] = experiment.extract.mirrored;
  return model;
}

}  // namespace

FaceEmbedder face_embedder(Embedder embedder, at::Device device, const ExtractConfig& config) {
  const int64_t dim = embedder.dim;
  const auto embed = [embedder = std::move(embedder), device, batch = config.batch,
                      mirrored = config.mirrored](std::span<const FacePixels* const> faces) {
    std::vector<float> rows;
    for (size_t begin = 0; begin < faces.size(); begin += static_cast<size_t>(batch)) {
      const size_t count = std::min(faces.size() - begin, static_cast<size_t>(batch));
      const at::Tensor images = to_tensor(faces.subspan(begin, count)).to(device);
      at::Tensor embeddings = embedder.embed(images);
      if (mirrored) embeddings = embeddings + embedder.embed(images.flip(kWidth));
      embeddings = embeddings.to(at::kCPU).contiguous();
      const float* data = embeddings.data_ptr<float>();
      rows.insert(rows.end(), data, data + embeddings.numel());
    }
    return rows;
  };
  return {dim, embed};
}

at::Tensor to_tensor(std::span<const FacePixels* const> faces) {
  const at::Tensor images =
      at::empty({static_cast<int64_t>(faces.size()), kImageSize, kImageSize, 3}, at::kByte);
  for (size_t i = 0; i < faces.size(); ++i)
    std::memcpy(images[static_cast<int64_t>(i)].data_ptr(), faces[i]->data(), kImageBytes);
  return images;
}

FaceModel load_face_model(const fs::path& model, const std::vector<std::string>& overrides,
                          const fs::path& work, const OwnFaces& faces) {
  if (!fs::exists(model)) fail(ErrorKind::kMissingInput, model.string(), ": no such run or ONNX file");
  if (!fs::is_directory(model)) return onnx_model(model, overrides, work, faces);
  if (!fs::exists(model / "config.yaml"))
    fail(ErrorKind::kMissingInput, model.string(),
         ": no run of uir-train (it has no config.yaml); --model names one, or an ONNX file");
  return run_model(model, overrides, work, faces);
}

}  // namespace uir
