#include <fstream>
#include <map>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/open_set.h"
#include "uir/report/report.h"
#include "uir/search/canonical.h"

namespace uir {
namespace {

struct Plain {
  double rank1 = 0;
  std::vector<double> dir;
};

// The protocol's words, probe by probe.
Plain plain_open_set(const CanonicalVectors& v, const OpenSetLists& lists, const std::vector<double>& fars) {
  std::vector<double> non_mated;
  std::vector<std::pair<double, double>> mated;  // own, best other
  for (const OpenSetEntry& probe : lists.probes) {
    double own = -9, other = -9;
    bool is_mated = false;
    for (const OpenSetEntry& entry : lists.gallery) {
      const double s = brute::dot(v, probe.row, entry.row);
      if (entry.identity == probe.identity) {
        is_mated = true;
        own = std::max(own, s);
      } else {
        other = std::max(other, s);
      }
    }
    if (is_mated) mated.emplace_back(own, other);
    if (!is_mated) non_mated.push_back(other);
  }
  std::sort(non_mated.rbegin(), non_mated.rend());
  const auto share = [&](double threshold) {
    double hits = 0;
    for (const auto& [own, other] : mated) hits += own > other && own > threshold;
    return hits / static_cast<double>(mated.size());
  };
  Plain result{share(-9), {}};
  for (double far : fars) {
    const int entry = std::max(static_cast<int>(static_cast<double>(non_mated.size()) * far) - 1, 0);
    result.dir.push_back(share(non_mated[entry]));
  }
  return result;
}

// Vectors in the plane at the given angles, so that scores are cosines of differences.
CanonicalVectors at_angles(const std::vector<double>& degrees) {
  std::vector<float> values;
  for (double angle : degrees) {
    values.push_back(static_cast<float>(std::cos(angle * 3.14159265358979 / 180)));
    values.push_back(static_cast<float>(std::sin(angle * 3.14159265358979 / 180)));
  }
  return canonical_vectors({values.data(), static_cast<int64_t>(degrees.size()), 2});
}

}  // namespace

TEST_CASE("the rule: first images of repeated identities are the gallery") {
  const OpenSetLists lists = open_set_by_rule(std::vector<int64_t>{7, 3, 7, 5, 3, 7});
  CHECK(lists.gallery == std::vector<OpenSetEntry>{{0, 7}, {1, 3}});
  CHECK(lists.probes == std::vector<OpenSetEntry>{{2, 7}, {3, 5}, {4, 3}, {5, 7}});
  CHECK(lists.by_rule);
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [] {
                               open_set_by_rule(std::vector<int64_t>{1, 1, -1});
                             }),
             contains_text("row 2"));
}

TEST_CASE("an open set by hand") {
  // Gallery A at 0, B at 90. Probes of A at 10 and 80 (wrong), of B at 100 and 45.01 (barely right),
  // strangers at 200 (best: B, 110 away), 30 (best: A, 30 away).
  const CanonicalVectors v = at_angles({0, 90, 10, 80, 100, 45.01, 200, 30});
  OpenSetLists lists{{{0, 1}, {1, 2}}, {{2, 1}, {3, 1}, {4, 2}, {5, 2}, {6, 8}, {7, 9}}};
  const OpenSetResult result = measure_open_set(v, lists, {0.5, 0.99, 1.0});
  CHECK(result.num_gallery == 2);
  CHECK(result.num_mated == 4);
  CHECK(result.num_non_mated == 2);
  CHECK(result.rank1 == 0.75);
  // int(2·.5) − 1 = 0: the largest non-mated score, cos 30.
  CHECK(result.rates[0].threshold == Approx(std::cos(30 * 3.14159265358979 / 180)));
  CHECK(result.rates[0].dir == 0.5);
  CHECK(result.rates[0].achieved_far == 0);
  CHECK(result.rates[1].dir == 0.5);  // int(1.98) − 1 = 0
  // int(2) − 1 = 1: cos 110.
  CHECK(result.rates[2].dir == 0.75);
  CHECK(result.rates[2].achieved_far == 0.5);
}

TEST_CASE("ties are misses: with another identity, and with the threshold") {
  const CanonicalVectors v = at_angles({0, 0, 90, 0, 90, 90, 180});
  // The probe of A (row 3) is as near to A as to its double B; C's probe is exactly as near as the nearer
  // stranger.
  const OpenSetLists lists{{{0, 1}, {1, 2}, {2, 3}}, {{3, 1}, {4, 3}, {5, 9}, {6, 10}}};
  const OpenSetResult result = measure_open_set(v, lists, {0.01, 1.0});
  CHECK(result.rank1 == 0.5);
  CHECK(result.rates[0].dir == 0);
  CHECK(result.rates[1].dir == 0.5);  // above the threshold cos 90 both are, but A's probe still ties
}

