#include "uir/pipeline/run_eval.h"

#include <map>
#include <vector>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/canonical.h"
#include "uir/eval/open_set.h"
#include "uir/eval/rejection.h"
#include "uir/eval/report.h"
#include "uir/eval/separation.h"
#include "uir/eval/verification.h"
#include "uir/pipeline/sets.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

// Opens each embedding set once and keeps its canonical vectors for all protocols that use it.
class Evaluation {
 public:
  explicit Evaluation(const Experiment& experiment)
      : experiment_(experiment), threads_(resolve_threads(static_cast<int>(experiment.eval.threads))) {}

  ProtocolResult measure(const ProtocolConfig& protocol) {
    return std::visit([&](const auto& kind) { return measure(protocol.name, kind); }, protocol.kind);
  }

  // What each set was made with: the weights and settings of its manifest.
  Json provenance() const {
    Json sets = Json::object();
    for (const auto& [name, store] : stores_) sets[name] = store.manifest();
    return sets;
  }

 private:
  ProtocolResult measure(const std::string& name, const VerificationProtocol& protocol) {
    const EmbeddingStore& set = store(protocol.set);
    const PairList pairs = protocol_pairs(experiment_, protocol, items(set));
    return run_verification(name, canonical(protocol.set), pairs, threads_);
  }

  ProtocolResult measure(const std::string& name, const AllPairsProtocol& protocol) {
    return run_all_pairs(name, canonical(protocol.set), store(protocol.set).labels(), protocol.far, threads_);
  }

  ProtocolResult measure(const std::string& name, const OpenSetProtocol& protocol) {
    const EmbeddingStore& set = store(protocol.set);
    const OpenSetLists lists =
        protocol.gallery.empty()
            ? open_set_by_rule(set.labels())
            : read_open_set_lists(protocol.gallery.value, protocol.probe.value, items(set));
    return run_open_set(name, canonical(protocol.set), lists, protocol.far, threads_);
  }

  ProtocolResult measure(const std::string& name, const SeparationProtocol&) {
    return run_separation(name, store(kClassCentersSet).embeddings(), threads_);
  }

  ProtocolResult measure(const std::string& name, const RejectionProtocol& protocol) {
    const ProtocolResult result =
        run_rejection(name, classified(protocol.known), classified(protocol.strangers), protocol);
    write_threshold(experiment_.report_folder() / concat(name, ".threshold.json"), result);
    return result;
  }

  const EmbeddingStore& store(const std::string& set) {
    const auto known = stores_.find(set);
    if (known != stores_.end()) return known->second;
    const fs::path folder = experiment_.embeddings_folder(set);
    if (!fs::exists(folder)) {
      fail(ErrorKind::kMissingInput, folder.string(), ": no embeddings of set '", set,
           "'; run uir-extract first");
    }
    const EmbeddingStore& opened = stores_.emplace(set, EmbeddingStore::open(folder)).first->second;
    check_same_weights(set, opened);
    return opened;
  }

  // Sets of different networks must not be measured against each other, nor beside each other in one report.
  void check_same_weights(const std::string& set, const EmbeddingStore& opened) const {
    const auto& [first_set, first] = *stores_.begin();
    for (const char* key : {"weights", "data"}) {
      const Json ours = opened.manifest().value(key, Json()), theirs = first.manifest().value(key, Json());
      if (ours != theirs) {
        fail(ErrorKind::kData, opened.folder().string(), ": set '", set, "' was extracted with other ", key,
             " (", ours.dump(), ") than set '", first_set, "' (", theirs.dump(),
             "); run uir-extract again for all sets");
      }
    }
  }

  const CanonicalVectors& canonical(const std::string& set) {
    const auto known = canonical_.find(set);
    if (known != canonical_.end()) return known->second;
    return canonical_.emplace(set, canonical_vectors(store(set), threads_)).first->second;
  }

  std::vector<ClassifiedSet> classified(const std::vector<std::string>& sets) {
    std::vector<ClassifiedSet> faces;
    for (const std::string& set : sets) {
      const EmbeddingStore& opened = store(set);
      if (!opened.classes()) {
        fail(ErrorKind::kData, opened.folder().string(),
             ": holds no best classes; extract again with extract.classes: true and a checkpoint with class "
             "centers");
      }
      faces.push_back({set, *opened.classes(), opened.labels()});
    }
    return faces;
  }

  static std::vector<std::string_view> items(const EmbeddingStore& store) {
    std::vector<std::string_view> names;
    for (int64_t row = 0; row < store.size(); ++row) names.push_back(store.item(row));
    return names;
  }

  const Experiment& experiment_;
  const int threads_;
  std::map<std::string, EmbeddingStore> stores_;
  std::map<std::string, CanonicalVectors> canonical_;
};

}  // namespace

std::string run_eval(const Experiment& experiment) {
  if (experiment.eval.protocols.empty()) {
    fail(ErrorKind::kConfig, "eval.protocols: nothing to evaluate; name at least one protocol");
  }
  Evaluation evaluation(experiment);
  Report report;
  for (const ProtocolConfig& protocol : experiment.eval.protocols) {
    try {
      report.results.push_back(evaluation.measure(protocol));
    } catch (const Error& e) {
      throw e.at("protocol " + protocol.name);
    }
  }
  report.run = {{"run", experiment.run_folder().filename().string()}, {"sets", evaluation.provenance()}};
  write_report(experiment.report_folder(), report);
  log_info("report: ", (experiment.report_folder() / "report.txt").string(), " and report.json");
  return to_text(report);
}

}  // namespace uir
