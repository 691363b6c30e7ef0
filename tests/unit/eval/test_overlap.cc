#include "uir/eval/overlap.h"

#include <cmath>
#include <numeric>
#include <set>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "uir/eval/overlap_report.h"
#include "uir/search/near_duplicates.h"

using namespace uir;

namespace {

// Rows of several identities; equal labels are noisy copies of one direction.
CanonicalVectors rows_of(const std::vector<int64_t>& labels, double noise, uint64_t seed) {
  return brute::faces(labels, 24, noise, seed);
}

double cosine(const CanonicalVectors& a, int64_t i, const CanonicalVectors& b, int64_t j) {
  double sum = 0;
  for (int64_t d = 0; d < a.cols; ++d)
    sum += static_cast<double>(a.values[i * a.cols + d]) * static_cast<double>(b.values[j * b.cols + d]);
  return sum;
}

std::vector<int64_t> numbers(int64_t n) {
  std::vector<int64_t> values(static_cast<size_t>(n));
  std::iota(values.begin(), values.end(), 0);
  return values;
}

// Groups by plain flooding over all pairs.
std::vector<int64_t> flooded_groups(const CanonicalVectors& v, double threshold) {
  std::vector<int64_t> first(static_cast<size_t>(v.rows), -1);
  for (int64_t seed = 0; seed < v.rows; ++seed) {
    if (first[seed] >= 0) continue;
    std::vector<int64_t> open{seed};
    first[seed] = seed;
    while (!open.empty()) {
      const int64_t row = open.back();
      open.pop_back();
      for (int64_t other = 0; other < v.rows; ++other) {
        if (first[other] >= 0 || brute::dot(v, row, other) < threshold) continue;
        first[other] = seed;
        open.push_back(other);
      }
    }
  }
  return first;
}

}  // namespace

TEST_CASE("Best matches, labeled scores and the table equal a float64 brute force", "[overlap]") {
  std::vector<int64_t> planted(200);
  for (size_t i = 0; i < planted.size(); ++i)  // a quarter shows people of the classes
    planted[i] = i % 4 == 0 ? static_cast<int64_t>(i % 30) : 1000 + static_cast<int64_t>(i);
  const CanonicalVectors centers = rows_of(numbers(30), 0, 5), unlabeled = rows_of(planted, 0.5, 5);
  std::vector<int64_t> labels(90);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i % 30);
  CanonicalVectors labeled = rows_of(labels, 0.5, 5);
  labels[7] = -1;  // has no label

  DividedScanOptions options;
  options.resources.threads = 3;
  const auto best = best_matches(UnitRows(unlabeled), UnitRows(centers), options);
  std::vector<double> expected;
  for (int64_t i = 0; i < unlabeled.rows; ++i) {
    int64_t column = 0;
    for (int64_t c = 1; c < centers.rows; ++c) {
      if (cosine(unlabeled, i, centers, c) > cosine(unlabeled, i, centers, column)) column = c;
    }
    REQUIRE(best[i].column == column);
    REQUIRE(best[i].score == cosine(unlabeled, i, centers, column));
    expected.push_back(best[i].score);
    if (i % 4 == 0) CHECK(column == planted[i]);  // what was planted is found
  }

  const LabeledScores scores = labeled_scores(UnitRows(labeled), labels, UnitRows(centers), options);
  std::vector<double> own, other;
  for (int64_t i = 0; i < labeled.rows; ++i) {
    if (labels[i] < 0) continue;
    double highest = -1;
    for (int64_t c = 0; c < centers.rows; ++c) {
      if (c != labels[i]) highest = std::max(highest, cosine(labeled, i, centers, c));
    }
    own.push_back(cosine(labeled, i, centers, labels[i]));
    other.push_back(highest);
  }
  CHECK(scores.own == own);
  CHECK(scores.other == other);

  const std::vector<double> thresholds{0.2, 0.5, expected[4], 0.9};
  const auto table = consequences(expected, scores, thresholds);
  for (size_t t = 0; t < thresholds.size(); ++t) {
    const auto reaches = [&](double v) { return v >= thresholds[t]; };
    CHECK(table[t].removed == std::ranges::count_if(expected, reaches));
    CHECK(table[t].caught == brute::share_at_least(own, thresholds[t]));
    CHECK(table[t].wrong == brute::share_at_least(other, thresholds[t]));
  }
  CHECK(table[2].removed > table[3].removed);
}

