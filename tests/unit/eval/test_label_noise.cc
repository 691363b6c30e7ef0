#include "uir/eval/label_noise.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/brute_force.h"
#include "support/catch.h"
#include "uir/eval/impostor_tail.h"
#include "uir/eval/label_noise_report.h"
#include "uir/eval/one_person_groups.h"

using namespace uir;

namespace {

using Groups = std::vector<std::vector<int64_t>>;

// Average linkage as it is defined: the two groups with the highest mean cosine are joined, again and again.
Groups plain_groups(const CanonicalVectors& v, Groups groups, double threshold) {
  while (groups.size() > 1) {
    size_t a = 0, b = 0;
    double best = -2;
    for (size_t i = 0; i < groups.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        double sum = 0;
        for (const int64_t x : groups[i])
          for (const int64_t y : groups[j]) sum += brute::dot(v, x, y);
        const double mean = sum / static_cast<double>(groups[i].size() * groups[j].size());
        if (mean > best) best = mean, a = j, b = i;
      }
    }
    if (best < threshold) break;
    groups[a].insert(groups[a].end(), groups[b].begin(), groups[b].end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(b));
  }
  for (auto& group : groups) std::ranges::sort(group);
  std::ranges::sort(groups, [](const auto& x, const auto& y) {
    return x.size() != y.size() ? x.size() > y.size() : x.front() < y.front();
  });
  return groups;
}

// 300 people of 2 to 9 images; then labels go wrong in known ways.
struct Planted {
  std::vector<int64_t> person, labels;
  std::set<int64_t> moved;                         // rows
  std::map<int64_t, int64_t> split;                // new label → the label that it was
  std::map<int64_t, std::vector<int64_t>> joined;  // label → rows of its second person
  CanonicalVectors images;

  static constexpr int64_t kPeople = 300;

  Planted() {
    for (int64_t p = 0; p < kPeople; ++p) person.insert(person.end(), static_cast<size_t>(2 + p % 8), p);
    labels = person;
    images = brute::faces(person, 128, 0.9, 3);
    for (int64_t p = 7; p < 100; p += 8) move_one(p);
    for (int64_t p = 103; p < 200; p += 8) split_one(p);
    for (int64_t p = 203; p < 290; p += 8) join_two(p);
  }

  std::vector<int64_t> rows(int64_t p) const {
    std::vector<int64_t> rows;
    for (size_t i = 0; i < person.size(); ++i) {
      if (person[i] == p) rows.push_back(static_cast<int64_t>(i));
    }
    return rows;
  }
  void move_one(int64_t p) {
    const int64_t row = rows(p)[3];
    labels[static_cast<size_t>(row)] = p - 2;
    moved.insert(row);
  }
  void split_one(int64_t p) {
    const int64_t label = kPeople + std::ssize(split);
    for (const int64_t row : rows(p)) {
      if (row % 2 == 0) labels[static_cast<size_t>(row)] = label;
    }
    split[label] = p;
  }
  void join_two(int64_t p) {
    for (const int64_t row : rows(p - 3)) {  // of four images or less, p has five
      labels[static_cast<size_t>(row)] = p;
      joined[p].push_back(row);
    }
  }
};

}  // namespace

TEST_CASE("Groups of one person are those of average linkage", "[noise]") {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    std::vector<int64_t> labels, rows;
    Groups single;
    for (int64_t i = 0; i < 40; ++i) labels.push_back(i % 4);
    for (int64_t i = 0; i < 40; i += 1 + static_cast<int64_t>(seed % 2))
      rows.push_back(i), single.push_back({i});
    const CanonicalVectors v = brute::faces(labels, 8, 0.3 + 0.05 * static_cast<double>(seed), seed);
    for (const double threshold : {-1.0, 0.1, 0.4, 0.8})
      REQUIRE(one_person_groups(v, rows, threshold) == plain_groups(v, single, threshold));
  }
}

TEST_CASE("A class of more images than are grouped together", "[noise]") {
  std::vector<int64_t> labels(5000), rows;
  for (int64_t i = 0; i < 5000; ++i) labels[static_cast<size_t>(i)] = i % 10 == 0, rows.push_back(i);
  const CanonicalVectors v = brute::faces(labels, 32, 0.8, 1);
  const Groups groups = one_person_groups(v, rows, 0.3);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].size() == 4500);
  CHECK(groups[1].size() == 500);
  for (const int64_t row : groups[1]) CHECK(row % 10 == 0);
}

TEST_CASE("Planted wrong labels are found, and little else", "[noise]") {
  const Planted planted;
  const LabelNoise found = find_label_noise(planted.images, planted.labels, {}, {});
  CHECK(found.images == std::ssize(planted.labels));
  std::map<int64_t, LabelNoise::Image> unlike;
  for (const LabelNoise::Image& image : found.unlike_images) unlike[image.row] = image;

  std::set<int64_t> expected;
  for (const int64_t row : planted.moved) {
    REQUIRE(unlike.contains(row));
    CHECK(unlike[row].why == LabelNoise::Why::kUnlike);
    CHECK(unlike[row].likely == planted.person[static_cast<size_t>(row)]);
    CHECK(unlike[row].belongs);
    expected.insert(row);
  }
  CHECK(std::ssize(found.groups) == std::ssize(planted.joined));
  for (const auto& [label, rows] : planted.joined) {
    for (const int64_t row : rows) {
      REQUIRE(unlike.contains(row));
      CHECK(unlike[row].label == label);
      CHECK(unlike[row].why == LabelNoise::Why::kSecondPerson);
      expected.insert(row);
    }
  }
  int64_t others = 0;
  for (const auto& [row, image] : unlike) others += !expected.contains(row);
  CHECK(others <= 2);

  std::map<int64_t, int64_t> merges;
  for (const LabelNoise::Merge& merge : found.merges) {
    merges[merge.label] = merge.into;
    CHECK(merge.images <= merge.images_into);
  }
  CHECK(merges.size() <= planted.split.size() + 2);
  for (const auto& [label, was] : planted.split)
    CHECK((merges.contains(label) ? merges[label] == was : merges.contains(was) && merges[was] == label));
}

