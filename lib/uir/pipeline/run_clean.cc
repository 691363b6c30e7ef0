#include "uir/pipeline/run_clean.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/index.h"
#include "uir/data/index_rows.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/label_noise_report.h"
#include "uir/eval/overlap_search.h"
#include "uir/pipeline/named_model.h"
#include "uir/pipeline/search_device.h"
#include "uir/pipeline/stop_request.h"
#include "uir/ranks/world.h"

namespace uir {
namespace {

std::string chosen_set(const Experiment& experiment, const CleanRequest& request) {
  if (!request.set.empty()) return request.set;
  std::vector<std::string> labeled;
  for (const SourceConfig& source : experiment.data.sources) {
    if (source.role == Role::kLabeled) labeled.push_back(source.name);
  }
  if (labeled.size() == 1) return labeled.front();
  fail(ErrorKind::kUsage,
       labeled.empty() ? "no labeled source: " : "several labeled sources: ", "name the set with --labeled");
}

// The set's images as the index has them; an identity is called what the index calls that of
// its images. Without an index labels are numbers.
class SetInIndex {
 public:
  SetInIndex(const fs::path& index, const std::string& set, const EmbeddingStore& store) : store_(store) {
    if (!fs::exists(index)) {
      log_warning(index.string(), ": no index here; identities are called by their labels' numbers");
      return;
    }
    index_.emplace(Index::open(index));
    rows_.emplace(*index_, set, store.items());
    const std::string source = set.substr(0, set.find('.'));
    const auto found = std::ranges::find(index_->sources(), source, &SourceInfo::name);
    if (found != index_->sources().end()) name_identities(set, found->role);
  }

  NoiseNames names() const {
    return {[this](int64_t row) { return std::string(store_.item(row)); },
            [this](int64_t label) { return identity(label); }};
  }

  void write_sheet(const std::vector<FacePair>& pairs, const fs::path& folder, const std::string& name,
                   std::vector<std::string>& pictures) const {
    if (!index_ || pairs.empty()) return;
    write_pair_sheet(*index_, pairs, folder / name);
    pictures.push_back(name);
  }
  int64_t row(int64_t row_of_set) const { return rows_ && row_of_set >= 0 ? rows_->row(row_of_set) : -1; }

 private:
  // Labels of features of another tool may be numbered in their own way, but they must mean the same people.
  void name_identities(const std::string& set, Role role) {
    if (role == Role::kUnlabeled) return;
    std::unordered_map<int64_t, int64_t> identities;  // of the index, by label
    for (int64_t row = 0; row < store_.size(); ++row) {
      const int64_t label = store_.labels()[static_cast<size_t>(row)], in_index = rows_->row(row);
      const int64_t identity = in_index < 0 ? -1 : index_->labels()[static_cast<size_t>(in_index)];
      if (label < 0 || identity < 0) continue;
      const auto [known, added] = identities.emplace(label, identity);
      if (added || known->second == identity) continue;
      fail(ErrorKind::kData, "set '", set, "': images with label ", label, " are of ",
           name(role, known->second), " and of ", name(role, identity), " in the index (", store_.item(row),
           "); its labels are not those of the source");
    }
    for (const auto& [label, identity] : identities) names_.emplace(label, name(role, identity));
  }
  std::string name(Role role, int64_t identity) const {
    return std::string(role == Role::kLabeled ? index_->identity_name(identity)
                                              : index_->test_identity_name(identity));
  }
  std::string identity(int64_t label) const {
    const auto known = names_.find(label);
    return known != names_.end() ? known->second : std::to_string(label);
  }

  const EmbeddingStore& store_;
  std::optional<Index> index_;
  std::optional<IndexRows> rows_;
  std::unordered_map<int64_t, std::string> names_;  // by label
};

// What pairs of faces show at most: a sheet's worth, the clearest first.
class Sheets {
 public:
  Sheets(const SetInIndex& set, const NoiseNames& names) : set_(set), names_(names) {}