TEST_CASE("No labeled images leave the shares open; wrong labels are refused", "[overlap]") {
  const CanonicalVectors centers = rows_of(numbers(3), 0, 1), one = rows_of({0}, 0.1, 1);
  const std::vector<double> best{0.5};
  const auto table = consequences(best, LabeledScores(), std::vector<double>{0.5});
  CHECK(table[0].removed == 1);
  CHECK(std::isnan(table[0].caught));
  CHECK(std::isnan(table[0].wrong));
  const std::vector<int64_t> beyond{3}, none{-1};
  CHECK(fails_with(ErrorKind::kData, [&] { labeled_scores(UnitRows(one), beyond, UnitRows(centers), {}); }));
  CHECK(labeled_scores(UnitRows(one), none, UnitRows(centers), {}).own.empty());
}

TEST_CASE("Bins of the histogram hold their lower end", "[overlap]") {
  const std::vector<double> cosines{-1, -0.95, -0.951, 0, 0.049, 0.05, 0.5, 0.999, 1, 1.0000001};
  const auto counts = cosine_histogram(cosines);
  CHECK(std::accumulate(counts.begin(), counts.end(), int64_t{0}) == 10);
  CHECK(counts[0] == 2);
  CHECK(counts[1] == 1);
  CHECK(counts[20] == 2);
  CHECK(counts[21] == 1);
  CHECK(counts[30] == 1);
  CHECK(counts[39] == 3);
}

TEST_CASE("Groups of near-duplicates are those of flooding over all pairs", "[overlap]") {
  std::vector<int64_t> labels(150);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>((i * i) % 60);
  const CanonicalVectors vectors = rows_of(labels, 0.3, 9);
  std::set<size_t> sizes;
  for (const double threshold : {0.5, 0.85, 0.9, 0.95, 2.0}) {
    CAPTURE(threshold);
    const auto expected = flooded_groups(vectors, threshold);
    for (const int threads : {1, 4}) {
      DividedScanOptions options;
      options.resources.threads = threads;
      options.row_block = 32;
      options.column_block = 16;
      CHECK(near_duplicates(UnitRows(vectors), threshold, options) == expected);
    }
    sizes.insert(std::set<int64_t>(expected.begin(), expected.end()).size());
  }
  CHECK(sizes.size() >= 4);  // the thresholds do make a difference
}

TEST_CASE("An interrupted search for near-duplicates continues", "[overlap]") {
  const TempFolder temp;
  std::vector<int64_t> labels(120);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i % 50);
  const CanonicalVectors vectors = rows_of(labels, 0.2, 4);
  DividedScanOptions options;
  options.row_block = options.column_block = 16;
  options.state = temp / "scan.state";
  int asked = 0;
  options.stop = [&] { return ++asked > 9; };
  CHECK(fails_with(ErrorKind::kStopped, [&] { near_duplicates(UnitRows(vectors), 0.9, options); }));
  options.stop = nullptr;
  CHECK(near_duplicates(UnitRows(vectors), 0.9, options) == flooded_groups(vectors, 0.9));
}

TEST_CASE("The report says the same in text, page and JSON", "[overlap]") {
  SetOverlap set;
  set.set = "web<1>";
  set.images = 3;
  const std::vector<double> cosines{0.1, 0.72, 0.3};
  set.targets = {{"class_centers",
                  cosine_histogram(cosines),
                  consequences(cosines, LabeledScores(), std::vector<double>{0.3, 0.5}),
                  {{"a/1.jpg", "Ann & Bob", 0.72, 1, 0}}}};
  set.labeled_images = 0;
  set.own = set.other = cosine_histogram({});
  set.duplicates = DuplicateCounts{0.9, 1, 2, 2};
  set.filter = FilterCounts{0.5, std::nullopt, 1, 1, 1};
  const Json json = to_json({set});
  const Json& centers = json["sets"][0]["targets"]["class_centers"];
  CHECK(centers["thresholds"][0]["removed"] == 2);
  CHECK(centers["thresholds"][0]["caught"].is_null());
  CHECK(centers["histogram"][34] == 1);
  const std::string text = overlap_text({set}), page = overlap_page({set});
  CHECK(text.find("removed: 1 matches of class centers from 0.5 on and 1 more near-duplicates; left: 1") !=
        std::string::npos);
  CHECK(text.find("0.720  a/1.jpg  =  class_centers: Ann & Bob") != std::string::npos);
  CHECK(page.find("web&lt;1&gt;") != std::string::npos);
  CHECK(page.find("Ann &amp; Bob") != std::string::npos);
  CHECK(page.find("keeping the first of each would remove 1") != std::string::npos);
}
