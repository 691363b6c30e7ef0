#include "uir/eval/calibrate.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/calibration_report.h"
#include "uir/eval/people.h"
#include "uir/eval/random_galleries.h"
#include "uir/search/best_pairs.h"

using namespace uir;

namespace {

EmbeddingStore store_of(const fs::path& folder, const CanonicalVectors& vectors,
                        const std::vector<int64_t>& labels, const Json& manifest = Json::object()) {
  EmbeddingStoreWriter writer(folder, {vectors.rows, vectors.cols, false, false}, manifest);
  for (int64_t i = 0; i < vectors.rows; ++i) {
    const std::string item = concat(i, ".jpg\t", labels[static_cast<size_t>(i)]);
    writer.append({vectors.row(i).data(), 1, vectors.cols}, nullptr, nullptr, std::span(&item, 1));
  }
  writer.commit();
  return EmbeddingStore::open(folder);
}

std::vector<int64_t> repeated(int64_t people, int64_t images, int64_t first = 0) {
  std::vector<int64_t> labels;
  for (int64_t p = 0; p < people; ++p) labels.insert(labels.end(), static_cast<size_t>(images), first + p);
  return labels;
}

// Known people of three images each, one of them with a single one, and strangers in two sets.
struct Faces {
  static constexpr int64_t kDim = 12;
  std::vector<int64_t> labels = repeated(7, 3);
  TempFolder folder;
  EmbeddingStore known, web, crowd;

  explicit Faces(double noise = 1.2, int64_t strangers = 40)
      : known(known_people(noise)),
        web(store_of(folder / "web", brute::faces(repeated(strangers, 1, 100), kDim, 0, 5),
                     std::vector<int64_t>(static_cast<size_t>(strangers), -1))),
        crowd(store_of(folder / "crowd", brute::faces(repeated(30, 1, 300), kDim, 0, 5),
                       std::vector<int64_t>(30, -1))) {}

  EmbeddingStore known_people(double noise) {
    labels.push_back(50);
    return store_of(folder / "known", brute::faces(labels, kDim, noise, 5), labels);
  }
  CalibrationSets sets() const { return {{"known", &known}, {{"web", &web}, {"crowd", &crowd}}, {}}; }
};

std::vector<std::vector<float>> rows_of(const EmbeddingStore& store) {
  const CanonicalVectors v = canonical_vectors(store);
  std::vector<std::vector<float>> rows;
  for (int64_t i = 0; i < v.rows; ++i) rows.emplace_back(v.row(i).begin(), v.row(i).end());
  return rows;
}

std::vector<float> mean(const std::vector<std::vector<float>>& images) {
  std::vector<double> sum(images.front().size(), 0);
  for (const auto& image : images)
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += image[d];
  double length = 0;
  for (const double value : sum) length += value * value;
  std::vector<float> result;
  for (const double value : sum) result.push_back(static_cast<float>(value / std::sqrt(length)));
  return result;
}

// What the words say, subset by subset.
struct Brute {
  std::vector<double> genuine, impostors;
  std::vector<std::vector<double>> strangers;  // [stranger][person]
  struct Probe {
    size_t person;
    double own;
    std::vector<double> scores;  // [person]; that with its own person is not used
  };
  std::vector<Probe> probes;
  size_t people = 0;

  explicit Brute(const Faces& faces) {
    const auto known = rows_of(faces.known);
    std::vector<std::vector<float>> all = rows_of(faces.web), crowd = rows_of(faces.crowd);
    all.insert(all.end(), crowd.begin(), crowd.end());
    for (size_t i = 0; i < known.size(); ++i) {
      for (size_t j = 0; j < i; ++j)
        (faces.labels[i] == faces.labels[j] ? genuine : impostors).push_back(score(known[i], known[j]));
      for (const auto& stranger : all) impostors.push_back(score(known[i], stranger));
    }
    std::vector<int64_t> distinct = faces.labels;
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    people = distinct.size();
    std::vector<std::vector<float>> vectors;
    for (const int64_t label : distinct) vectors.push_back(mean(images(faces, known, label, known.size())));
    for (const auto& stranger : all) {
      strangers.emplace_back();
      for (const auto& vector : vectors) strangers.back().push_back(score(stranger, vector));
    }
    for (size_t i = 0; i < known.size(); ++i) {
      const auto others = images(faces, known, faces.labels[i], i);
      if (others.empty()) continue;
      Probe probe{static_cast<size_t>(std::ranges::find(distinct, faces.labels[i]) - distinct.begin()),
                  score(known[i], mean(others)),
                  {}};
      for (const auto& vector : vectors) probe.scores.push_back(score(known[i], vector));
      probes.push_back(probe);
    }
  }

