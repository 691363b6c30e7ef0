#include "uir/pipeline/run_export.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <map>
#include <string>
#include <vector>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/checkpoint/weights.h"
#include "uir/data/image_source.h"
#include "uir/data/loader.h"
#include "uir/data/synthetic.h"
#include "uir/export/check.h"
#include "uir/export/onnx_network.h"
#include "uir/export/torch_files.h"
#include "uir/formats/onnx_file.h"
#include "uir/model/state_dict.h"
#include "uir/network/architecture.h"
#include "uir/pipeline/chosen_weights.h"
#include "uir/pipeline/start_weights.h"
#include "uir/pixels/pixels.h"
#include "uir/plan/network_facts.h"

namespace uir {
namespace {

enum class FileKind { kOnnx, kTorchScript, kStateDict };

FileKind kind_of(const fs::path& output) {
  const std::string ending = output.extension().string();
  if (ending == ".onnx") return FileKind::kOnnx;
  if (ending == ".pt") return FileKind::kTorchScript;
  if (ending == ".pth") return FileKind::kStateDict;
  fail(ErrorKind::kUsage, output.string(),
       ": the file's ending says what to write; expected .onnx, .pt (TorchScript) or .pth (state dict)");
}

void check_options(const ExportRequest& request, FileKind kind) {
  if (request.opset && kind != FileKind::kOnnx) fail(ErrorKind::kUsage, "--opset is for .onnx files");
  if (kind == FileKind::kStateDict && (request.normalize || request.fold_batch_norms)) {
    fail(ErrorKind::kUsage, request.output.string(),
         ": a state dict holds tensors only; --normalize and --fold-batch-norms are for .onnx and .pt files");
  }
}

struct LoadedNetwork {
  ModelConfig config;
  std::shared_ptr<Backbone> backbone;
  std::string checksum;  // of the weights
};

LoadedNetwork load_network(const Experiment* experiment, const fs::path& path) {
  const Weights weights = read_weights(path);
  LoadedNetwork network{.config = {}, .backbone = nullptr, .checksum = weights.checksum};
  if (experiment) {
    network.config = experiment->model;
  } else {
    const auto found = weights.metadata.find(kArchitectureKey);
    if (found == weights.metadata.end()) {
      fail(ErrorKind::kUsage, path.string(),
           ": the weights do not say what network they belong to; give the experiment file whose model "
           "section "
           "does");
    }
    network.config = parse_architecture(found->second, path.string());
  }
  network.backbone = make_uninitialized_backbone(network.config, 0);
  load_backbone(path, weights, *network.backbone);
  network.backbone->eval();
  const NetworkFacts facts = network_facts(network.config);
  log_info("network: ", facts.parameters(), " parameters, ", facts.multiply_adds(), " multiply-adds, ",
           facts.challenge_flops(), " FLOPs by the LFR challenge's rule");
  return network;
}

// Evenly spread over the index's good rows.
std::vector<int64_t> spread_rows(const Index& index, int64_t count) {
  std::vector<int64_t> good, rows;
  for (int64_t row = 0; row < index.size(); ++row) {
    if (!(index.flags()[static_cast<size_t>(row)] & kBad)) good.push_back(row);
  }
  const auto size = static_cast<int64_t>(good.size());
  for (int64_t i = 0; i < std::min(count, size); ++i)
    rows.push_back(good[static_cast<size_t>(i * size / std::min(count, size))]);
  return rows;
}

struct Faces {
  std::string origin;
  at::Tensor images;  // uint8 [N, 112, 112, 3]
};

at::Tensor empty_faces(int64_t count) { return at::empty({count, kImageSize, kImageSize, 3}, at::kByte); }

Faces drawn_faces(int64_t count) {
  Faces faces{"drawn faces", empty_faces(count)};
  const SyntheticSource source;
  for (int64_t i = 0; i < count; ++i)
    render_synthetic_face(source, i, 0, faces.images[i].data_ptr<uint8_t>());
  return faces;
}

Faces faces_for_check(const Experiment* experiment, int64_t count) {
  if (!experiment || !fs::exists(experiment->index_folder())) return drawn_faces(count);
  const ImageSource source(Index::open(experiment->index_folder(), Index::Check::kFull));
  const std::vector<int64_t> rows = spread_rows(source.index(), count);
  if (rows.empty()) return drawn_faces(count);
  Faces faces{"images of the index", empty_faces(static_cast<int64_t>(rows.size()))};
  for (size_t i = 0; i < rows.size(); ++i)
    source.load(rows[i], faces.images[static_cast<int64_t>(i)].data_ptr<uint8_t>());
  return faces;
}

std::map<std::string, std::string> metadata_of(const LoadedNetwork& network, bool normalized_inside) {
  return {
      {kArchitectureKey, architecture_json(network.config).dump()},
      {"color_order", std::string(kColorOrder)},
      {"normalization", normalized_inside ? "inside: the input is 0 to 255" : std::string(kNormalization)},
      {"weights_checksum", network.checksum}};
}

class Export {
 public:
  Export(const Experiment* experiment, const ExportRequest& request)
      : experiment_(experiment), request_(request), kind_(kind_of(request.output)) {
    check_options(request, kind_);
  }

