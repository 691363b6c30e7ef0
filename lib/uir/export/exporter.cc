#include "uir/export/exporter.h"

#include <map>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/export/network_graph.h"
#include "uir/export/onnx_network.h"
#include "uir/export/torch_files.h"
#include "uir/network/architecture.h"
#include "uir/onnx/writer.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

std::map<std::string, std::string> metadata_of(const ExportedNetwork& network, bool normalized_inside) {
  return {{kArchitectureKey, architecture_json(network.config).dump()},
          {"color_order", std::string(kColorOrder)},
          {"normalization", std::string(normalized_inside ? kNormalizedInside : kNormalization)},
          {"weights_checksum", network.weights_checksum}};
}

NetworkGraph graph_of(const ExportOptions& options, ExportKind kind, const Backbone& backbone) {
  NetworkGraph graph = network_graph(backbone);
  if (options.fold_batch_norms.value_or(kind == ExportKind::kOnnx))
    graph = with_folded_batch_norms(std::move(graph));
  return options.normalize ? with_normalization(std::move(graph)) : graph;
}

void write(const ExportOptions& options, ExportKind kind, const ExportedNetwork& network, OutputFile& out) {
  if (kind == ExportKind::kStateDict) return write_state_dict(named_state(*network.backbone), out);
  const NetworkGraph graph = graph_of(options, kind, *network.backbone);
  const std::map<std::string, std::string> metadata = metadata_of(network, options.normalize);
  if (kind == ExportKind::kTorchScript) return write_torch_script(graph, metadata, out);
  write_onnx_network(graph, options.opset.value_or(kDefaultOpset), metadata, out);
}

std::string text_of(const Agreement& agreement, const std::string& engine, const CheckFaces& faces) {
  std::string batches;
  for (const int64_t size : agreement.batches) batches += concat(batches.empty() ? "" : ", ", size);
  return concat("largest difference ", agreement.largest_difference,
                " of the embedding's norm, smallest cosine 1 - ", 1 - agreement.smallest_cosine, " (", engine,
                ", ", faces.images.size(0), " ", faces.origin, " in batches of ", batches, ")");
}

// found: what was, for people.
bool agrees(const ExportOptions& options, const CheckEngine& engine, Backbone& backbone,
            const CheckFaces& faces, std::string& found) {
  const Agreement agreement = compare_with_network(engine, backbone, faces.images, options.normalize);
  found = text_of(agreement, engine.name, faces);
  return agreement.largest_difference <= options.tolerance;
}

void check(const ExportOptions& options, const CheckEngine& engine, Backbone& backbone,
           const CheckFaces& faces) {
  std::string found;
  if (!agrees(options, engine, backbone, faces, found)) {
    fail(ErrorKind::kData, options.output.string(),
         ": not written: the file differs from the network: ", found, ", allowed is ", options.tolerance,
         "; --tolerance changes that");
  }
  log_info("check: ", found);
}

// OpenCV as its users have it; where that computes another network, layer by layer.
void check_onnx(const ExportOptions& options, const fs::path& written, Backbone& backbone,
                const CheckFaces& faces) {
  std::string found;
  if (agrees(options, opencv_check_engine(written, /*plain=*/false), backbone, faces, found))
    return log_info("check: ", found);
  log_warning("OpenCV as it comes computes something else from this file: ", found,
              "; call enableFusion(false) and enableWinograd(false) there");
  check(options, opencv_check_engine(written, /*plain=*/true), backbone, faces);
}

}  // namespace

void export_network(const ExportOptions& options, const ExportedNetwork& network,
                    const std::function<CheckFaces()>& faces) {
  const ExportKind kind = checked_kind(options);
  AtomicFile file(options.output);
  write(options, kind, network, file.out());
  file.out().close();
  const fs::path written = file.out().path();
  if (kind == ExportKind::kStateDict) {
    check_state_dict(named_state(*network.backbone), written);
  } else if (kind == ExportKind::kOnnx) {
    check_onnx(options, written, *network.backbone, faces());
  } else {
    check(options, torch_script_engine(written), *network.backbone, faces());
  }
  file.commit();
  log_info(options.output.string(), ": ", file.out().size(), " bytes");
}

}  // namespace uir
