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

// Scores of rows with their partners, in the partners' order.
class PartnerScores {
 public:
  PartnerScores(const CanonicalVectors& templates, const PairGroups& pairs)
      : templates_(templates),
        pairs_(pairs),
        rows_(gather_templates(templates, pairs.rows())),
        columns_(gather_templates(templates, pairs.columns()).view()) {}

  int64_t rows() const { return rows_.rows; }

  void score_rows(int64_t begin, int64_t end, std::span<double> scores) const {
    const int64_t listed = pairs_.begin(end) - pairs_.begin(begin);
    if (listed * kSpreadCost < (end - begin) * columns_.size()) {
      for (int64_t row = begin; row < end; ++row) score_listed(row, scores);
    } else {
      score_all(begin, end, scores);
    }
  }

 private:
  // A pair alone takes as long as so many in a block, most of which are then nobody's.
  static constexpr int64_t kSpreadCost = 10;

  void score_listed(int64_t row, std::span<double> scores) const {
    const std::span<const PairGroups::Partner> partners = partners_of(row);
    std::vector<const float*> vectors;
    for (const PairGroups::Partner partner : partners)
      vectors.push_back(templates_.row(pairs_.columns()[partner.column]).data());
    uir::scores(rows_.row(row), vectors, scores.subspan(pairs_.begin(row), partners.size()));
  }

  void score_all(int64_t begin, int64_t end, std::span<double> scores) const {
    std::vector<double> all(static_cast<size_t>((end - begin) * columns_.size()));
    visit_scores(rows_.view(), begin, end, columns_, 0,
                 [&](int64_t row, int64_t first, std::span<const double> piece) {
                   std::ranges::copy(piece, all.begin() + (row - begin) * columns_.size() + first);
                 });
    for (int64_t row = begin; row < end; ++row) {
      const double* of_row = all.data() + (row - begin) * columns_.size();
      double* out = scores.data() + pairs_.begin(row);
      for (const PairGroups::Partner partner : partners_of(row)) *out++ = of_row[partner.column];
    }
  }

  std::span<const PairGroups::Partner> partners_of(int64_t row) const {
    return pairs_.partners().subspan(pairs_.begin(row), pairs_.begin(row + 1) - pairs_.begin(row));
  }

  const CanonicalVectors& templates_;
  const PairGroups& pairs_;
  const CanonicalVectors rows_;
  const ScoreColumns columns_;
};

}  // namespace

std::vector<double> score_pairs(const CanonicalVectors& templates, const PairGroups& pairs, int threads) {
  constexpr int64_t kRows = 32;  // whose scores stay in the processor's cache
  const PartnerScores partners(templates, pairs);
  std::vector<double> scores(pairs.partners().size());
  Progress progress("scoring pairs", "pairs", pairs.size());
  parallel_blocks(partners.rows(), kRows, threads, [&](int64_t begin, int64_t end) {
    partners.score_rows(begin, end, scores);
    progress.add(pairs.begin(end) - pairs.begin(begin));
  });
  return scores;
}

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

PairScores by_kind(std::vector<double> all, const PairGroups& pairs) {
  PairScores scores;
  scores.impostor = std::move(all);
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
