#include "uir/eval/template_search.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/eval/templates.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

// The highest of many scores.
class HighestScores {
 public:
  explicit HighestScores(int64_t count) : count_(static_cast<size_t>(count)) {}
  void add(double score) {
    if (score <= floor_ || count_ == 0) return;
    scores_.push_back(score);
    if (scores_.size() >= 2 * count_) trim();
  }
  void add(const HighestScores& more) {
    for (double score : more.scores_) add(score);
  }
  std::vector<double> sorted() {
    std::ranges::sort(scores_, std::greater());
    scores_.resize(std::min(scores_.size(), count_));
    return std::move(scores_);
  }

 private:
  void trim() {
    const auto last = scores_.begin() + static_cast<int64_t>(count_) - 1;
    std::ranges::nth_element(scores_, last, std::greater());
    floor_ = *last;
    scores_.resize(count_);
  }
  size_t count_;
  double floor_ = -std::numeric_limits<double>::infinity();  // lower scores are not among the highest
  std::vector<double> scores_;
};

std::vector<int32_t> numbers_of(const std::vector<IjbEntry>& entries) {
  std::vector<int32_t> numbers;
  for (const IjbEntry& entry : entries) numbers.push_back(entry.number);
  return numbers;
}

// Probes against one gallery.
class GallerySearch {
 public:
  GallerySearch(const CanonicalVectors& templates, const std::vector<IjbEntry>& gallery,
                const std::vector<IjbEntry>& probes)
      : gallery_(gallery),
        probes_(probes),
        vectors_(gather_templates(templates, numbers_of(gallery))),
        columns_(vectors_.view()) {
    for (int64_t column = 0; column < vectors_.rows; ++column)
      of_subject_[gallery[column].subject].push_back(column);
  }

  // The probe's best score with templates of its subject, the same to the bit as a search would give.
  double own_score(const CanonicalVectors& probe_vectors, int64_t p) const {
    double best = ProbeScores::kNone;
    const auto mates = of_subject_.find(probes_[p].subject);
    if (mates == of_subject_.end()) return best;
    for (int64_t column : mates->second)
      best = std::max(best, score(probe_vectors.row(p), vectors_.row(column)));
    return best;
  }

  // The scores of probes [begin, end) with templates of other subjects. own(p): probe p's score with its own,
  // if any.
  template <class Own>
  void search(const CanonicalVectors& probe_vectors, int64_t begin, int64_t end, const Own& own,
              std::vector<ProbeScores>& found, HighestScores& non_mate) const {
    visit_scores(probe_vectors.view(), begin, end, columns_, 0,
                 [&](int64_t p, int64_t first, std::span<const double> scores) {
                   ProbeScores& best = found[p];
                   const double own_score = own(p);
                   for (size_t c = 0; c < scores.size(); ++c) {
                     if (gallery_[first + c].subject == probes_[p].subject) continue;
                     if (scores[c] > best.second) best.add_other(gallery_[first + c].subject, scores[c]);
                     best.others_at_least_own += scores[c] >= own_score;
                     non_mate.add(scores[c]);
                   }
                 });
  }

 private:
  const std::vector<IjbEntry>& gallery_;
  const std::vector<IjbEntry>& probes_;
  const CanonicalVectors vectors_;
  const ScoreColumns columns_;
  std::unordered_map<int64_t, std::vector<int64_t>> of_subject_;  // columns
};

}  // namespace

SearchScores search_galleries(const CanonicalVectors& templates, const IjbSearch& search,
                              int64_t num_non_mate, int threads) {
  const CanonicalVectors probes = gather_templates(templates, numbers_of(search.probes));
  const GallerySearch galleries[2] = {GallerySearch(templates, search.galleries[0], search.probes),
                                      GallerySearch(templates, search.galleries[1], search.probes)};
  SearchScores scores;
  for (std::vector<ProbeScores>& found : scores.galleries) found.resize(search.probes.size());
  HighestScores highest(num_non_mate);
  Progress progress("identifying probes", "probes", probes.rows);
  reduce_blocks(
      probes.rows, kScoreRows, threads, HighestScores(num_non_mate),
      [&](HighestScores& non_mate, int64_t begin, int64_t end) {
        std::vector<ProbeScores>&first = scores.galleries[0], &second = scores.galleries[1];
        for (int64_t p = begin; p < end; ++p) {
          first[p].own = galleries[0].own_score(probes, p);
          second[p].own = galleries[1].own_score(probes, p);
        }
        // At most one gallery holds the subject; the other one's templates compete with it in the pooled
        // form.
        const auto own = [&](int64_t p) { return std::max(first[p].own, second[p].own); };
        for (size_t g = 0; g < 2; ++g)
          galleries[g].search(probes, begin, end, own, scores.galleries[g], non_mate);
        progress.add(end - begin);
      },
      [&](const HighestScores& non_mate) { highest.add(non_mate); });
  scores.highest_non_mate = highest.sorted();
  return scores;
}

}  // namespace uir
