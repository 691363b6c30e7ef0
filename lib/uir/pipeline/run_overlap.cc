#include "uir/pipeline/run_overlap.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/config/names.h"
#include "uir/data/folder_listing.h"
#include "uir/data/index.h"
#include "uir/data/index_flags.h"
#include "uir/data/index_rows.h"
#include "uir/eval/calibration.h"
#include "uir/eval/embedding_sets.h"
#include "uir/eval/overlap_report.h"
#include "uir/eval/overlap_search.h"
#include "uir/pipeline/named_model.h"
#include "uir/pipeline/overlap_pictures.h"
#include "uir/pipeline/search_device.h"
#include "uir/pipeline/stop_request.h"
#include "uir/ranks/world.h"

namespace uir {
namespace {

std::vector<std::string> sources_of_role(const Experiment& experiment, Role role) {
  std::vector<std::string> names;
  for (const SourceConfig& source : experiment.data.sources) {
    if (source.role == role) names.push_back(source.name);
  }
  return names;
}

class OverlapRun {
 public:
  OverlapRun(const Experiment& experiment, const OverlapRequest& request, const BlockFilter* device)
      : experiment_(experiment),
        request_(request),
        model_(named_model(experiment, request.model)),
        threads_(resolve_threads(static_cast<int>(experiment.eval.threads))),
        sets_(model_, experiment.eval.models, threads_),
        folder_(request.report.empty() ? experiment.run_folder() / "overlap" : request.report) {
    scan_.resources = {.threads = threads_, .memory = experiment.eval.memory_mb << 20, .device = device};
    scan_.stop = stop_requested;
    if (fs::exists(experiment.index_folder())) index_.emplace(Index::open(experiment.index_folder()));
  }

  std::string run() {
    create_folders(folder_);
    const std::vector<std::string> unlabeled = unlabeled_sets();
    const std::vector<NamedStore> targets = this->targets();
    const OverlapRules rules = this->rules(*open(unlabeled.front()).store, targets.front().store->size());
    OverlapSearch search(rules, targets, scan_, folder_);
    std::optional<OverlapPictures> pictures;  // rows of the index are looked up before anything is searched
    if (index_) pictures.emplace(*index_, targets, folder_);
    for (const std::string& set : unlabeled) search.check_dim(open(set));
    for (const std::string& set : labeled_sets()) search.add_labeled(open(set));
    std::vector<SetOverlap> results;
    for (const std::string& name : unlabeled) {
      const NamedStore set = open(name);
      std::optional<IndexRows> rows;
      if (index_) rows.emplace(*index_, name, set.store->items());
      results.push_back(search.search(set));
      if (pictures) pictures->write(*set.store, *rows, results.back());
      if (results.back().filter) exclude(results.back(), rows);
    }
    if (!request_.out.empty()) write_index();
    const std::string text = write_report(results);
    std::error_code ignored;
    for (const fs::path& state : search.states()) fs::remove(state, ignored);
    return text;
  }

 private:
  std::vector<std::string> unlabeled_sets() const {
    std::vector<std::string> sets = request_.unlabeled;
    if (sets.empty()) sets = sources_of_role(experiment_, Role::kUnlabeled);
    if (sets.empty())
      fail(ErrorKind::kUsage, "no unlabeled set: the data has no such source; name one with --unlabeled");
    return sets;
  }

  std::vector<std::string> labeled_sets() const {
    if (!request_.labeled.empty()) return request_.labeled;
    std::vector<std::string> sets;
    for (const std::string& source : sources_of_role(experiment_, Role::kLabeled)) {
      const std::string set = concat(source, kHeldOutSuffix);
      const bool given = std::ranges::find(model_.sets, set, &SetFiles::set) != model_.sets.end();
      const bool extracted =
          !model_.run.empty() && fs::exists(embeddings_folder_of_run(model_.run.value, set));
      if (given || extracted) sets.push_back(set);
    }
    if (sets.empty()) log_warning("no labeled images (extract held-out ones): the table has counts only");
    return sets;
  }

  std::string centers_name() const { return request_.centers.empty() ? kClassCentersSet : request_.centers; }

  std::vector<NamedStore> targets() {
    std::vector<NamedStore> targets{open(centers_name())};
    for (const std::string& set : request_.against) targets.push_back(open(set));
    return targets;
  }

