#include <numeric>

#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/eval/verification.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {
namespace {

double mean(const std::vector<double>& v) {
  return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}
double population_std(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += (x - mean(v)) * (x - mean(v));
  return std::sqrt(sum / static_cast<double>(v.size()));
}

// The protocol's words, one threshold and one pair at a time.
struct Plain {
  std::vector<double> d;
  PairList list;

  // Share of the pairs of that kind inside (or outside) the fold which are called "same".
  double called(bool same, int fold, bool inside, double t) const {
    double n = 0, yes = 0;
    for (size_t i = 0; i < d.size(); ++i) {
      if (list.pairs[i].same != same || (list.folds[i] == fold) != inside) continue;
      ++n;
      yes += d[i] < t;
    }
    return yes / n;
  }
  double accuracy(int fold, bool inside, double t) const {
    double n = 0, right = 0;
    for (size_t i = 0; i < d.size(); ++i) {
      if ((list.folds[i] == fold) != inside) continue;
      ++n;
      right += (d[i] < t) == list.pairs[i].same;
    }
    return right / n;
  }
  FoldResult fold(int k) const {
    FoldResult r;
    double best = -1;
    for (int i = 0; i < 400; ++i) {
      const double t = i * 0.01, a = accuracy(k, false, t);
      if (a > best) best = a, r.threshold = t;
    }
    r.accuracy = accuracy(k, true, r.threshold);
    std::vector<double> far(4000);
    for (int i = 0; i < 4000; ++i) far[i] = called(false, k, false, i * 0.001);
    if (far.back() >= 1e-3) {
      int last = 0;
      while (far[last + 1] < 1e-3) ++last;
      r.val_threshold = last * 0.001 + 0.001 * (1e-3 - far[last]) / (far[last + 1] - far[last]);
    }
    r.val = called(true, k, true, r.val_threshold);
    r.val_far = called(false, k, true, r.val_threshold);
    return r;
  }
};

// Distances with many ties at the thresholds themselves when `grid`.
Plain random_set(uint64_t seed, int pairs, bool grid) {
  ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
  std::vector<bool> issame;
  Plain plain;
  for (int i = 0; i < pairs; ++i) {
    const bool same = i % 2 == 0;
    const double d =
        same ? std::abs(1.0 + 0.5 * random.normal()) : std::min(4.0, std::abs(1.8 + 0.4 * random.normal()));
    issame.push_back(same);
    plain.d.push_back(grid ? std::round(d * 20) * 0.05 : d);
  }
  plain.list = pairs_of_consecutive_rows(issame);
  return plain;
}

}  // namespace

TEST_CASE("accuracy and VAL are those of the protocol's words") {
  const bool grid = GENERATE(false, true);
  const int pairs = GENERATE(20, 63, 400);
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const Plain plain = random_set(seed, pairs, grid);
    const VerificationResult result = measure_verification(plain.d, plain.list);
    REQUIRE(result.folds.size() == 10);
    std::vector<double> accuracy, val, val_far;
    for (int k = 0; k < 10; ++k) {
      const FoldResult expected = plain.fold(k);
      INFO("fold " << k << ", seed " << seed);
      CHECK(result.folds[k].threshold == expected.threshold);
      CHECK(result.folds[k].accuracy == expected.accuracy);
      CHECK(result.folds[k].val_threshold == Approx(expected.val_threshold).epsilon(1e-13));
      CHECK(result.folds[k].val == expected.val);
      CHECK(result.folds[k].val_far == expected.val_far);
      accuracy.push_back(expected.accuracy);
      val.push_back(expected.val);
      val_far.push_back(expected.val_far);
    }
    CHECK(result.accuracy == Approx(mean(accuracy)));
    CHECK(result.accuracy_std == Approx(population_std(accuracy)));
    CHECK(result.val == Approx(mean(val)));
    CHECK(result.val_std == Approx(population_std(val)));
    CHECK(result.val_far == Approx(mean(val_far)));
  }
}