TEST_CASE("the open set agrees with brute force, also with several gallery images per identity") {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 400; ++i) labels.push_back(i < 300 ? i * i * 7 % 150 : 1000 + i);
  const CanonicalVectors v = brute::faces(labels, 12, 0.9, 3);
  OpenSetLists lists = open_set_by_rule(labels);
  if (GENERATE(false, true)) {
    for (int i = 0; i < 60; ++i) {  // some mated probes move to the gallery
      lists.gallery.push_back(lists.probes.back());
      lists.probes.pop_back();
    }
  }
  const std::vector<double> fars{0.001, 0.01, 0.1, 0.29, 1.0};
  const Plain expected = plain_open_set(v, lists, fars);
  for (int threads : {1, 3}) {
    const OpenSetResult result = measure_open_set(v, lists, fars, threads);
    CHECK(result.rank1 == expected.rank1);
    for (size_t i = 0; i < fars.size(); ++i) CHECK(result.rates[i].dir == expected.dir[i]);
  }
  CHECK(expected.dir.front() > 0);
  CHECK(expected.dir.front() < expected.dir.back());
}

TEST_CASE("without mated or non-mated probes, rates are reported as undefined") {
  const CanonicalVectors v = at_angles({0, 90, 10, 80});
  const ProtocolResult all_known =
      run_open_set("x", v, open_set_by_rule(std::vector<int64_t>{1, 1, 2, 2}), {0.01});
  CHECK(all_known.value_of("rank1") == 0.5);  // at 90 degrees, 10 is nearer than 0
  CHECK(std::isnan(all_known.value_of("dir_at_far_0.01")));
  const ProtocolResult all_strangers =
      run_open_set("x", v, open_set_by_rule(std::vector<int64_t>{1, 2, 3, 4}), {0.01});
  CHECK(std::isnan(all_strangers.value_of("rank1")));
  CHECK(std::isnan(all_strangers.value_of("dir_at_far_0.01")));
  CHECK(all_strangers.counts[2].second == 4);
}

TEST_CASE("the report names rates, counts and thresholds") {
  const CanonicalVectors v = at_angles({0, 90, 10, 100, 45});
  const ProtocolResult report =
      run_open_set("x", v, open_set_by_rule(std::vector<int64_t>{1, 2, 1, 2, 3}), {0.01, 0.001});
  CHECK(report.counts == std::vector<std::pair<std::string, int64_t>>{
                             {"gallery", 2}, {"mated_probes", 2}, {"non_mated_probes", 1}});
  CHECK(report.value_of("dir_at_far_0.01") == 1);
  CHECK(report.value_of("dir_at_far_0.001") == 1);
  CHECK(report.details["thresholds"].size() == 2);
}

TEST_CASE("lists of images") {
  TempFolder folder;
  const std::vector<std::string_view> items{"a/1.jpg", "a/2.jpg", "b/1.jpg", "c/1.jpg"};
  const auto read = [&](const std::string& gallery, const std::string& probes) {
    std::ofstream(folder / "gallery.txt") << gallery;
    std::ofstream(folder / "probes.txt") << probes;
    return read_open_set_lists(folder / "gallery.txt", folder / "probes.txt", items);
  };
  const OpenSetLists lists = read("a/1.jpg 0 10\nb/1.jpg\t5  20\n", "a/2.jpg 1 10\nc/1.jpg 2 30");
  CHECK(lists.gallery == std::vector<OpenSetEntry>{{0, 10}, {2, 20}});
  CHECK(lists.probes == std::vector<OpenSetEntry>{{1, 10}, {3, 30}});
  CHECK_FALSE(lists.by_rule);

  const auto refusal = [&](const std::string& gallery, const std::string& probes) {
    return brute::error_of(ErrorKind::kData, [&] { read(gallery, probes); });
  };
  CHECK_THAT(refusal("", "a/2.jpg 1 10"), contains_text("gallery.txt: no entries"));
  CHECK_THAT(refusal("a/1.jpg 0\n", "a/2.jpg 1 10"),
             contains_text("gallery.txt: line 1") && contains_text("2 fields"));
  CHECK_THAT(refusal("e/1.jpg 0 1\n", "a/2.jpg 1 1\nf/1.jpg 0 2\n"),
             contains_text("2 listed images are not in the embedding set") &&
                 contains_text("gallery.txt: line 1: image 'e/1.jpg'") &&
                 contains_text("probes.txt: line 2: image 'f/1.jpg'"));
  CHECK_THAT(refusal("a/1.jpg 0 x\n", "a/2.jpg 1 10"), contains_text("found 'x'"));
  CHECK_THAT(refusal("a/1.jpg 0 1\nd/1.jpg 0 2\n", "a/2.jpg 1 10"),
             contains_text("line 2") && contains_text("'d/1.jpg'"));
  CHECK_THAT(refusal("a/1.jpg 0 1\n", "a/2.jpg 1 1\na/1.jpg 0 1\n"), contains_text("probes.txt: line 2"));
  CHECK_THAT(refusal("a/1.jpg 0 1\na/1.jpg 0 1\n", "a/2.jpg 1 1"), contains_text("gallery.txt: line 2"));
}

}  // namespace uir
