#include "uir/eval/embedding_sets.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/eval/concatenated_store.h"

namespace uir {

const EmbeddingStore& EmbeddingSets::store(const std::string& set) {
  const auto known = stores_.find(set);
  if (known != stores_.end()) return known->second;
  const EmbeddingStore& opened = stores_.emplace(set, open(set)).first->second;
  check_same_weights(set, opened);
  return opened;
}

EmbeddingSets::EmbeddingSets(const EvalModel& model, std::span<const EvalModel> models, int threads)
    : model_(model), threads_(threads) {
  for (const std::string& name : model.concatenates) {
    const auto part = std::ranges::find(models, name, &EvalModel::name);
    ensure(part != models.end(), "the concatenated models are there");
    parts_.emplace_back(*part, std::span<const EvalModel>(), threads);
  }
}

EmbeddingStore EmbeddingSets::concatenated(const std::string& set, bool flip) {
  std::vector<EmbeddingStore> stores;
  for (EmbeddingSets& part : parts_) {
    try {
      stores.push_back(part.store(set, flip));
    } catch (const Error& e) {
      throw e.at("model " + part.model_.name);
    }
  }
  return concatenated_store(stores, model_.concatenates, threads_);
}

EmbeddingStore EmbeddingSets::open(const std::string& set) {
  if (!parts_.empty()) return concatenated(set, true);
  const auto files = std::ranges::find(model_.sets, set, &SetFiles::set);
  if (files != model_.sets.end()) {
    return EmbeddingStore::open(EmbeddingFiles{files->features.value, files->mirrored.value,
                                               files->items.value, files->labels.value, files->suffix},
                                threads_);
  }
  if (model_.run.empty()) {
    fail(ErrorKind::kConfig, "set '", set,
         "': the model names no file for it and no run; add it to its sets");
  }
  const fs::path folder = embeddings_folder_of_run(model_.run.value, set);
  if (!fs::exists(folder)) {
    fail(ErrorKind::kMissingInput, folder.string(), ": no embeddings of set '", set,
         "'; run uir-extract first (a set that it does not embed by itself: --set extract.sets=[", set, "])");
  }
  return EmbeddingStore::open(folder, threads_);
}

// Sets of different networks must not be measured against each other, nor beside each other in one report.
void EmbeddingSets::check_same_weights(const std::string& set, const EmbeddingStore& opened) const {
  for (const auto& [other_set, other] : stores_) {
    for (const char* key : {"weights", "data"}) {
      const Json ours = opened.manifest().value(key, Json()), theirs = other.manifest().value(key, Json());
      if (ours.is_null() || theirs.is_null() || ours == theirs) continue;
      fail(ErrorKind::kData, opened.folder().string(), ": set '", set, "' was extracted with other ", key,
           " (", ours.dump(), ") than set '", other_set, "' (", theirs.dump(),
           "); run uir-extract again for all sets");
    }
  }
}

void EmbeddingSets::check(const std::string& set) {
  for (EmbeddingSets& part : parts_) part.check(set);
  if (!parts_.empty()) return;
  const auto files = std::ranges::find(model_.sets, set, &SetFiles::set);
  if (files != model_.sets.end() && fs::is_directory(files->features.value)) return;
  store(set);
}

EmbeddingStore EmbeddingSets::store(const std::string& set, bool flip) {
  const EmbeddingStore& whole = store(set);
  if (flip) return whole;
  if (parts_.empty()) return whole.without_mirrored();
  const auto known = without_flip_.find(set);
  return known != without_flip_.end() ? known->second
                                      : without_flip_.emplace(set, concatenated(set, false)).first->second;
}

const CanonicalVectors& EmbeddingSets::canonical(const std::string& set, bool flip) {
  const EmbeddingStore faces = store(set, flip);
  const std::pair key(set, faces.mirrored().has_value());
  const auto known = canonical_.find(key);
  if (known != canonical_.end()) return known->second;
  return canonical_.emplace(key, canonical_vectors(faces, threads_)).first->second;
}

std::vector<ClassifiedSet> EmbeddingSets::classified(const std::vector<std::string>& sets) {
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

Json EmbeddingSets::provenance() const {
  Json sets = Json::object();
  for (const auto& [name, store] : stores_) sets[name] = store.manifest();
  return sets;
}

}  // namespace uir
