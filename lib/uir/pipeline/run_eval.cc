#include "uir/pipeline/run_eval.h"

#include <type_traits>
#include <vector>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/ijb_identification.h"
#include "uir/eval/ijb_verification.h"
#include "uir/eval/megaface.h"
#include "uir/eval/open_set.h"
#include "uir/eval/rejection.h"
#include "uir/eval/report.h"
#include "uir/eval/separation.h"
#include "uir/eval/verification.h"
#include "uir/pipeline/embedding_sets.h"
#include "uir/pipeline/sets.h"

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
      try {
        std::visit([&](const auto& kind) { append(report, measure(protocol.name, kind)); }, protocol.kind);
      } catch (const Error& e) {
        throw e.at("protocol " + protocol.name);
      }
    }
    report.sets = sets_.provenance();
    return report;
  }

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

  std::vector<ProtocolResult> measure(const std::string& name, const IjbVerificationProtocol& protocol) {
    return run_ijb_verification(name, sets_.store(protocol.set), protocol, threads_);
  }

  std::vector<ProtocolResult> measure(const std::string& name, const IjbIdentificationProtocol& protocol) {
    return run_ijb_identification(name, sets_.store(protocol.set), protocol, threads_);
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
};

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
  Report report;
  for (const EvalModel& model : models_of(experiment)) {
    try {
      report.models.push_back(Evaluation(experiment, model).run());
    } catch (const Error& e) {
      if (experiment.eval.models.empty()) throw;
      throw e.at("model " + model.name);
    }
  }
  write_report(experiment.report_folder(), report);
  log_info("report: ", (experiment.report_folder() / "report.txt").string(), " and report.json");
  return to_text(report);
}

}  // namespace uir
