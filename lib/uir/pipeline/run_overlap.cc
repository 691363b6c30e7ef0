#include "uir/pipeline/run_overlap.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/folder_listing.h"
#include "uir/data/index.h"
#include "uir/data/index_flags.h"
#include "uir/data/name_lookup.h"
#include "uir/dist/world.h"
#include "uir/eval/overlap.h"
#include "uir/eval/overlap_report.h"
#include "uir/pipeline/embedding_sets.h"
#include "uir/pipeline/search_device.h"
#include "uir/pipeline/sets.h"
#include "uir/pipeline/stop_request.h"
#include "uir/search/near_duplicates.h"

namespace uir {
namespace {

constexpr size_t kClosest = 50;  // matches, and groups of near-duplicates, that are shown

EvalModel model_of(const Experiment& experiment, const std::string& name) {
  const std::vector<EvalModel>& models = experiment.eval.models;
  if (name.empty() && models.empty()) return {"run", {experiment.run_folder().string()}, {}};
  if (name.empty() && models.size() == 1) return models.front();
  const auto found = std::ranges::find(models, name, &EvalModel::name);
  if (found != models.end()) return *found;
  fail(ErrorKind::kUsage,
       "--model: ", name.empty() ? "name one of eval.models" : concat("'", name, "' is none of eval.models"));
}

std::vector<std::string> sources_of_role(const Experiment& experiment, Role role) {
  std::vector<std::string> names;
  for (const SourceConfig& source : experiment.data.sources) {
    if (source.role == role) names.push_back(source.name);
  }
  return names;
}

std::string score_text(double cosine) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", cosine);
  return text;
}

bool removes(const OverlapRequest& request) {
  return request.threshold || request.against_threshold || request.remove_duplicates;
}

// The end of a path, where captions have room for a part of it only.
std::string last_part(std::string_view item) { return std::string(item.substr(item.rfind('/') + 1)); }

// The rows of the index that hold a set's images: −1 where there is none.
class IndexRows {
 public:
  IndexRows(const Index& index, const std::string& set, const EmbeddingStore& store)
      : rows_(static_cast<size_t>(store.size()), -1) {
    const std::vector<int64_t> candidates = rows_of_set(index, set);
    NameLookup names;
    for (const int64_t row : candidates) names.add(index.item(row), static_cast<uint64_t>(row));
    names.finish();
    for (int64_t i = 0; i < store.size(); ++i) {
      for (const NameLookup::Entry& entry : names.find(store.item(i))) {
        const auto row = static_cast<int64_t>(entry.number);
        if (index.item(row) == store.item(i)) rows_[static_cast<size_t>(i)] = row;
      }
    }
  }
  int64_t row(int64_t i) const { return rows_[static_cast<size_t>(i)]; }
  bool complete() const { return std::ranges::count(rows_, -1) == 0; }

 private:
  // None for a set that is no source of the index (embeddings of another tool).
  static std::vector<int64_t> rows_of_set(const Index& index, const std::string& set) {
    const std::string source = set.substr(0, set.find('.'));
    const bool known = std::ranges::any_of(index.sources(), [&](const auto& s) { return s.name == source; });
    return known ? index.set_rows(set) : std::vector<int64_t>();
  }
  std::vector<int64_t> rows_;
};

// What unlabeled images are compared with: class centers, or images.
struct Target {
  std::string name;
  const EmbeddingStore* store = nullptr;
  std::optional<IndexRows> rows;  // of images
};

// Of each unlabeled image the best match with each target, in the order of these.
using Matches = std::vector<std::vector<Neighbour>>;

class OverlapSearch {
 public:
  OverlapSearch(const Experiment& experiment, const OverlapRequest& request, const BlockFilter* device)
      : experiment_(experiment),
        request_(request),
        model_(model_of(experiment, request.model)),
        threads_(resolve_threads(static_cast<int>(experiment.eval.threads))),
        sets_(model_, threads_),
        resources_{.threads = threads_, .memory = experiment.eval.memory_mb << 20, .device = device},
        folder_(request.report.empty() ? experiment.run_folder() / "overlap" : request.report) {
    if (fs::exists(experiment.index_folder())) index_.emplace(Index::open(experiment.index_folder()));
  }

