#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/eval/all_pairs.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {
namespace {

brute::Scores scores_of(const CanonicalVectors& v, const std::vector<int64_t>& labels) {
  brute::Scores scores;
  for (int64_t i = 0; i < v.rows; ++i) {
    for (int64_t j = i + 1; j < v.rows; ++j) {
      (labels[i] == labels[j] ? scores.genuine : scores.impostor).push_back(brute::dot(v, i, j));
    }
  }
  return scores;
}

}  // namespace

TEST_CASE("all pairs agree with brute force, for any number of threads") {
  const int64_t n = GENERATE(2, 3, 63, 64, 65, 130);
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < n; ++i) labels.push_back(i * i % (n / 3 + 1));
  CanonicalVectors v = brute::faces(labels, 9, 0.7, 11);
  // Duplicates: of another identity's image, so that scores tie across kinds.
  for (int64_t i = 0; i + 7 < n; i += 5)
    std::copy_n(v.row(i).data(), v.cols, v.values.data() + (i + 7) * v.cols);
  const brute::Scores expected = scores_of(v, labels);
  for (int threads : {1, 3}) {
    const Roc roc = all_pairs_roc(v, labels, threads);
    CHECK(roc.num_genuine() == static_cast<int64_t>(expected.genuine.size()));
    CHECK(roc.num_impostor() == static_cast<int64_t>(expected.impostor.size()));
    if (!roc.defined()) continue;
    CHECK(roc.auc() == Approx(brute::auc(expected)).epsilon(1e-13));
    for (double far : {0.0, 1e-3, 1e-2, 0.1, 1.0})
      CHECK(roc.at_most(far).tar == brute::tar_at_most(expected, far));
  }
}

TEST_CASE("counts, rates and undefined numbers of the report") {
  const std::vector<int64_t> labels{5, 5, 9, 9, 9, 2};
  const CanonicalVectors v = brute::faces(labels, 6, 0.01, 1);
  const ProtocolResult report = run_all_pairs("test set", v, labels, {0.5, 1e-4});
  CHECK(report.counts == std::vector<std::pair<std::string, int64_t>>{
                             {"images", 6}, {"identities", 3}, {"genuine_pairs", 4}, {"impostor_pairs", 11}});
  CHECK(report.value_of("auc") == 1);
  CHECK(report.value_of("tar_at_far_0.0001") == 1);
  CHECK(report.value_of("tar_at_far_0.5") == 1);

  const std::vector<int64_t> strangers{0, 1, 2, 3, 4, 5}, one(6, 3);
  CHECK(std::isnan(run_all_pairs("x", v, strangers, {0.1}).value_of("auc")));
  CHECK(std::isnan(run_all_pairs("x", v, one, {0.1}).value_of("tar_at_far_0.1")));
}

TEST_CASE("unlabeled rows are refused by number") {
  const CanonicalVectors v = brute::faces({0, 1, 2}, 4, 1, 1);
  const std::vector<int64_t> labels{0, -1, 0};
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { all_pairs_roc(v, labels); }), contains_text("row 1"));
  CHECK_THAT(brute::error_of(ErrorKind::kInternal, [&] { all_pairs_roc(v, std::vector<int64_t>{0}); }),
             contains_text("label"));
  const CanonicalVectors nobody{{}, 0, 4};
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { all_pairs_roc(nobody, {}); }),
             contains_text("0 images"));
}

}  // namespace uir
