#include "uir/eval/overlap_search.h"

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

#include "uir/base/error.h"
#include "uir/search/near_duplicates.h"

namespace uir {
namespace {

// The images that are shown: by cosine, equal ones by row.
std::vector<int64_t> best_first(const std::vector<double>& cosines) {
  std::vector<int64_t> order(cosines.size());
  std::iota(order.begin(), order.end(), 0);
  const auto better = [&](int64_t a, int64_t b) {
    const double x = cosines[static_cast<size_t>(a)], y = cosines[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  };
  const size_t shown = std::min(kShownOverlaps, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(), better);
  order.resize(shown);
  return order;
}

}  // namespace

std::string score_text(double cosine) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", cosine);
  return text;
}

OverlapSearch::OverlapSearch(OverlapRules rules, std::vector<NamedStore> targets, DividedScanOptions scan,
                             fs::path states)
    : rules_(rules), targets_(std::move(targets)), scan_(std::move(scan)), folder_(std::move(states)) {
  ensure(!targets_.empty(), "overlap with something");
  for (const NamedStore& target : targets_) check_dim(target);
}

void OverlapSearch::check_dim(const NamedStore& set) const {
  const int64_t ours = set.store->embeddings().cols, theirs = targets_.front().store->embeddings().cols;
  if (ours == theirs) return;
  fail(ErrorKind::kData, "set '", set.name, "': embeddings of ", ours, " numbers, the class centers have ",
       theirs);
}

DividedScanOptions OverlapSearch::options(const std::string& what, const std::string& state) {
  states_.push_back(folder_ / concat(state, ".state"));
  DividedScanOptions options = scan_;
  options.what = what;
  options.state = states_.back();
  return options;
}

void OverlapSearch::add_labeled(const NamedStore& set) {
  check_dim(set);
  try {
    const LabeledScores scores =
        labeled_scores(UnitRows(*set.store), set.store->labels(), UnitRows(*targets_.front().store),
                       options(concat("scoring ", set.name), set.name + ".labeled"));
    labeled_.own.insert(labeled_.own.end(), scores.own.begin(), scores.own.end());
    labeled_.other.insert(labeled_.other.end(), scores.other.begin(), scores.other.end());
  } catch (const Error& e) {
    throw e.at("set " + set.name);
  }
}

SetOverlap OverlapSearch::search(const NamedStore& set) {
  const EmbeddingStore& store = *set.store;
  SetOverlap result;
  result.set = set.name;
  result.images = store.size();
  result.labeled_images = std::ssize(labeled_.own);
  result.own = cosine_histogram(labeled_.own);
  result.other = cosine_histogram(labeled_.other);
  Matches matches;
  for (size_t t = 0; t < targets_.size(); ++t) {
    const std::string& name = targets_[t].name;
    matches.push_back(best_matches(UnitRows(store), UnitRows(*targets_[t].store),
                                   options(concat(set.name, " with ", name), concat(set.name, ".", name))));
    result.targets.push_back(describe(t, matches.back(), store));
  }
  std::vector<int64_t> first;  // of each image's near-duplicates
  if (rules_.duplicates) {
    first = near_duplicates(UnitRows(store), *rules_.duplicates,
                            options("near-duplicates in " + set.name, set.name + ".duplicates"));
    count_duplicates(first, result);
  }
  if (rules_.remove_images()) remove(matches, first, store, result);
  return result;
}

std::vector<double> OverlapSearch::thresholds() const {
  std::vector<double> values;
  for (int i = 2; i < 20; ++i) values.push_back(i / 20.0);
  for (const auto& threshold : {rules_.threshold, rules_.against_threshold}) {
    if (threshold) values.push_back(*threshold);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

// Labeled images tell of class centers only.
SetOverlap::Target OverlapSearch::describe(size_t target, const std::vector<Neighbour>& best,
                                           const EmbeddingStore& store) const {
  std::vector<double> cosines;
  for (const Neighbour& match : best) cosines.push_back(match.score);
  SetOverlap::Target result{targets_[target].name, cosine_histogram(cosines), {}, {}};
  result.table = consequences(cosines, target == 0 ? labeled_ : LabeledScores(), thresholds());
  for (const int64_t i : best_first(cosines)) {
    const Neighbour& match = best[static_cast<size_t>(i)];
    result.closest.push_back(
        {std::string(store.item(i)), match_name(target, match), match.score, i, match.column});
  }
  return result;
}

std::string OverlapSearch::match_name(size_t target, const Neighbour& match) const {
  return std::string(targets_[target].store->item(match.column));
}

void OverlapSearch::count_duplicates(const std::vector<int64_t>& first, SetOverlap& result) const {
  std::vector<int64_t> sizes(first.size(), 0);
  for (const int64_t row : first) ++sizes[static_cast<size_t>(row)];
  DuplicateCounts counts{*rules_.duplicates, 0, 0, 0};
  for (size_t i = 0; i < first.size(); ++i) {
    if (sizes[i] > 1) ++counts.groups, counts.images += sizes[i];
    counts.largest = std::max(counts.largest, sizes[i]);
    const auto of = static_cast<size_t>(first[i]);
    if (of == i || sizes[of] < 2 || result.duplicate_pairs.size() >= kShownOverlaps) continue;
    sizes[of] = 1;  // one pair of each group is shown
    result.duplicate_pairs.push_back({first[i], static_cast<int64_t>(i)});
  }
  result.duplicates = counts;
}

void OverlapSearch::remove(const Matches& matches, const std::vector<int64_t>& first,
                           const EmbeddingStore& store, SetOverlap& result) const {
  FilterCounts counts{rules_.threshold, rules_.against_threshold, 0, 0, 0};
  for (int64_t i = 0; i < store.size(); ++i) {
    const int64_t of = rules_.remove_duplicates ? first[static_cast<size_t>(i)] : i;
    if (const auto t = target_reached(matches, i)) {
      const Neighbour& match = matches[*t][static_cast<size_t>(i)];
      ++counts.matches;
      result.removed_list += concat(store.item(i), '\t', targets_[*t].name, '\t', score_text(match.score),
                                    '\t', match_name(*t, match), '\n');
    } else if (of != i) {
      ++counts.duplicates;
      result.removed_list += concat(store.item(i), "\tnear-duplicate\t\t", store.item(of), '\n');
    } else {
      continue;
    }
    result.removed.push_back(i);
  }
  counts.left = store.size() - counts.matches - counts.duplicates;
  result.filter = counts;
}

// The first target whose threshold the image reaches.
std::optional<size_t> OverlapSearch::target_reached(const Matches& matches, int64_t image) const {
  for (size_t t = 0; t < matches.size(); ++t) {
    const auto& threshold = t == 0 ? rules_.threshold : rules_.against_threshold;
    if (threshold && matches[t][static_cast<size_t>(image)].score >= *threshold) return t;
  }
  return std::nullopt;
}

}  // namespace uir