  std::vector<FacePair> unlike(const LabelNoise& noise, LabelNoise::Why why) const {
    std::vector<LabelNoise::Image> images;
    for (const LabelNoise::Image& i : noise.unlike_images) {
      if (i.why == why) images.push_back(i);
    }
    std::ranges::stable_sort(images, {}, &LabelNoise::Image::own);
    std::vector<FacePair> pairs;
    for (const LabelNoise::Image& i : images)
      add(i.row, concat(score_text(i.own), i.belongs ? " " + names_.identity(i.likely) : ""), i.shown,
          names_.identity(i.label), pairs);
    return pairs;
  }
  std::vector<FacePair> merged(const LabelNoise& noise) const {
    std::vector<FacePair> pairs;
    for (const LabelNoise::Merge& m : noise.merges)
      add(m.shown, concat(score_text(m.cosine), ' ', names_.identity(m.label)), m.shown_into,
          names_.identity(m.into), pairs);
    return pairs;
  }
  std::vector<FacePair> two_people(const LabelNoise& noise) const {
    std::vector<FacePair> pairs;
    for (const LabelNoise::Group& g : noise.groups)
      add(g.shown, concat(names_.identity(g.label), " ", g.images), g.shown_other, std::to_string(g.others),
          pairs);
    return pairs;
  }

 private:
  void add(int64_t left, const std::string& left_caption, int64_t right, const std::string& right_caption,
           std::vector<FacePair>& pairs) const {
    if (pairs.size() < kShownNoise)
      pairs.push_back({set_.row(left), set_.row(right), left_caption, right_caption});
  }
  const SetInIndex& set_;
  const NoiseNames& names_;
};

}  // namespace

std::string run_clean(const Experiment& experiment, const CleanRequest& request) {
  watch_stop_signals();
  const std::string name = chosen_set(experiment, request);
  const EvalModel model = named_model(experiment, request.model);
  const int threads = resolve_threads(static_cast<int>(experiment.eval.threads));
  EmbeddingSets sets(model, experiment.eval.models, threads);
  const EmbeddingStore& store = sets.store(name);
  const SetInIndex set(experiment.index_folder(), name, store);
  const NoiseNames names = set.names();

  const std::unique_ptr<BlockFilter> device = device_filter(experiment.eval, World());
  ScanOptions scan;
  scan.resources = {.threads = threads, .memory = experiment.eval.memory_mb << 20, .device = device.get()};
  scan.stop = stop_requested;
  const LabelNoise noise =
      find_label_noise(canonical_vectors(store, threads), store.labels(), request.thresholds, scan);

  const fs::path folder = request.report.empty() ? experiment.run_folder() / "clean" : request.report;
  create_folders(folder);
  std::vector<std::string> pictures;
  const Sheets sheets(set, names);
  set.write_sheet(sheets.unlike(noise, LabelNoise::Why::kUnlike), folder, concat("unlike_", name, ".png"),
                  pictures);
  set.write_sheet(sheets.unlike(noise, LabelNoise::Why::kNoAgreement), folder,
                  concat("no_two_agree_", name, ".png"), pictures);
  set.write_sheet(sheets.two_people(noise), folder, concat("two_people_", name, ".png"), pictures);
  set.write_sheet(sheets.merged(noise), folder, concat("merged_", name, ".png"), pictures);

  const std::string text = label_noise_text(name, noise, names);
  const fs::path exclude = folder / concat("exclude_", name, ".tsv"),
                 map = folder / concat("label_map_", name, ".tsv");
  write_file_atomically(exclude, exclude_list(noise, names));
  write_file_atomically(map, label_map_list(noise, names));
  write_file_atomically(folder / concat("clean_", name, ".html"),
                        label_noise_page(name, noise, names, pictures));
  write_file_atomically(folder / concat("clean_", name, ".txt"), text);
  write_file_atomically(folder / concat("clean_", name, ".json"),
                        json_text(to_json(name, noise, names), 1) + "\n");
  log_info("labels: ", (folder / concat("clean_", name, ".html")).string(), "; for the source '", name,
           "': exclude: ", exclude.string(), ", label_map: ", map.string());
  return text;
}

}  // namespace uir