TEST_CASE("Few people: nothing is merged without a reason, and what is one person is", "[noise]") {
  int64_t merged = 0, found = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    std::vector<int64_t> labels, person;
    const int64_t people = 2 + static_cast<int64_t>(seed) * 4;
    for (int64_t i = 0; i < people * 10; ++i) labels.push_back(i / 10);
    const LabelNoise apart = find_label_noise(brute::faces(labels, 128, 0.9, seed), labels, {}, {});
    merged += std::ssize(apart.merges);
    for (const auto& line : apart.merge)
      for (const double threshold : line) CHECK(threshold >= apart.unlike);
    if (people < 14) continue;  // two of 45 pairs are too many to see what others look like
    for (const int64_t label : labels) person.push_back(label == 1 ? 0 : label == 3 ? 2 : label);
    const LabelNoise twice = find_label_noise(brute::faces(person, 128, 0.9, seed), labels, {}, {});
    for (const LabelNoise::Merge& m : twice.merges)
      found += std::max(m.label, m.into) <= 3 && m.label / 2 == m.into / 2;
    merged += std::ssize(twice.merges);
  }
  CHECK(found == 2 * 9);
  CHECK(merged <= found + 1);
}

TEST_CASE("What is found does not depend on threads", "[noise]") {
  const Planted planted;
  const NoiseNames names{[](int64_t row) { return std::to_string(row); },
                         [](int64_t label) { return concat("p", label); }};
  ScanOptions three;
  three.resources.threads = 3;
  const LabelNoise one = find_label_noise(planted.images, planted.labels, {}, {});
  CHECK(to_json("set", one, names) ==
        to_json("set", find_label_noise(planted.images, planted.labels, {}, three), names));
  CHECK_THAT(label_noise_text("set", one, names), contains_text("unlike the rest of their class"));
  CHECK_THAT(label_noise_page("set", one, names, {"a.png"}), contains_text("a.png"));
  CHECK(std::ranges::count(exclude_list(one, names), '\n') == std::ssize(one.unlike_images));
  CHECK(std::ranges::count(label_map_list(one, names), '\n') == std::ssize(one.merges));
}

TEST_CASE("A class in which no two images agree", "[noise]") {
  Planted planted;
  const auto relabel = [&](int64_t person, size_t image, int64_t label) {
    planted.labels[static_cast<size_t>(planted.rows(person)[image])] = label;
  };
  // Person 291 has five images. One of them with one of a class of its own: that one stays.
  relabel(291, 0, 900);
  const auto alone = static_cast<size_t>(planted.rows(296)[0]);
  planted.labels[alone] = 900;
  for (const int64_t row : planted.rows(296)) {
    if (static_cast<size_t>(row) != alone) planted.labels[static_cast<size_t>(row)] = -1;
  }
  // Two that belong nowhere else: both go.
  for (const int64_t person : {297, 298}) {
    for (const int64_t row : planted.rows(person)) planted.labels[static_cast<size_t>(row)] = -1;
    relabel(person, 0, 901);
  }
  const LabelNoise found = find_label_noise(planted.images, planted.labels, {}, {});
  std::vector<int64_t> of_900, of_901;
  for (const LabelNoise::Image& image : found.unlike_images) {
    if (image.label == 900) of_900.push_back(image.row);
    if (image.label == 901) of_901.push_back(image.row);
  }
  CHECK(of_900 == std::vector<int64_t>{planted.rows(291)[0]});
  CHECK(of_901.size() == 2);
}

TEST_CASE("Thresholds of the user take the place of those found", "[noise]") {
  const Planted planted;
  const LabelNoise none = find_label_noise(planted.images, planted.labels, {.unlike = -1, .merge = 1}, {});
  CHECK(none.unlike_images.empty());
  CHECK(none.merges.empty());
  const LabelNoise all = find_label_noise(planted.images, planted.labels, {.unlike = 1, .merge = {}}, {});
  CHECK(all.count(LabelNoise::Why::kNoAgreement) > 1000);
}

TEST_CASE("Labels that tell nothing are refused", "[noise]") {
  const CanonicalVectors v = brute::faces({0, 0, 1}, 8, 0.1, 1);
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               find_label_noise(v, std::vector<int64_t>{4, 4, -1}, {}, {});
                             }),
             contains_text("two are needed"));
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               find_label_noise(v, std::vector<int64_t>{-1, -1, -1}, {}, {});
                             }),
             contains_text("there are 0 classes"));
}

TEST_CASE("Tails of normal scores", "[noise]") {
  CHECK_THAT(normal_quantile(0.5), Catch::Matchers::WithinAbs(0, 1e-12));
  CHECK_THAT(normal_quantile(0.025), Catch::Matchers::WithinAbs(1.959963984540054, 1e-12));
  CHECK_THAT(normal_quantile(1e-9), Catch::Matchers::WithinAbs(5.997807015007687, 1e-9));
  std::vector<double> scores;
  for (uint64_t i = 0; i < 200000; ++i)
    scores.push_back(0.02 + 0.1 * ItemRandom(1, RandomPurpose::kTest, 0, i).normal());
  CHECK_THAT(impostor_threshold(scores, 1e-2, 1e-3, 1e-8),
             Catch::Matchers::WithinAbs(0.02 + 0.561200124, 0.02));
}
