#include "uir/eval/ijb_verification.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "uir/base/error.h"
#include "uir/base/progress.h"
#include "uir/eval/report_roc.h"
#include "uir/eval/sort.h"
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

void report_nearest(const LabeledScores& sorted, std::span<const double> fars, ProtocolResult& result) {
  if (sorted.genuine.empty() || sorted.impostor.empty()) {
    for (double far : fars)
      result.undefined(name_with_rate("tar_nearest_far", far), "it needs genuine and impostor pairs");
    return;
  }
  const std::vector<RocPoint> kept = kept_points(sorted.genuine, sorted.impostor);
  Json points = Json::array();
  for (double far : fars) {
    const RocPoint point = nearest(kept, far);
    result.number(name_with_rate("tar_nearest_far", far), point.tar);
    points.push_back(
        {{"far", far}, {"achieved_far", point.far}, {"tar", point.tar}, {"threshold", point.threshold}});
  }
  result.details["nearest"] = points;
}

Roc make_roc(const LabeledScores& scores, int threads) {
  Roc roc(scores.genuine);
  constexpr int64_t kBlock = 1 << 16;
  reduce_blocks(
      static_cast<int64_t>(scores.impostor.size()), kBlock, threads, roc.counter(),
      [&](Roc::Counter& counter, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) roc.count(scores.impostor[i], counter);
      },
      [&](const Roc::Counter& counter) { roc.merge(counter); });
  return roc;
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

LabeledScores score_pairs(const CanonicalVectors& templates, const PairGroups& pairs, int threads) {
  LabeledScores scores;
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

std::vector<ProtocolResult> run_ijb_verification(const std::string& name, const EmbeddingStore& set,
                                                 const IjbVerificationProtocol& protocol, int threads) {
  const std::vector<TemplateVariant> variants =
      template_variants(protocol.variants, set.mirrored().has_value());
  const IjbFiles files = ijb_files(protocol.meta.value, protocol.benchmark);
  const IjbImages images = read_ijb_images(files, threads);
  const PairGroups pairs(read_ijb_pairs(files.pairs, images.templates, threads), images.templates.size());
  const std::vector<int64_t> rows = ijb_rows(images, set);
  std::vector<CanonicalVectors> templates =
      build_templates(images, rows, set.embeddings(), set.mirrored(), variants, threads);

  const std::string completeness =
      compare_with_published(protocol.benchmark, {{"images", images.size()},
                                                  {"templates", images.templates.size()},
                                                  {"pairs", std::ssize(pairs.partners())}});
  const int64_t zeros = num_zero_images(rows, set.embeddings());

  std::vector<ProtocolResult> results;
  for (size_t v = 0; v < variants.size(); ++v) {
    LabeledScores scores = score_pairs(std::exchange(templates[v], {}), pairs, threads);
    sort_descending(scores.genuine, threads);
    sort_descending(scores.impostor, threads);
    ProtocolResult& result = results.emplace_back();
    result.name = concat(name, "/", variants[v].name());
    result.type = IjbVerificationProtocol::kType;
    result.description = concat(protocol.benchmark == IjbBenchmark::kIjbc ? "IJB-C" : "IJB-B",
                                " 1:1 over the listed pairs of templates. ", variants[v].words(),
                                " tar_at_far: the largest TAR with FAR <= target; tar_nearest_far: the point "
                                "of scikit-learn's roc_curve whose "
                                "FAR is nearest to the target, as in published tables.",
                                completeness);
    result.count("images", images.size());
    if (zeros > 0) result.count("images_of_zero_length", zeros);
    result.count("templates", images.templates.size());
    result.count("genuine_pairs", static_cast<int64_t>(scores.genuine.size()));
    result.count("impostor_pairs", static_cast<int64_t>(scores.impostor.size()));
    report_roc(make_roc(scores, threads), protocol.far, result);
    report_nearest(scores, protocol.far, result);
  }
  return results;
}

}  // namespace uir
