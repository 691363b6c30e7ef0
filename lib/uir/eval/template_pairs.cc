#include "uir/eval/template_pairs.h"

#include <algorithm>
#include <numeric>

#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

// The templates that are marked, and each one's place among them.
struct Chosen {
  std::vector<int32_t> templates, place;
  explicit Chosen(const std::vector<uint8_t>& marked) : place(marked.size()) {
    for (size_t t = 0; t < marked.size(); ++t) {
      place[t] = static_cast<int32_t>(templates.size());
      if (marked[t]) templates.push_back(static_cast<int32_t>(t));
    }
  }
};

// Scores in the order of the partners: of each row all scores, of which the partners' are taken.
std::vector<double> score_partners(const CanonicalVectors& templates, const PairGroups& pairs, int threads) {
  constexpr int64_t kRows = 32;  // whose scores stay in the processor's cache
  const CanonicalVectors rows = gather_templates(templates, pairs.rows());
  const ScoreColumns columns(gather_templates(templates, pairs.columns()).view());
  const std::span<const PairGroups::Partner> partners = pairs.partners();
  std::vector<double> scores(partners.size());
  Progress progress("scoring pairs", "pairs", pairs.size());
  parallel_blocks(rows.rows, kRows, threads, [&](int64_t begin, int64_t end) {
    std::vector<double> all(static_cast<size_t>((end - begin) * columns.size()));
    visit_scores(rows.view(), begin, end, columns, 0,
                 [&](int64_t row, int64_t first, std::span<const double> piece) {
                   std::ranges::copy(piece, all.begin() + (row - begin) * columns.size() + first);
                 });
    for (int64_t row = begin; row < end; ++row) {
      const double* of_row = all.data() + (row - begin) * columns.size();
      for (int64_t p = pairs.begin(row); p < pairs.begin(row + 1); ++p)
        scores[p] = of_row[partners[p].column];
    }
    progress.add(pairs.begin(end) - pairs.begin(begin));
  });
  return scores;
}

}  // namespace

PairGroups::PairGroups(std::span<const IjbPair> pairs, int64_t num_templates) {
  std::vector<uint8_t> is_row(static_cast<size_t>(num_templates)), is_column(is_row);
  for (const IjbPair& pair : pairs) {
    is_row[pair.first] = 1;
    is_column[pair.second] = 1;
    num_genuine_ += pair.genuine;
  }
  Chosen rows(is_row), columns(is_column);
  begins_.assign(rows.templates.size() + 1, 0);
  for (const IjbPair& pair : pairs) ++begins_[rows.place[pair.first] + 1];
  std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
  std::vector<int64_t> next = begins_;
  partners_.resize(pairs.size());
  for (const IjbPair& pair : pairs) {
    Partner& partner = partners_[next[rows.place[pair.first]]++];
    partner.column = static_cast<uint32_t>(columns.place[pair.second]) & 0x7fffffffU;
    partner.genuine = pair.genuine;
  }
  rows_ = std::move(rows.templates);
  columns_ = std::move(columns.templates);
}

PairScores score_pairs(const CanonicalVectors& templates, const PairGroups& pairs, int threads) {
  PairScores scores;
  scores.impostor = score_partners(templates, pairs, threads);
  scores.genuine.reserve(static_cast<size_t>(pairs.num_genuine()));
  size_t kept = 0;  // impostor scores move to the front, so that there is one copy of the list
  for (size_t p = 0; p < scores.impostor.size(); ++p) {
    if (pairs.partners()[p].genuine) {
      scores.genuine.push_back(scores.impostor[p]);
    } else {
      scores.impostor[kept++] = scores.impostor[p];
    }
  }
  scores.impostor.resize(kept);
  return scores;
}

}  // namespace uir
