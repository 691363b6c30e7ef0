#include "uir/pipeline/run_eval.h"

#include <algorithm>
#include <type_traits>
#include <vector>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/megaface.h"
#include "uir/eval/open_set.h"
#include "uir/eval/rejection.h"
#include "uir/eval/report.h"
#include "uir/eval/separation.h"
#include "uir/eval/trillion_pairs.h"
#include "uir/eval/verification.h"
#include "uir/pipeline/embedding_sets.h"
#include "uir/pipeline/sets.h"
#include "uir/pipeline/stop_request.h"

namespace uir {
namespace {

// Measures one model by the experiment's protocols. A protocol gives one result, or several (one per variant).
class Evaluation {
 public:
  Evaluation(const Experiment& experiment, const EvalModel& model)
      : experiment_(experiment),
        model_(model),
        threads_(resolve_threads(static_cast<int>(experiment.eval.threads))),
        sets_(model, threads_) {}

  ModelReport run() {
    ModelReport report{model_.name, {}, {}};
    for (const ProtocolConfig& protocol : experiment_.eval.protocols) {
      if (stop_requested()) fail(ErrorKind::kStopped, "stopped on request before protocol ", protocol.name);
      try {
        std::visit([&](const auto& kind) { append(report, measure(protocol.name, kind)); }, protocol.kind);
      } catch (const Error& e) {
        throw e.at("protocol " + protocol.name);
      }
    }
    report.sets = sets_.provenance();
    return report;
  }
  // Files to continue from after an interruption; no longer needed once the report is written.
  const std::vector<fs::path>& states() const { return states_; }

 private:
  static void append(ModelReport& report, ProtocolResult result) {
    report.results.push_back(std::move(result));
  }
  static void append(ModelReport& report, std::vector<ProtocolResult> results) {
    for (ProtocolResult& result : results) report.results.push_back(std::move(result));
  }

  ProtocolResult measure(const std::string& name, const VerificationProtocol& protocol) {
    const PairList pairs = protocol_pairs(experiment_, protocol, sets_.store(protocol.set).items());
    return run_verification(name, sets_.canonical(protocol.set), pairs, threads_);
  }

  ProtocolResult measure(const std::string& name, const AllPairsProtocol& protocol) {
    return run_all_pairs(name, sets_.canonical(protocol.set), sets_.store(protocol.set).labels(),
                         protocol.far, threads_);
  }

  ProtocolResult measure(const std::string& name, const OpenSetProtocol& protocol) {
    const EmbeddingStore& set = sets_.store(protocol.set);
    const OpenSetLists lists =
        protocol.gallery.empty()
            ? open_set_by_rule(set.labels())
            : read_open_set_lists(protocol.gallery.value, protocol.probe.value, set.items());
    return run_open_set(name, sets_.canonical(protocol.set), lists, protocol.far, threads_);
  }

  ProtocolResult measure(const std::string& name, const SeparationProtocol&) {
    return run_separation(name, sets_.store(kClassCentersSet).embeddings(), threads_);
  }

  ProtocolResult measure(const std::string& name, const RejectionProtocol& protocol) {
    const ProtocolResult result =
        run_rejection(name, sets_.classified(protocol.known), sets_.classified(protocol.strangers), protocol);
    write_threshold(file_of_model(name, ".threshold.json"), result);
    return result;
  }

  ProtocolResult measure(const std::string& name, const MegaFaceProtocol& protocol) {
    return run_megaface(name, sets_.store(protocol.probes), sets_.store(protocol.distractors), protocol,
                        threads_);
  }

  ProtocolResult measure(const std::string& name, const TrillionPairsProtocol& protocol) {
    const EmbeddingStore& set = sets_.store(protocol.set);
    const TrillionPairsRun run{threads_, file_of_model(name, ""), stop_requested};
    for (const fs::path& file : trillion_pairs_states(run.state)) states_.push_back(file);
    return run_trillion_pairs(name, UnitRows(set), set.labels(), protocol, run);
  }

  // <run>/report/<protocol><ending>, with the model's name in front when the experiment names models.
  fs::path file_of_model(const std::string& protocol, std::string_view ending) const {
    const bool named = !experiment_.eval.models.empty();
    return experiment_.report_folder() / concat(named ? model_.name + "." : "", protocol, ending);
  }

  const Experiment& experiment_;
  const EvalModel& model_;
  const int threads_;
  EmbeddingSets sets_;
  std::vector<fs::path> states_;
};

// Whether the experiment holds a protocol that saves its state when it is asked to stop.
bool can_stop(const Experiment& experiment) {
  return std::ranges::any_of(experiment.eval.protocols, [](const ProtocolConfig& protocol) {
    return std::holds_alternative<TrillionPairsProtocol>(protocol.kind);
  });
}

// The models that the experiment names, else its own run.
std::vector<EvalModel> models_of(const Experiment& experiment) {
  if (!experiment.eval.models.empty()) return experiment.eval.models;
  return {{experiment.run_folder().filename().string(), {experiment.run_folder().string()}, {}}};
}

}  // namespace

std::string run_eval(const Experiment& experiment) {
  if (experiment.eval.protocols.empty()) {
    fail(ErrorKind::kConfig, "eval.protocols: nothing to evaluate; name at least one protocol");
  }
  if (can_stop(experiment)) watch_stop_signals();
  Report report;
  std::vector<fs::path> states;
  for (const EvalModel& model : models_of(experiment)) {
    try {
      Evaluation evaluation(experiment, model);
      report.models.push_back(evaluation.run());
      states.insert(states.end(), evaluation.states().begin(), evaluation.states().end());
    } catch (const Error& e) {
      if (experiment.eval.models.empty()) throw;
      throw e.at("model " + model.name);
    }
  }
  write_report(experiment.report_folder(), report);
  std::error_code ignored;
  for (const fs::path& state : states) fs::remove(state, ignored);
  log_info("report: ", (experiment.report_folder() / "report.txt").string(), " and report.json");
  return to_text(report);
}

}  // namespace uir