  OverlapRules rules(const EmbeddingStore& faces, int64_t centers) const {
    OverlapRules rules = request_.rules;
    if (request_.calibration.empty()) return rules;
    const Calibration calibration = read_calibration(request_.calibration);
    check_calibrated_model(calibration, faces);
    if (calibration.gallery != centers_name())
      fail(ErrorKind::kConfig, request_.calibration.string(), ": its gallery is '", calibration.gallery,
           "', here it is '", centers_name(), "'; uir-eval calibrate --gallery ", centers_name());
    rules.threshold = stranger_threshold(calibration, request_.false_alarms, centers);
    log_info("threshold: ", *rules.threshold, ", which lets ", request_.false_alarms,
             " of 1,000 strangers through (", request_.calibration.string(), ")");
    return rules;
  }

  // A network without class centers, as an ONNX file is, needs something in their place.
  NamedStore open(const std::string& set) {
    try {
      return {set, &sets_.store(set)};
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kMissingInput || set != centers_name()) throw;
      fail(ErrorKind::kMissingInput, e.what(),
           "; a network without class centers, as an ONNX file is, needs an embedded set of the known people "
           "in their place: --centers SET");
    }
  }

  // Writes the list of what goes, and notes its rows for the index without them. Both leave `found`: they are
  // as long as the set.
  void exclude(SetOverlap& found, const std::optional<IndexRows>& rows) {
    if (!request_.out.empty() && !(rows && rows->complete())) {
      fail(ErrorKind::kData, "--out: the images of set '", found.set, "' are not all in the index ",
           experiment_.index_folder().string(), "; excluded_", found.set, ".tsv is what you can use");
    }
    write_file_atomically(folder_ / concat("excluded_", found.set, ".tsv"),
                          std::exchange(found.removed_list, {}));
    const std::vector<int64_t> removed = std::exchange(found.removed, {});
    if (request_.out.empty()) return;
    for (const int64_t i : removed) excluded_.push_back(rows->row(i));
  }

  void write_index() const {
    std::vector<uint32_t> flags(index_->flags().begin(), index_->flags().end());
    for (const int64_t row : excluded_) flags[static_cast<size_t>(row)] |= kExcluded;
    write_index_with_flags(experiment_.index_folder(), without_last_slash(request_.out), flags);
    log_info("index without them: ", request_.out.string(),
             "; train with --set paths.index=", request_.out.string());
  }

  std::string write_report(const std::vector<SetOverlap>& results) const {
    write_file_atomically(folder_ / "overlap.json", json_text(to_json(results), 1) + "\n");
    write_file_atomically(folder_ / "overlap.html", overlap_page(results));
    const std::string text = overlap_text(results);
    write_file_atomically(folder_ / "overlap.txt", text);
    log_info("overlap: ", (folder_ / "overlap.html").string());
    return text;
  }

  const Experiment& experiment_;
  const OverlapRequest& request_;
  const EvalModel model_;
  const int threads_;
  EmbeddingSets sets_;
  DividedScanOptions scan_;
  const fs::path folder_;
  std::optional<Index> index_;
  std::vector<int64_t> excluded_;  // rows of the index
};

void check(const OverlapRequest& request) {
  if (request.rules.remove_duplicates && !request.rules.duplicates)
    fail(ErrorKind::kUsage, "--remove-duplicates needs --duplicates");
  if (!request.calibration.empty() && request.rules.threshold)
    fail(ErrorKind::kUsage, "--calibration and --threshold exclude each other");
  if (request.rules.against_threshold && request.against.empty())
    fail(ErrorKind::kUsage, "--against-threshold needs --against");
  if (request.out.empty()) return;
  if (!request.rules.remove_images() && request.calibration.empty())
    fail(ErrorKind::kUsage, "--out needs a threshold or --remove-duplicates: nothing would be left out");
  if (fs::exists(request.out))
    fail(ErrorKind::kUsage, request.out.string(), ": something stands there already; choose another --out");
}

}  // namespace

std::string run_overlap(const Experiment& experiment, const OverlapRequest& request) {
  check(request);
  watch_stop_signals();
  const std::unique_ptr<BlockFilter> device = device_filter(experiment.eval, World());
  return OverlapRun(experiment, request, device.get()).run();
}

}  // namespace uir