  std::string run() {
    create_folders(folder_);
    const std::vector<std::string> unlabeled = unlabeled_sets();
    open_targets();
    for (const std::string& set : unlabeled) check_dim(set, open(set));
    score_labeled();
    std::vector<SetOverlap> results;
    for (const std::string& set : unlabeled) results.push_back(search(set));
    if (!request_.out.empty()) write_index();
    write_file_atomically(folder_ / "overlap.json", to_json(results).dump(1) + "\n");
    write_file_atomically(folder_ / "overlap.html", overlap_page(results));
    const std::string text = overlap_text(results);
    write_file_atomically(folder_ / "overlap.txt", text);
    log_info("overlap: ", (folder_ / "overlap.html").string());
    std::error_code ignored;
    for (const fs::path& state : states_) fs::remove(state, ignored);
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

  // The remedy belongs to sets that uir-extract does not embed by itself.
  const EmbeddingStore& open(const std::string& set) {
    try {
      return sets_.store(set);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::kMissingInput || set == centers_name()) throw;
      fail(ErrorKind::kMissingInput, e.what(), " with --set extract.sets=[", set, "]");
    }
  }

  std::string centers_name() const { return request_.centers.empty() ? kClassCentersSet : request_.centers; }

  void open_targets() {
    targets_.push_back({centers_name(), &open(centers_name()), {}});
    for (const std::string& set : request_.against) {
      const EmbeddingStore& store = open(set);
      targets_.push_back({set, &store, {}});
      if (index_) targets_.back().rows.emplace(*index_, set, store);
    }
    for (const Target& target : targets_) check_dim(target.name, *target.store);
  }

  void check_dim(const std::string& set, const EmbeddingStore& store) const {
    const int64_t ours = store.embeddings().cols, theirs = targets_.front().store->embeddings().cols;
    if (ours == theirs) return;
    fail(ErrorKind::kData, "set '", set, "': embeddings of ", ours, " numbers, the class centers have ",
         theirs);
  }

  std::vector<std::string> labeled_sets() const {
    if (!request_.labeled.empty()) return request_.labeled;
    std::vector<std::string> sets;
    for (const std::string& source : sources_of_role(experiment_, Role::kLabeled)) {
      const std::string set = source + ".held_out";
      const bool given = std::ranges::find(model_.sets, set, &SetFiles::set) != model_.sets.end();
      const bool extracted =
          !model_.run.empty() && fs::exists(embeddings_folder_of_run(model_.run.value, set));
      if (given || extracted) sets.push_back(set);
    }
    if (sets.empty()) log_warning("no labeled images (extract held-out ones): the table has counts only");
    return sets;
  }

  void score_labeled() {
    for (const std::string& set : labeled_sets()) {
      const EmbeddingStore& store = open(set);
      check_dim(set, store);
      try {
        const LabeledScores scores = labeled_scores(UnitRows(store), store.labels(), centers(),
                                                    options(concat("scoring ", set), set + ".labeled"));
        labeled_.own.insert(labeled_.own.end(), scores.own.begin(), scores.own.end());
        labeled_.other.insert(labeled_.other.end(), scores.other.begin(), scores.other.end());
      } catch (const Error& e) {
        throw e.at("set " + set);
      }
    }
  }

  UnitRows centers() const { return UnitRows(*targets_.front().store); }

  DividedScanOptions options(const std::string& what, const std::string& state) {
    states_.push_back(folder_ / concat(state, ".state"));
    DividedScanOptions options;
    options.resources = resources_;
    options.what = what;
    options.state = states_.back();
    options.stop = stop_requested;
    return options;
  }

  SetOverlap search(const std::string& set) {
    const EmbeddingStore& store = open(set);
    SetOverlap result;
    result.set = set;
    result.images = store.size();
    std::optional<IndexRows> rows;
    if (index_) rows.emplace(*index_, set, store);
    result.labeled_images = std::ssize(labeled_.own);
    result.own = cosine_histogram(labeled_.own);
    result.other = cosine_histogram(labeled_.other);
    Matches matches;
    for (size_t t = 0; t < targets_.size(); ++t) {
      matches.push_back(
          best_matches(UnitRows(store), UnitRows(*targets_[t].store),
                       options(concat(set, " with ", targets_[t].name), concat(set, ".", targets_[t].name))));
      describe(t, matches.back(), store, rows, result);
    }
    std::vector<int64_t> first;  // of each image's near-duplicates
    if (request_.duplicates) {
      first = near_duplicates(UnitRows(store), *request_.duplicates,
                              options("near-duplicates in " + set, set + ".duplicates"));
      count_duplicates(first, store, rows, result);
    }
    if (removes(request_)) filter(matches, first, store, rows, result);
    return result;
  }

