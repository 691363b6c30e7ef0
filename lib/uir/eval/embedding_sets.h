// The embedding sets of one evaluated model: each is opened once, and its canonical vectors serve all
// protocols.
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "uir/eval/config.h"
#include "uir/search/canonical.h"
#include "uir/store/embedding_store.h"

namespace uir {

// One embedding set's classes.npy and labels (the labels of strangers are not used).
struct ClassifiedSet {
  std::string name;
  MatrixView classes;  // as in the store: a row's ClassColumns
  std::span<const int64_t> labels;
};

// A set of embeddings; the store outlives whoever has this.
struct NamedStore {
  std::string name;
  const EmbeddingStore* store = nullptr;
};

class EmbeddingSets {
 public:
  // models: among which those are that this one concatenates.
  EmbeddingSets(const EvalModel& model, std::span<const EvalModel> models, int threads);

  // The set's files that the model names, else the store that uir-extract left in its run. kMissingInput if
  // there is neither; kData if it was extracted with other weights or data than the sets before it. Of a model
  // that concatenates others: their embeddings f and mirrored embeddings m, each divided by |f + m| (f, if
  // they have none), one behind the other, in memory; kData where their images differ.
  const EmbeddingStore& store(const std::string& set);
  // Opens the set, so that what is missing or broken is found early; of a folder of features, which would
  // stay in memory, only looks whether it is there.
  void check(const std::string& set);
  // The store, without its mirrored embeddings where `flip` is false.
  EmbeddingStore store(const std::string& set, bool flip);
  // Of store(set, flip).
  const CanonicalVectors& canonical(const std::string& set, bool flip);
  // kData for a set without best classes.
  std::vector<ClassifiedSet> classified(const std::vector<std::string>& sets);
  // What each opened set was made with: its manifest.
  Json provenance() const;

 private:
  EmbeddingStore open(const std::string& set);
  void check_same_weights(const std::string& set, const EmbeddingStore& opened) const;

  EmbeddingStore concatenated(const std::string& set, bool flip);

  const EvalModel model_;
  const int threads_;
  std::vector<EmbeddingSets> parts_;
  std::map<std::string, EmbeddingStore> without_flip_;  // of a model with parts
  std::map<std::string, EmbeddingStore> stores_;
  std::map<std::pair<std::string, bool>, CanonicalVectors> canonical_;  // bool: with the flip test
};

}  // namespace uir
