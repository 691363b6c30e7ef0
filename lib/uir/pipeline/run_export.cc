#include "uir/pipeline/run_export.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/checkpoint/weights.h"
#include "uir/export/exporter.h"
#include "uir/network/architecture.h"
#include "uir/pipeline/chosen_weights.h"
#include "uir/pipeline/sample_faces.h"
#include "uir/pipeline/start_weights.h"
#include "uir/plan/network_facts.h"

namespace uir {
namespace {

ModelConfig config_of(const Weights& weights, const fs::path& path) {
  const auto found = weights.metadata.find(kArchitectureKey);
  if (found == weights.metadata.end()) {
    fail(ErrorKind::kUsage, path.string(),
         ": the weights do not say what network they belong to; give the experiment file whose model section "
         "does");
  }
  return parse_architecture(found->second, path.string());
}

ExportedNetwork load_network(const Experiment* experiment, const fs::path& path) {
  const Weights weights = read_weights(path);
  const ModelConfig config = experiment ? experiment->model : config_of(weights, path);
  ExportedNetwork network{config, make_uninitialized_backbone(config, 0), weights.checksum};
  load_backbone(path, weights, *network.backbone);
  network.backbone->eval();
  const NetworkFacts facts = network_facts(config);
  log_info("network: ", facts.parameters(), " parameters, ", facts.multiply_adds(), " multiply-adds, ",
           facts.challenge_flops(), " FLOPs by the LFR challenge's rule");
  return network;
}

// Evenly spread over the index's good rows.
std::vector<int64_t> spread_rows(const Index& index, int64_t count) {
  std::vector<int64_t> good, rows;
  for (int64_t row = 0; row < index.size(); ++row) {
    if (!(index.flags()[static_cast<size_t>(row)] & (kBad | kExcluded))) good.push_back(row);
  }
  const auto size = static_cast<int64_t>(good.size());
  for (int64_t i = 0; i < std::min(count, size); ++i)
    rows.push_back(good[static_cast<size_t>(i * size / std::min(count, size))]);
  return rows;
}

CheckFaces faces_for_check(const Experiment* experiment, int64_t count) {
  if (experiment && fs::exists(experiment->index_folder())) {
    const Index index = Index::open(experiment->index_folder(), Index::Check::kFull);
    const std::vector<int64_t> rows = spread_rows(index, count);
    if (!rows.empty()) return {"images of the index", faces_of_rows(index, rows)};
  }
  return {"drawn faces", drawn_faces(count)};
}

fs::path weights_for(const Experiment* experiment, const ExportRequest& request) {
  if (!request.weights.empty()) return request.weights;
  if (experiment) return chosen_weights(*experiment);
  fail(ErrorKind::kUsage, "no weights given: name an experiment file or --weights; see uir-export --help");
}

}  // namespace

void run_export(const Experiment* experiment, const ExportRequest& request) {
  checked_kind(request.file);  // before anything is read
  at::set_num_threads(resolve_threads(0));
  const fs::path weights = weights_for(experiment, request);
  std::error_code none;
  if (fs::equivalent(weights, request.file.output, none))
    fail(ErrorKind::kUsage, request.file.output.string(),
         ": is what the weights are read from; name another file");
  const ExportedNetwork network = load_network(experiment, weights);
  export_network(request.file, network, [&] { return faces_for_check(experiment, request.check_images); });
}

}  // namespace uir
