#include "uir/pipeline/run_eval.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/dist/rendezvous.h"
#include "uir/eval/context.h"
#include "uir/pipeline/report_pictures.h"
#include "uir/pipeline/search_device.h"
#include "uir/pipeline/stop_request.h"
#include "uir/report/report.h"

namespace uir {
namespace {

// How long ranks wait for each other's slices, which may be of unequal speed.
constexpr std::chrono::hours kLongestScan{48};

// The models that the experiment names, else its own run.
std::vector<EvalModel> models_of(const Experiment& experiment) {
  if (!experiment.eval.models.empty()) return experiment.eval.models;
  return {{experiment.run_folder().filename().string(),
           {experiment.run_folder().string()},
           {},
           experiment.eval.calibration}};
}

// Adds which model an error is about, where the experiment names models.
template <class Action>
auto naming(const Experiment& experiment, const EvalModel& model, const Action& action) {
  try {
    return action();
  } catch (const Error& e) {
    if (experiment.eval.models.empty()) throw;
    throw e.at("model " + model.name);
  }
}

// The model's sets, opened, so that what is missing or broken is found before anything is measured.
std::unique_ptr<EmbeddingSets> open_sets(const Experiment& experiment, const EvalModel& model, int threads) {
  auto sets = std::make_unique<EmbeddingSets>(model, experiment.eval.models, threads);
  for (const ProtocolConfig& protocol : experiment.eval.protocols) check_sets(protocol, *sets);
  return sets;
}

std::optional<Calibration> calibration_of(const EvalModel& model) {
  return model.calibration.empty() ? std::nullopt : std::optional(read_calibration(model.calibration.value));
}

ModelReport measure_model(const Experiment& experiment, const EvalModel& model, EvalContext& context) {
  ModelReport report{model.name, {}, {}};
  for (const ProtocolConfig& protocol : experiment.eval.protocols) {
    if (stop_requested()) fail(ErrorKind::kStopped, "stopped on request before protocol ", protocol.name);
    for (ProtocolResult& result : measure(protocol, context)) report.results.push_back(std::move(result));
  }
  report.sets = context.sets.provenance();
  return report;
}

// <run>/report/, and the model's name where the experiment names models.
std::string file_prefix(const Experiment& experiment, const EvalModel& model) {
  return (experiment.report_folder() / (experiment.eval.models.empty() ? "" : model.name + ".")).string();
}

// Embeddings in bf16 and in float32 differ by some thousandths: a difference between models may be just that.
void warn_of_precisions(const Report& report) {
  std::map<std::string, std::string> models;  // by precision, one that has it
  for (const ModelReport& model : report.models) {
    for (const auto& [set, manifest] : model.sets.items()) {
      const auto precision = manifest.find("precision");
      if (precision != manifest.end() && precision->is_string())
        models.emplace(precision->get<std::string>(), model.name);
    }
  }
  if (models.size() < 2) return;
  const auto& [a, of_a] = *models.begin();
  const auto& [b, of_b] = *models.rbegin();
  log_warning("embeddings were computed in different precision (", of_a, ": ", a, ", ", of_b, ": ", b,
              "): differences of some thousandths mean nothing; train.precision says in which");
}

// device: what searches through pairs run on; null: the processor. All ranks measure the same; the first one
// writes.
std::string evaluate(const Experiment& experiment, const Communicator& ranks, const BlockFilter* device) {
  const std::vector<EvalModel> models = models_of(experiment);
  const int threads = resolve_threads(static_cast<int>(experiment.eval.threads));
  std::vector<std::unique_ptr<EmbeddingSets>> sets;
  for (const EvalModel& model : models)
    sets.push_back(naming(experiment, model, [&] { return open_sets(experiment, model, threads); }));
  std::vector<std::optional<Calibration>> calibrations;
  for (const EvalModel& model : models)
    calibrations.push_back(naming(experiment, model, [&] { return calibration_of(model); }));

  const KnownSources sources = known_sources(experiment);
  DividedScanOptions scan;
  scan.resources = {threads, experiment.eval.memory_mb << 20, device};
  scan.slice = {ranks.rank(), ranks.size()};
  scan.exchange = [&](const std::string& mine) { return all_gather_bytes(ranks, mine); };
  scan.stop = stop_requested;
  const bool writes = ranks.rank() == 0;
  Report report;
  std::vector<fs::path> states;
  for (size_t m = 0; m < models.size(); ++m) {
    EvalContext context{*sets[m], sources, scan, file_prefix(experiment, models[m]), writes};
    context.calibration = std::move(calibrations[m]);
    context.pictures = writes && experiment.eval.pictures;
    report.models.push_back(
        naming(experiment, models[m], [&] { return measure_model(experiment, models[m], context); }));
    states.insert(states.end(), context.states.begin(), context.states.end());
    sets[m].reset();  // frees its vectors
  }
  if (writes) {
    warn_of_precisions(report);
    write_report_pictures(experiment, report);
    write_report(experiment.report_folder(), report);
    log_info("report: ", (experiment.report_folder() / "report.html").string(),
             " for people (also report.txt), report.json for programs");
  }
  std::error_code ignored;
  for (const fs::path& state : states) fs::remove(state, ignored);
  return writes ? to_text(report) : "";
}

}  // namespace

std::string run_eval(const Experiment& experiment) {
  if (experiment.eval.protocols.empty()) {
    fail(ErrorKind::kConfig, "eval.protocols: nothing to evaluate; name at least one protocol");
  }
  if (std::ranges::any_of(experiment.eval.protocols, is_restartable)) watch_stop_signals();
  const World world = world_from_environment();
  const std::shared_ptr<const Communicator> ranks = connect(world, {.collective = kLongestScan});
  const bool searches = std::ranges::any_of(experiment.eval.protocols, searches_pairs);
  std::string text;
  run_as_rank(*ranks, [&] {
    const std::unique_ptr<BlockFilter> device = searches ? device_filter(experiment.eval, world) : nullptr;
    text = evaluate(experiment, *ranks, device.get());
  });
  return text;
}

}  // namespace uir