  static std::vector<std::vector<float>> images(const Faces& faces,
                                                const std::vector<std::vector<float>>& rows, int64_t label,
                                                size_t without) {
    std::vector<std::vector<float>> chosen;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (faces.labels[i] == label && i != without) chosen.push_back(rows[i]);
    }
    return chosen;
  }

  template <class Body>
  void each_gallery(size_t size, Body&& body) const {
    for (unsigned members = 0; members < (1u << people); ++members) {
      if (static_cast<size_t>(std::popcount(members)) == size) body(members);
    }
  }

  double false_alarms(size_t size, double threshold) const {
    double alarms = 0, galleries = 0;
    each_gallery(size, [&](unsigned members) {
      ++galleries;
      for (const auto& stranger : strangers) {
        bool named = false;
        for (size_t p = 0; p < people; ++p) named |= (members >> p & 1u) != 0 && stranger[p] >= threshold;
        alarms += named;
      }
    });
    return alarms / galleries;
  }

  double named_right(size_t size, double threshold) const {
    double share = 0;
    for (const Probe& probe : probes) {
      double right = 0, galleries = 0;
      each_gallery(size, [&](unsigned members) {
        if ((members >> probe.person & 1u) == 0) return;
        ++galleries;
        bool best = probe.own >= threshold;
        for (size_t p = 0; p < people; ++p)
          best &= p == probe.person || (members >> p & 1u) == 0 || probe.scores[p] < probe.own;
        right += best;
      });
      share += right / galleries;
    }
    return share / static_cast<double>(probes.size());
  }
};

double share_from(const std::vector<double>& scores, double threshold) {
  return static_cast<double>(std::ranges::count_if(scores, [&](double s) { return s >= threshold; })) /
         static_cast<double>(scores.size());
}

double next_below(const std::vector<double>& scores, double threshold) {
  double best = -2;
  for (const double s : scores) best = s < threshold ? std::max(best, s) : best;
  return best;
}

}  // namespace

TEST_CASE("Thresholds let as many impostors through as they may, and no more", "[calibrate]") {
  const Faces faces;
  const Brute brute(faces);
  const Calibration found =
      calibrate(faces.sets(), {.false_matches = {0.2, 0.05, 1e-4}, .false_alarms = {500}, .sizes = {}}, {});
  CHECK(found.genuine_pairs == std::ssize(brute.genuine));
  CHECK(found.impostor_pairs == std::ssize(brute.impostors));
  REQUIRE(found.pairs.size() == 3);
  for (size_t i = 0; i < 2; ++i) {
    const CalibratedThreshold& t = found.pairs[i];
    REQUIRE(t.threshold);
    CHECK(share_from(brute.impostors, *t.threshold) <= t.rate);
    CHECK(share_from(brute.impostors, next_below(brute.impostors, *t.threshold)) > t.rate);
    CHECK(t.accepted == share_from(brute.genuine, *t.threshold));
    CHECK(t.events == static_cast<int64_t>(std::round(share_from(brute.impostors, *t.threshold) *
                                                      static_cast<double>(brute.impostors.size()))));
  }
  CHECK_FALSE(found.pairs[2].threshold);  // a single pair would carry it
  CHECK(found.pairs[2].events < kResolvingEvents);
  for (const CalibrationPoint& point : found.curve) {
    CHECK(point.accepted_pairs == share_from(brute.genuine, point.threshold));
    if (!std::isnan(point.false_matches))
      CHECK(point.false_matches == share_from(brute.impostors, point.threshold));
  }
  CHECK_FALSE(std::isnan(found.curve.back().false_matches));
}

