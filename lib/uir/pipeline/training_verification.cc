#include "uir/pipeline/training_verification.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "uir/base/error.h"
#include "uir/config/names.h"
#include "uir/embed/extractor.h"
#include "uir/eval/all_pairs.h"
#include "uir/eval/pairs.h"
#include "uir/eval/verification.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {
namespace {

// The value of one protocol's result that stands for it.
VerificationScore score_of(const std::string& protocol, std::string metric, const ProtocolResult& result) {
  VerificationScore score{protocol, std::move(metric), 0, Json::object()};
  score.value = result.value_of(score.metric);
  for (const Measurement& number : result.numbers) {
    if (number.defined()) score.numbers[number.name] = number.value;
  }
  return score;
}

// A protocol of the eval section, run on the network in memory: only the images that its pairs use.
class TrainingVerification {
 public:
  TrainingVerification(const Experiment& experiment, const Index& index, const ProtocolConfig& protocol)
      : name_(protocol.name), index_(index) {
    if (const auto* verification = std::get_if<VerificationProtocol>(&protocol.kind)) {
      flip_ = verification->flip;
      prepare(*verification, known_sources(experiment));
    } else {
      const auto& all_pairs = std::get<AllPairsProtocol>(protocol.kind);
      flip_ = all_pairs.flip;
      prepare(all_pairs);
    }
  }

  VerificationScore measure(Backbone& backbone, ExtractOptions options) const {
    const auto count = static_cast<int64_t>(rows_.size());
    const int64_t dim = backbone.embedding_size();
    std::vector<float> embeddings(static_cast<size_t>(count * dim)), mirrored(flip_ ? embeddings.size() : 0);
    options.mirrored = flip_;
    embed_rows(index_, rows_, 0, backbone, options, [&](const EmbeddingBlock& block) {
      copy_rows(block.embeddings, embeddings.data() + block.first * dim);
      if (flip_) copy_rows(block.mirrored, mirrored.data() + block.first * dim);
    });
    std::optional<MatrixView> mirror_images;
    if (flip_) mirror_images = MatrixView{mirrored.data(), count, dim};
    return measure_(canonical_vectors({embeddings.data(), count, dim}, mirror_images, at::get_num_threads()));
  }

 private:
  void prepare(const VerificationProtocol& config, const KnownSources& sources) {
    const std::vector<int64_t> set = index_.set_rows(config.set);
    std::vector<std::string_view> items;
    for (const int64_t row : set) items.push_back(index_.item(row));
    PairList pairs = pairs_of(config, sources, items);
    std::map<int64_t, int64_t> position;  // set row → position in rows_
    for (Pair& pair : pairs.pairs) {
      for (int64_t* row : {&pair.a, &pair.b}) {
        const auto [entry, added] = position.try_emplace(*row, static_cast<int64_t>(rows_.size()));
        if (added) rows_.push_back(set[static_cast<size_t>(*row)]);
        *row = entry->second;
      }
    }
    measure_ = [name = name_, pairs = std::move(pairs)](const CanonicalVectors& vectors) {
      return score_of(name, "accuracy", run_verification(name, vectors, pairs, at::get_num_threads()));
    };
  }

  void prepare(const AllPairsProtocol& config) {
    rows_ = index_.set_rows(config.set);
    std::vector<int64_t> labels;
    for (const int64_t row : rows_) labels.push_back(index_.labels()[static_cast<size_t>(row)]);
    const auto stranger = std::ranges::find(labels, -1);
    if (stranger != labels.end())
      fail(ErrorKind::kData, "train.verification: ", name_, ": image '",
           index_.item(rows_[static_cast<size_t>(stranger - labels.begin())]), "' of set '", config.set,
           "' has no identity, and all pairs of it are to be measured");
    check_pairs(labels, config.set);
    measure_ = [name = name_, far = config.far, labels = std::move(labels)](const CanonicalVectors& vectors) {
      return score_of(name, name_with_rate("tar_at_far", far.front()),
                      run_all_pairs(name, vectors, labels, far, at::get_num_threads(), /*intervals=*/false));
    };
  }

  // Else nothing would be defined, after an epoch of training.
  void check_pairs(std::vector<int64_t> labels, const std::string& set) const {
    std::ranges::sort(labels);
    const bool genuine = std::ranges::adjacent_find(labels) != labels.end();
    if (genuine && labels.front() != labels.back()) return;
    fail(ErrorKind::kData, "train.verification: ", name_, ": set '", set, "' has ", labels.size(),
         " images, and no two of ", genuine ? "different people" : "one person", "; hold out more");
  }

  static void copy_rows(const at::Tensor& block, float* to) {
    const at::Tensor rows = block.contiguous();
    std::copy_n(rows.data_ptr<float>(), rows.numel(), to);
  }

  std::string name_;
  Index index_;
  bool flip_ = true;
  std::vector<int64_t> rows_;
  std::function<VerificationScore(const CanonicalVectors&)> measure_;
};

// The set that a protocol of train.verification measures.
const std::string& set_of(const ProtocolConfig& protocol) {
  const auto* verification = std::get_if<VerificationProtocol>(&protocol.kind);
  return verification ? verification->set : std::get<AllPairsProtocol>(protocol.kind).set;
}

// The protocols of train.verification, in its order.
std::vector<const ProtocolConfig*> wanted_protocols(const Experiment& experiment) {
  std::vector<const ProtocolConfig*> wanted;
  for (const std::string& name : experiment.train.verification.protocols)
    wanted.push_back(&*std::ranges::find(experiment.eval.protocols, name, &ProtocolConfig::name));
  return wanted;
}

}  // namespace

Selection selection_of(const Experiment& experiment) {
  const std::string& best_by = experiment.train.checkpoint.best_by;
  for (const ProtocolConfig* protocol : wanted_protocols(experiment)) {
    const bool held_out = parse_set_name(set_of(*protocol)).held_out;
    if (best_by.empty() ? !held_out : protocol->name != best_by) continue;
    if (held_out) return {protocol->name, ""};
    return {protocol->name,
            concat("the best checkpoint of its run is chosen by '", protocol->name, "' on the test set '",
                   set_of(*protocol), "': numbers of that checkpoint on these images are too good")};
  }
  return {};
}

VerifyFunction training_verification(const Experiment& experiment, const Index& index, const Compute& compute,
                                     const std::shared_ptr<const Communicator>& ranks) {
  std::vector<TrainingVerification> protocols;
  for (const ProtocolConfig* protocol : wanted_protocols(experiment))
    protocols.emplace_back(experiment, index, *protocol);
  if (protocols.empty()) return nullptr;
  const ExtractOptions options{experiment.extract.batch, true, compute.pixel_type, compute.device,
                               experiment.data.loader,   ranks};
  return [protocols, options](Backbone& backbone) {
    std::vector<VerificationScore> scores;
    for (const TrainingVerification& protocol : protocols)
      scores.push_back(protocol.measure(backbone, options));
    return scores;
  };
}

}  // namespace uir