TEST_CASE("the first best threshold wins, and d == threshold is not the same") {
  // Two folds. Fold 0: genuine .30, impostor .50. Fold 1: genuine .20, impostor .31.
  const PairList list{
      {{0, 1, true}, {2, 3, false}, {4, 5, true}, {6, 7, false}}, {0, 0, 1, 1}, 2, Folds::kListed};
  const VerificationResult result = measure_verification({30 * 0.01, 50 * 0.01, 20 * 0.01, 31 * 0.01}, list);
  // For fold 0, on fold 1: .20 < t <= .31, first .21: .30 is not below it, so one of two is right.
  CHECK(result.folds[0].threshold == 21 * 0.01);
  CHECK(result.folds[0].accuracy == 0.5);
  // For fold 1, on fold 0: first .31; .20 < .31 right, .31 < .31 not, so both right.
  CHECK(result.folds[1].threshold == 31 * 0.01);
  CHECK(result.folds[1].accuracy == 1);
  CHECK(result.accuracy == 0.75);
  CHECK(result.accuracy_std == 0.25);
}

TEST_CASE("VAL's threshold by hand") {
  // One impostor per fold, so on the other fold FAR jumps from 0 to 1 behind the impostor's distance: between
  // thresholds .499 (FAR 0) and .500 (FAR 1) for .4995, target .001 lies a thousandth of the way.
  const PairList list{
      {{0, 1, true}, {2, 3, false}, {4, 5, true}, {6, 7, false}}, {0, 0, 1, 1}, 2, Folds::kListed};
  const VerificationResult result = measure_verification({0.3, 0.4995, 0.4990005, 3.9999}, list);
  CHECK(result.folds[1].val_threshold == Approx(0.499 + 0.001 * 0.001).epsilon(1e-12));
  CHECK(result.folds[1].val == 1);            // .4990005 < .499001
  CHECK(result.folds[0].val_threshold == 0);  // on fold 1 the largest FAR, at 3.999, is 0: below the target
  CHECK(result.folds[0].val == 0);
  CHECK(result.val == 0.5);
  CHECK(result.val_far == 0);
}

TEST_CASE("VAL's threshold is the first that reaches the target, also where FAR stays on it") {
  // In each fold one impostor at .2005 and 999 at 2: FAR is exactly 1/1000 from .201 to 2.
  PairList list;
  std::vector<double> d;
  for (int fold = 0; fold < 2; ++fold) {
    for (int i = 0; i < 1001; ++i) {
      list.pairs.push_back({0, 1, i == 0});
      list.folds.push_back(fold);
      d.push_back(i == 0 ? 0.1 : i == 1 ? 0.2005 : 2);
    }
  }
  list.num_folds = 2;
  const VerificationResult result = measure_verification(d, list);
  CHECK(result.folds[0].val_threshold == Approx(0.201).epsilon(1e-12));
  CHECK(result.val == 1);
  CHECK(result.val_far == 1e-3);
}

TEST_CASE("sets with one kind of pair report accuracy, and nothing that needs both") {
  const bool same = GENERATE(true, false);
  const PairList list = pairs_of_consecutive_rows(std::vector<bool>(20, same));
  const std::vector<float> values = brute::random_values(40 * 8, 2);
  const ProtocolResult report = run_verification("one kind", canonical_vectors({values.data(), 40, 8}), list);
  CHECK(report.value_of("accuracy") >= 0);
  for (const char* name :
       {"val", "val_std", "val_far", "auc", "eer", "tar_at_far_0.01", "tar_at_far_0.001"}) {
    CHECK(std::isnan(report.value_of(name)));
  }
  for (const Measurement& number : report.numbers) CHECK(number.defined() == number.note.empty());
}

TEST_CASE("fewer pairs than folds define no accuracy but a ROC") {
  const PairList list = pairs_of_consecutive_rows({true, false, true});
  const VerificationResult result = measure_verification({0.1, 0.9, 0.2}, list);
  CHECK(result.folds.empty());
  CHECK(std::isnan(result.accuracy));
  CHECK(std::isnan(result.val));
  CHECK(result.roc.auc() == 1);
  CHECK(measure_verification({}, pairs_of_consecutive_rows({})).folds.empty());
}

TEST_CASE("a fold without impostors defines accuracy but no VAL") {
  PairList list = pairs_of_consecutive_rows(std::vector<bool>(20, true));
  list.pairs[0].same = false;
  std::vector<double> d(20, 0.5);
  d[0] = 2;
  const VerificationResult result = measure_verification(d, list);
  CHECK(result.accuracy > 0);
  CHECK(std::isnan(result.val));
}