TEST_CASE("Galleries of any size are the mean over all that can be drawn", "[calibrate]") {
  const Faces faces;
  const Brute brute(faces);
  const CalibrationRates rates{.false_matches = {0.1}, .false_alarms = {600, 300}, .sizes = {1, 3, 8}};
  const Calibration found = calibrate(faces.sets(), rates, {});
  CHECK(found.people == 8);
  CHECK(found.probes == 21);
  CHECK(found.strangers == 70);
  std::vector<double> scores;
  for (const auto& stranger : brute.strangers) scores.insert(scores.end(), stranger.begin(), stranger.end());
  REQUIRE(found.galleries.size() == 3);
  for (size_t g = 0; g < 3; ++g) {
    const CalibratedGallery& gallery = found.galleries[g];
    const auto size = static_cast<size_t>(gallery.people);
    REQUIRE(gallery.thresholds.size() == 2);
    for (const CalibratedThreshold& t : gallery.thresholds) {
      REQUIRE(t.threshold);
      const double allowed = t.rate / 1000 * 70;
      CHECK(brute.false_alarms(size, *t.threshold) <= allowed + 1e-9);
      CHECK(brute.false_alarms(size, next_below(scores, *t.threshold)) > allowed);
      CHECK_THAT(t.accepted, Catch::Matchers::WithinAbs(brute.named_right(size, *t.threshold), 1e-12));
    }
    for (int step = 0; step <= 100; step += 10) {
      const CalibrationPoint& point = found.curve[static_cast<size_t>(step)];
      CHECK_THAT(point.false_alarms[g],
                 Catch::Matchers::WithinAbs(brute.false_alarms(size, point.threshold) / 70, 1e-12));
      CHECK_THAT(point.named_right[g],
                 Catch::Matchers::WithinAbs(brute.named_right(size, point.threshold), 1e-12));
    }
  }
  CHECK(found.gallery_for(2)->people == 3);
  CHECK(found.gallery_for(9) == nullptr);
}

TEST_CASE("A gallery of its own is searched by its labels", "[calibrate]") {
  const Faces faces;
  const CanonicalVectors known = canonical_vectors(faces.known);
  const EmbeddingStore centers =
      store_of(faces.folder / "centers", People(faces.labels).means(known), {0, 1, 2, 3, 4, 5, 6, 50});
  CalibrationSets sets = faces.sets();
  sets.gallery = {"centers", &centers};
  const CalibrationRates rates{.false_matches = {0.1}, .false_alarms = {500}, .sizes = {}};
  const Calibration found = calibrate(sets, rates, {});
  CHECK(found.probes == 22);  // the person with one image as well: the gallery's vector is not that image
  CHECK(found.galleries.back().thresholds.front().threshold ==
        calibrate(faces.sets(), rates, {}).galleries.back().thresholds.front().threshold);
  const EmbeddingStore others = store_of(faces.folder / "others", known, repeated(22, 1, 900));
  sets.gallery = {"others", &others};
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { calibrate(sets, rates, {}); }),
             contains_text("their labels differ"));
}

TEST_CASE("A calibration reads back as it was written, and is one network's", "[calibrate]") {
  Faces faces;
  const Json ours{{"weights", {{"file", "a.onnx"}, {"checksum", "12"}}}},
      theirs{{"weights", {{"checksum", "13"}}}};
  const CanonicalVectors vectors = canonical_vectors(faces.known);
  const EmbeddingStore known = store_of(faces.folder / "ours", vectors, faces.labels, ours);
  const EmbeddingStore other = store_of(faces.folder / "theirs", vectors, faces.labels, theirs);
  CalibrationSets sets = faces.sets();
  sets.known.store = &known;
  const Calibration found =
      calibrate(sets, {.false_matches = {0.1}, .false_alarms = {400, 1}, .sizes = {2}}, {});
  const fs::path file = faces.folder / "c.json";
  write_file_atomically(file, to_json(found).dump());
  const Calibration again = read_calibration(file);
  CHECK(to_json(again) == to_json(found));
  CHECK_NOTHROW(check_calibrated_model(again, known));
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { check_calibrated_model(again, other); }),
             contains_text("another network") && contains_text("13"));
  write_file_atomically(file, "{\"format\": \"uir-threshold\"}");
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { read_calibration(file); }),
             contains_text("uir-eval calibrate"));
  Json damaged = to_json(found);
  damaged["curve"] = 3;
  damaged["verification"].erase("thresholds");
  write_file_atomically(file, damaged.dump());
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { read_calibration(file); }),
             contains_text("damaged calibration"));
  CHECK_THAT(calibration_text(found), contains_text("not resolved"));
  CHECK_THAT(calibration_page(found), contains_text("A gallery of 2 people"));
}

TEST_CASE("Sets that tell nothing are refused", "[calibrate]") {
  const Faces faces;
  CalibrationSets sets = faces.sets();
  sets.known = {"web", &faces.web};
  sets.strangers.erase(sets.strangers.begin());
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { calibrate(sets, {}, {}); }),
             contains_text("no person has two images"));
  const EmbeddingStore longer = store_of(faces.folder / "long", brute::faces({1, 2}, 13, 0, 1), {-1, -1});
  sets = faces.sets();
  sets.strangers.push_back({"long", &longer});
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { calibrate(sets, {}, {}); }),
             contains_text("13 numbers"));
  CHECK_THAT(
      brute::error_of(
          ErrorKind::kConfig,
          [&] { calibrate(faces.sets(), {.false_matches = {0.1}, .false_alarms = {1}, .sizes = {9}}, {}); }),
      contains_text("cannot be drawn from 8"));
}