  std::vector<double> thresholds() const {
    std::vector<double> values;
    for (int i = 2; i < 20; ++i) values.push_back(i / 20.0);
    for (const auto& threshold : {request_.threshold, request_.against_threshold}) {
      if (threshold) values.push_back(*threshold);
    }
    std::ranges::sort(values);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  // Labeled images tell of class centers only.
  void describe(size_t t, const std::vector<Neighbour>& best, const EmbeddingStore& store,
                const std::optional<IndexRows>& rows, SetOverlap& result) {
    std::vector<double> cosines;
    for (const Neighbour& match : best) cosines.push_back(match.score);
    SetOverlap::Target target{targets_[t].name, cosine_histogram(cosines), {}, {}};
    target.table = consequences(cosines, t == 0 ? labeled_ : LabeledScores(), thresholds());
    std::vector<FacePair> pairs;
    for (const int64_t i : best_first(cosines)) {
      const Neighbour& match = best[static_cast<size_t>(i)];
      target.closest.push_back({std::string(store.item(i)), name_of(t, match), match.score});
      pairs.push_back({rows ? rows->row(i) : -1, image_of(t, match),
                       concat(score_text(match.score), ' ', last_part(store.item(i))),
                       last_part(name_of(t, match))});
    }
    result.targets.push_back(std::move(target));
    write_sheet(concat("closest_", result.set, t > 0 ? "_" + targets_[t].name : ""), pairs, result);
  }

  static std::vector<int64_t> best_first(const std::vector<double>& cosines) {
    std::vector<int64_t> order(cosines.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    const auto better = [&](int64_t a, int64_t b) {
      const double x = cosines[static_cast<size_t>(a)], y = cosines[static_cast<size_t>(b)];
      return x != y ? x > y : a < b;
    };
    const auto shown = static_cast<std::ptrdiff_t>(std::min(kClosest, order.size()));
    std::partial_sort(order.begin(), order.begin() + shown, order.end(), better);
    order.resize(static_cast<size_t>(shown));
    return order;
  }

  std::string name_of(size_t t, const Neighbour& match) const {
    return std::string(targets_[t].store->item(match.column));
  }

  // A row of the index that shows the match: of a class its first good image.
  int64_t image_of(size_t t, const Neighbour& match) {
    if (!index_) return -1;
    const Target& target = targets_[t];
    if (t > 0) return target.rows ? target.rows->row(match.column) : -1;
    if (first_of_class_.empty()) list_classes();
    const bool known = match.column < index_->num_classes() &&
                       index_->identity_name(match.column) == target.store->item(match.column);
    return known ? first_of_class_[static_cast<size_t>(match.column)] : -1;
  }

  void list_classes() {
    first_of_class_.assign(static_cast<size_t>(index_->num_classes()) + 1, -1);
    for (const int64_t row : index_->training_rows(Role::kLabeled)) {
      int64_t& first = first_of_class_[static_cast<size_t>(index_->labels()[static_cast<size_t>(row)])];
      if (first < 0) first = row;
    }
  }

  void count_duplicates(const std::vector<int64_t>& first, const EmbeddingStore& store,
                        const std::optional<IndexRows>& rows, SetOverlap& result) {
    std::vector<int64_t> sizes(first.size(), 0);
    for (const int64_t row : first) ++sizes[static_cast<size_t>(row)];
    DuplicateCounts counts{*request_.duplicates, 0, 0, 0};
    std::vector<FacePair> pairs;
    for (size_t i = 0; i < first.size(); ++i) {
      if (sizes[i] > 1) ++counts.groups, counts.images += sizes[i];
      counts.largest = std::max(counts.largest, sizes[i]);
      const int64_t of = first[i];
      if (of == static_cast<int64_t>(i) || sizes[static_cast<size_t>(of)] < 2 || pairs.size() >= kClosest)
        continue;
      sizes[static_cast<size_t>(of)] = 1;  // one pair of each group is shown
      pairs.push_back({rows ? rows->row(of) : -1, rows ? rows->row(static_cast<int64_t>(i)) : -1,
                       last_part(store.item(of)), last_part(store.item(static_cast<int64_t>(i)))});
    }
    result.duplicates = counts;
    if (!pairs.empty()) write_sheet("duplicates_" + result.set, pairs, result);
  }

  void write_sheet(const std::string& name, const std::vector<FacePair>& pairs, SetOverlap& result) {
    if (!index_) return;
    write_pair_sheet(*index_, pairs, folder_ / (name + ".png"));
    result.pictures.push_back(name + ".png");
  }

  // The list of what goes, and the rows that it names.
  void filter(const Matches& matches, const std::vector<int64_t>& first, const EmbeddingStore& store,
              const std::optional<IndexRows>& rows, SetOverlap& result) {
    if (!request_.out.empty() && !(rows && rows->complete())) {
      fail(ErrorKind::kData, "--out: the images of set '", result.set, "' are not all in the index ",
           experiment_.index_folder().string(), "; excluded_", result.set, ".tsv is what you can use");
    }
    FilterCounts counts{request_.threshold, request_.against_threshold, 0, 0, 0};
    std::string list;
    for (int64_t i = 0; i < store.size(); ++i) {
      const int64_t of = request_.remove_duplicates ? first[static_cast<size_t>(i)] : i;
      if (const auto t = target_reached(matches, i)) {
        const Neighbour& match = matches[*t][static_cast<size_t>(i)];
        ++counts.matches;
        list += concat(store.item(i), '\t', targets_[*t].name, '\t', score_text(match.score), '\t',
                       name_of(*t, match), '\n');
      } else if (of != i) {
        ++counts.duplicates;
        list += concat(store.item(i), "\tnear-duplicate\t\t", store.item(of), '\n');
      } else {
        continue;
      }
      if (rows) excluded_.push_back(rows->row(i));
    }
    counts.left = store.size() - counts.matches - counts.duplicates;
    result.filter = counts;
    write_file_atomically(folder_ / concat("excluded_", result.set, ".tsv"), list);
  }

  // The first target whose threshold the image reaches.
  std::optional<size_t> target_reached(const Matches& matches, int64_t i) const {
    for (size_t t = 0; t < matches.size(); ++t) {
      const auto& threshold = t == 0 ? request_.threshold : request_.against_threshold;
      if (threshold && matches[t][static_cast<size_t>(i)].score >= *threshold) return t;
    }
    return std::nullopt;
  }

  void write_index() const {
    std::vector<uint32_t> flags(index_->flags().begin(), index_->flags().end());
    for (const int64_t row : excluded_) flags[static_cast<size_t>(row)] |= kExcluded;
    write_index_with_flags(experiment_.index_folder(), without_last_slash(request_.out), flags);
    log_info("index without them: ", request_.out.string(),
             "; train with --set paths.index=", request_.out.string());
  }

  const Experiment& experiment_;
  const OverlapRequest& request_;
  const EvalModel model_;
  const int threads_;
  EmbeddingSets sets_;
  const ScanResources resources_;
  const fs::path folder_;
  std::optional<Index> index_;
  std::vector<Target> targets_;  // the class centers first
  LabeledScores labeled_;
  std::vector<int64_t> first_of_class_;  // row of the index; −1: none
  std::vector<int64_t> excluded_;        // rows of the index
  std::vector<fs::path> states_;
};

void check(const OverlapRequest& request) {
  if (request.remove_duplicates && !request.duplicates)
    fail(ErrorKind::kUsage, "--remove-duplicates needs --duplicates");
  if (request.against_threshold && request.against.empty())
    fail(ErrorKind::kUsage, "--against-threshold needs --against");
  if (request.out.empty()) return;
  if (!removes(request))
    fail(ErrorKind::kUsage, "--out needs a threshold or --remove-duplicates: nothing would be left out");
  if (fs::exists(request.out))
    fail(ErrorKind::kUsage, request.out.string(), ": something stands there already; choose another --out");
}

}  // namespace

std::string run_overlap(const Experiment& experiment, const OverlapRequest& request) {
  check(request);
  watch_stop_signals();
  const std::unique_ptr<BlockFilter> device = device_filter(experiment.eval, World());
  return OverlapSearch(experiment, request, device.get()).run();
}

}  // namespace uir