  void run() {
    at::set_num_threads(resolve_threads(0));
    network_ = load_network(experiment_, request_.weights.empty() ? run_weights() : request_.weights);
    AtomicFile file(request_.output);
    write(file.out());
    file.out().close();
    check(file.out().path());
    file.commit();
    log_info(request_.output.string(), ": ", file.out().size(), " bytes");
  }

 private:
  fs::path run_weights() const {
    if (experiment_) return chosen_weights(*experiment_);
    fail(ErrorKind::kUsage, "no weights given: name an experiment file or --weights; see uir-export --help");
  }

  NetworkGraph graph() const {
    NetworkGraph graph = network_graph(*network_.backbone);
    if (request_.fold_batch_norms) graph = with_folded_batch_norms(std::move(graph));
    return request_.normalize ? with_normalization(std::move(graph)) : graph;
  }

  void write(OutputFile& out) const {
    const std::map<std::string, std::string> metadata = metadata_of(network_, request_.normalize);
    switch (kind_) {
      case FileKind::kOnnx:
        return write_onnx_network(graph(), request_.opset.value_or(kOldestOpset), metadata, out);
      case FileKind::kTorchScript:
        return write_torch_script(graph(), metadata, out);
      case FileKind::kStateDict:
        return write_state_dict(named_state(*network_.backbone), out);
    }
  }

  void check(const fs::path& file) const {
    if (kind_ == FileKind::kStateDict) return check_state_dict(named_state(*network_.backbone), file);
    const Engine engine = kind_ == FileKind::kOnnx ? opencv_engine(file) : torch_script_engine(file);
    const Faces faces = faces_for_check(experiment_, request_.check_images);
    const Agreement agreement =
        compare_with_network(engine, *network_.backbone, faces.images, request_.normalize);
    std::string batches;
    for (const int64_t size : agreement.batches) batches += concat(batches.empty() ? "" : ", ", size);
    const std::string found =
        concat("largest difference ", agreement.largest_difference,
               " of the embedding's norm, smallest cosine 1 - ", 1 - agreement.smallest_cosine, " (",
               engine.name, ", ", faces.images.size(0), " ", faces.origin, " in batches of ", batches, ")");
    if (agreement.largest_difference > request_.tolerance) {
      fail(ErrorKind::kData, request_.output.string(),
           ": not written: the file differs from the network: ", found, ", allowed is ", request_.tolerance,
           "; --tolerance changes that");
    }
    log_info("check: ", found);
  }

  const Experiment* experiment_;
  const ExportRequest& request_;
  const FileKind kind_;
  LoadedNetwork network_;
};

}  // namespace

void run_export(const Experiment* experiment, const ExportRequest& request) {
  Export(experiment, request).run();
}

}  // namespace uir