TEST_CASE("the report holds the distances' ROC, counts and words") {
  std::vector<int64_t> labels;
  std::vector<bool> issame;
  for (int64_t i = 0; i < 200; ++i) {
    issame.push_back(i % 2 == 0);
    labels.insert(labels.end(), {2 * i, issame.back() ? 2 * i : 2 * i + 1});
  }
  const CanonicalVectors vectors = brute::faces(labels, 16, 1.0, 5);
  const PairList list = pairs_of_consecutive_rows(issame);
  const ProtocolResult report = run_verification("lfw", vectors, list, 3);
  brute::Scores scores;
  for (const Pair& pair : list.pairs) {
    double d = 0;
    for (int64_t k = 0; k < 16; ++k)
      d += std::pow(double{vectors.row(pair.a)[k]} - double{vectors.row(pair.b)[k]}, 2);
    (pair.same ? scores.genuine : scores.impostor).push_back(-d);
  }
  CHECK(report.value_of("auc") == Approx(brute::auc(scores)));
  CHECK(report.value_of("eer") == Approx(brute::eer(scores)));
  CHECK(report.value_of("tar_at_far_0.01") == brute::tar_at_most(scores, 1e-2));
  CHECK(report.value_of("tar_at_far_0.001") == brute::tar_at_most(scores, 1e-3));
  CHECK(report.counts[0] == std::pair<std::string, int64_t>("genuine_pairs", 100));
  CHECK(report.counts[1] == std::pair<std::string, int64_t>("impostor_pairs", 100));
  CHECK(report.details["folds"].size() == 10);
  CHECK_THAT(report.description, contains_text("10 contiguous folds"));
  CHECK(report.name == "lfw");
}

TEST_CASE("pairs that are left out are counted and said, and nothing else changes") {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 60; ++i) labels.insert(labels.end(), {2 * i, i % 2 == 0 ? 2 * i : 2 * i + 1});
  const CanonicalVectors vectors = brute::faces(labels, 16, 1.0, 6);
  PairList list;
  for (int64_t i = 0; i < 60; ++i) list.pairs.push_back({2 * i, 2 * i + 1, i % 2 == 0});
  list.folds = contiguous_folds(60, 10);
  const ProtocolResult whole = run_verification("lfw", vectors, list);
  list.left_out = 3;
  list.num_missing = 2;
  list.missing = {"Ann/3", "Bob/1"};
  const ProtocolResult report = run_verification("lfw", vectors, list);
  CHECK(report.value_of("accuracy") == whole.value_of("accuracy"));
  REQUIRE(report.counts.size() == whole.counts.size() + 2);
  CHECK(report.counts[3] == std::pair<std::string, int64_t>("left_out_pairs", 3));
  CHECK(report.counts[4] == std::pair<std::string, int64_t>("missing_images", 2));
  CHECK(report.details["missing_images"][1]["image"] == "Bob/1");
  CHECK_THAT(report.description, contains_text("3 pairs of the list are left out"));
  CHECK(whole.description.find("left out") == std::string::npos);
}

TEST_CASE("identical images have distance 0 and are the same person from the first threshold above 0") {
  const std::vector<float> values(40 * 4, 0.5F);
  const PairList list = pairs_of_consecutive_rows(std::vector<bool>(20, true));
  const CanonicalVectors vectors = canonical_vectors({values.data(), 40, 4});
  CHECK(pair_distances(vectors, list) == std::vector<double>(20, 0.0));
  const VerificationResult result = measure_verification(pair_distances(vectors, list), list);
  CHECK(result.accuracy == 1);
  CHECK(result.folds[0].threshold == 0.01);
}

TEST_CASE("pairs of rows that the set does not have are refused") {
  const std::vector<float> values(8, 1);
  const CanonicalVectors vectors = canonical_vectors({values.data(), 2, 4});
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               pair_distances(vectors, pairs_of_consecutive_rows({true, false}));
                             }),
             contains_text("rows 2 and 3") && contains_text("2 rows"));
}

}  // namespace uir
