#include "uir/pipeline/training_verification.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "uir/embed/extractor.h"
#include "uir/eval/pairs.h"
#include "uir/eval/verification.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {
namespace {

// A verification protocol of the eval section, run on the network in memory: only the images its pairs use.
class TrainingVerification {
 public:
  TrainingVerification(const Experiment& experiment, const Index& index, const ProtocolConfig& protocol)
      : name_(protocol.name), index_(index) {
    const auto& config = std::get<VerificationProtocol>(protocol.kind);
    const std::vector<int64_t> set = index.set_rows(config.set);
    std::vector<std::string_view> items;
    for (const int64_t row : set) items.push_back(index.item(row));
    pairs_ = pairs_of(config, known_sources(experiment), items);
    std::map<int64_t, int64_t> position;  // set row → position in rows_
    for (Pair& pair : pairs_.pairs) {
      for (int64_t* row : {&pair.a, &pair.b}) {
        const auto [entry, added] = position.try_emplace(*row, static_cast<int64_t>(rows_.size()));
        if (added) rows_.push_back(set[static_cast<size_t>(*row)]);
        *row = entry->second;
      }
    }
  }

  VerificationScore measure(Backbone& backbone, const ExtractOptions& options) const {
    const auto count = static_cast<int64_t>(rows_.size());
    const int64_t dim = backbone.embedding_size();
    std::vector<float> embeddings(static_cast<size_t>(count * dim)), mirrored(embeddings.size());
    embed_rows(index_, rows_, 0, backbone, options, [&](const EmbeddingBlock& block) {
      copy_rows(block.embeddings, embeddings.data() + block.first * dim);
      copy_rows(block.mirrored, mirrored.data() + block.first * dim);
    });
    const CanonicalVectors vectors = canonical_vectors(
        {embeddings.data(), count, dim}, MatrixView{mirrored.data(), count, dim}, at::get_num_threads());
    const ProtocolResult result = run_verification(name_, vectors, pairs_, at::get_num_threads());
    VerificationScore score{name_, result.value_of("accuracy"), Json::object()};
    for (const Measurement& number : result.numbers) {
      if (number.defined()) score.numbers[number.name] = number.value;
    }
    return score;
  }

 private:
  static void copy_rows(const at::Tensor& block, float* to) {
    const at::Tensor rows = block.contiguous();
    std::copy_n(rows.data_ptr<float>(), rows.numel(), to);
  }

  std::string name_;
  Index index_;
  PairList pairs_;
  std::vector<int64_t> rows_;
};

}  // namespace

VerifyFunction training_verification(const Experiment& experiment, const Index& index, const Compute& compute,
                                     const std::shared_ptr<const Communicator>& ranks) {
  std::vector<TrainingVerification> protocols;
  for (const std::string& name : experiment.train.verification.protocols) {
    for (const ProtocolConfig& protocol : experiment.eval.protocols) {
      if (protocol.name == name) protocols.emplace_back(experiment, index, protocol);
    }
  }
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