TEST_CASE("Strangers who resemble many, and faces that are all alike", "[calibrate]") {
  // One direction that all people share: 30 of the strangers lie on it.
  std::vector<float> people, strangers;
  const auto add = [](std::vector<float>& faces, double shared, uint64_t seed, uint64_t i) {
    ItemRandom random(seed, RandomPurpose::kTest, 0, i);
    for (int d = 0; d < 16; ++d) faces.push_back(static_cast<float>((d == 0 ? shared : 0) + random.normal()));
  };
  std::vector<int64_t> labels;
  for (uint64_t p = 0; p < 150; ++p) {
    for (int image = 0; image < 2; ++image) add(people, 4, 1, p);
    labels.insert(labels.end(), 2, static_cast<int64_t>(p));
  }
  for (uint64_t s = 0; s < 600; ++s) add(strangers, s < 60 ? 30 : 0, 2, s);
  const TempFolder folder;
  const EmbeddingStore known =
      store_of(folder / "known", canonical_vectors({people.data(), 300, 16}), labels);
  const EmbeddingStore web =
      store_of(folder / "web", canonical_vectors({strangers.data(), 600, 16}), std::vector<int64_t>(600, -1));
  const CalibrationRates rates{.false_matches = {0.1}, .false_alarms = {50}, .sizes = {}};
  const Calibration found = calibrate({{"known", &known}, {{"web", &web}}, {}}, rates, {});
  for (const CalibratedGallery& gallery : found.galleries) {
    REQUIRE(gallery.thresholds.size() == 1);
    CHECK(gallery.thresholds[0].threshold);
  }
  CHECK(found.galleries.back().thresholds[0].events == 30);

  const std::vector<float> same(16 * 40, 0.25F);
  const EmbeddingStore alike =
      store_of(folder / "alike", canonical_vectors({same.data(), 40, 16}), repeated(20, 2));
  const EmbeddingStore crowd =
      store_of(folder / "crowd", canonical_vectors({same.data(), 30, 16}), std::vector<int64_t>(30, -1));
  const Calibration none = calibrate({{"alike", &alike}, {{"crowd", &crowd}}, {}}, rates, {});
  REQUIRE(none.galleries.back().thresholds.size() == 1);
  CHECK_FALSE(none.galleries.back().thresholds[0].threshold);
}

TEST_CASE("The best pairs are those of all pairs", "[calibrate]") {
  const CanonicalVectors rows = brute::faces(repeated(300, 1), 16, 0, 1),
                         columns = brute::faces(repeated(200, 1), 16, 0, 2);
  std::vector<std::pair<double, int64_t>> all;
  for (int64_t i = 0; i < rows.rows; ++i)
    for (int64_t j = 0; j < columns.rows; ++j) all.emplace_back(score(rows.row(i), columns.row(j)), i);
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (const int64_t limit : {1, 700, 60000}) {
    BestPairs search(limit);
    scan_pairs(UnitRows(rows), UnitRows(columns), PairsOf::kRowsAndColumns, search);
    const auto& found = search.pairs();
    REQUIRE(std::ssize(found) == std::min<int64_t>(limit, 60000));
    for (size_t i = 0; i < found.size(); ++i) {
      REQUIRE(found[i].score == all[i].first);
      REQUIRE(found[i].row == all[i].second);
    }
    CHECK(std::isfinite(search.floor()) == (limit < 60000));
    if (limit < 60000) CHECK(search.floor() >= all[static_cast<size_t>(limit)].first);
  }
}

TEST_CASE("The chance that nobody of r is drawn", "[calibrate]") {
  RandomGalleries draws(10, 4);
  CHECK(draws.none(0) == 1);
  CHECK_THAT(draws.none(1), Catch::Matchers::WithinAbs(0.6, 1e-15));
  CHECK_THAT(draws.none(6), Catch::Matchers::WithinAbs(1 / 210.0, 1e-15));
  CHECK(draws.none(7) == 0);
  CHECK(RandomGalleries(10, 10).none(1) == 0);
  CHECK(RandomGalleries(1, 0).none(5) >= 0);
}
