#include "uir/eval/megaface.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/noise_list.h"
#include "uir/report/intervals.h"
#include "uir/report/report.h"
#include "uir/search/pair_scan.h"
#include "uir/store/embedding_store.h"

namespace uir {
namespace {

struct Face {
  std::string item;
  int64_t label;
  std::vector<float> feature, mirrored;  // mirrored may be empty
};

EmbeddingStore store_of(const TempFolder& folder, const std::string& name, const std::vector<Face>& faces) {
  const auto write = [&](const std::string& file, const std::string& text) {
    std::ofstream(folder / file, std::ios::binary) << text;
    return folder / file;
  };
  std::string features, mirrored, items, labels;
  for (const Face& face : faces) {
    features += as_text(std::as_bytes(std::span(face.feature)));
    mirrored += as_text(std::as_bytes(std::span(face.mirrored)));
    items += face.item + "\n";
    labels += std::to_string(face.label) + "\n";
  }
  const std::string header =
      npy_header(std::ssize(faces), faces.empty() ? 4 : std::ssize(faces.front().feature));
  EmbeddingFiles files{write(name + ".npy", header + features),
                       {},
                       write(name + ".txt", items),
                       write(name + ".labels", labels)};
  if (!mirrored.empty()) files.mirrored = write(name + "_m.npy", header + mirrored);
  return EmbeddingStore::open(files);
}

std::vector<float> unit(const Face& face) {
  std::vector<double> sum(face.feature.begin(), face.feature.end());
  for (size_t d = 0; d < face.mirrored.size(); ++d) sum[d] += static_cast<double>(face.mirrored[d]);
  double squares = 0;
  for (double x : sum) squares += x * x;
  std::vector<float> result;
  for (double x : sum) result.push_back(static_cast<float>(x / std::sqrt(squares)));
  return result;
}

double cosine(const Face& a, const Face& b) {
  const std::vector<float> u = unit(a), v = unit(b);
  double sum = 0;
  for (size_t d = 0; d < u.size(); ++d) sum += static_cast<double>(u[d]) * static_cast<double>(v[d]);
  return sum;
}

// From the protocol's words: puts each mate into the gallery and sorts.
struct BruteMegaFace {
  std::vector<Face> probes, distractors;  // clean; the distractors are those of the gallery
  double rate_of_rank(int64_t rank) const {
    int64_t hits = 0, searches = 0;
    for (size_t p = 0; p < probes.size(); ++p) {
      for (size_t m = 0; m < probes.size(); ++m) {
        if (m == p || probes[m].label != probes[p].label) continue;
        std::vector<std::pair<double, int>> gallery{
            {cosine(probes[p], probes[m]), 0}};  // ties: distractors first
        for (const Face& face : distractors) gallery.emplace_back(cosine(probes[p], face), 1);
        std::sort(gallery.rbegin(), gallery.rend());
        const auto at = std::find_if(gallery.begin(), gallery.end(), [](auto& g) { return g.second == 0; });
        hits += at - gallery.begin() + 1 <= rank ? 1 : 0;
        ++searches;
      }
    }
    return static_cast<double>(hits) / static_cast<double>(searches);
  }
  brute::Scores scores() const {
    brute::Scores all;
    for (size_t p = 0; p < probes.size(); ++p) {
      for (size_t m = p + 1; m < probes.size(); ++m) {
        if (probes[m].label == probes[p].label) all.genuine.push_back(cosine(probes[p], probes[m]));
      }
      for (const Face& face : distractors) all.impostor.push_back(cosine(probes[p], face));
    }
    return all;
  }
};

// Coarse features (few values), so that scores tie; some distractors are copies of probes.
struct Faces {
  std::vector<Face> probes, distractors;
  Faces(int64_t num_probes, int64_t num_distractors, int64_t dim, bool mirrored, uint64_t seed) {
    ItemRandom random(seed, RandomPurpose::kTest, 0, 0);
    const auto coarse = [&] { return static_cast<float>(std::round(random.normal() * 2) + 0.25); };
    const auto feature = [&] {
      std::vector<float> values;
      for (int64_t d = 0; d < dim; ++d) values.push_back(coarse());
      return values;
    };
    const auto face = [&](const std::string& item, int64_t label) {
      return Face{item, label, feature(), mirrored ? feature() : std::vector<float>()};
    };
    std::map<int64_t, Face> people;
    for (int64_t i = 0; i < num_probes; ++i) {
      const int64_t label = i * i % 7;  // 0, 1, 2, 4 with several images
      const std::string name = "P" + std::to_string(label);
      Face image = face("scrub/" + name + "/" + name + "_" + std::to_string(i) + ".png", label);
      const Face& person = people.try_emplace(label, image).first->second;
      for (int64_t d = 0; d < dim; ++d) image.feature[d] = image.feature[d] / 8 + person.feature[d];
      for (size_t d = 0; d < image.mirrored.size(); ++d)
        image.mirrored[d] = image.mirrored[d] / 8 + person.mirrored[d];
      probes.push_back(std::move(image));
    }
    for (int64_t i = 0; i < num_distractors; ++i) {
      distractors.push_back(face("mega/" + std::to_string(i % 3) + "/" + std::to_string(i) + "@N/0.jpg", -1));
      if (i % 5 != 0 || i >= 40) continue;
      const Face& copied = probes[static_cast<size_t>(i % num_probes)];
      distractors.back().feature = copied.feature;
      distractors.back().mirrored = copied.mirrored;
    }
  }
};

MegaFaceProtocol protocol_with(std::vector<int64_t> counts) {
  MegaFaceProtocol protocol;
  protocol.distractor_counts = std::move(counts);
  protocol.far = {0.001, 0.02, 0.3, 1};
  protocol.ranks = {1, 2, 10};
  return protocol;
}

std::vector<Face> first(const std::vector<Face>& faces, int64_t n) {
  return {faces.begin(), faces.begin() + n};
}

void check(const ProtocolResult& result, const BruteMegaFace& all,
           const std::map<int64_t, BruteMegaFace>& smaller) {
  for (const int64_t rank : {1, 2, 10}) {
    const std::string name = "identification_rank_" + std::to_string(rank);
    CHECK(result.value_of(name) == all.rate_of_rank(rank));
    for (const auto& [count, brute] : smaller) {
      CHECK(result.value_of(name + "_distractors_" + std::to_string(count)) == brute.rate_of_rank(rank));
    }
  }
  const brute::Scores scores = all.scores();
  for (const double far : {0.001, 0.02, 0.3, 1.0}) {
    CHECK(result.value_of(name_with_rate("tar_at_far", far)) == brute::tar_at_most(scores, far));
  }
}

const Uncertainty& uncertainty_of(const ProtocolResult& result, const std::string& name) {
  return std::ranges::find(result.numbers, name, &Measurement::name)->uncertainty.value();
}

int64_t count_of(const ProtocolResult& result, const std::string& name) {
  return std::ranges::find(result.counts, name, &std::pair<std::string, int64_t>::first)->second;
}

}  // namespace

TEST_CASE("megaface: probes that few distractors reach, which the filter is for") {
  const TempFolder folder;
  Faces faces(14, 1700, 24, false, 8);
  // Behind the first block, one in a few is like a probe: its copy (a tie), or nearly it.
  for (size_t i = 1100, n = 0; i < faces.distractors.size(); i += 17, ++n) {
    faces.distractors[i].feature = faces.probes[n % faces.probes.size()].feature;
    if (n % 3 != 0) faces.distractors[i].feature[n % 24] += static_cast<float>(n % 5) * 0.4F;
  }
  const EmbeddingStore probes = store_of(folder, "probes", faces.probes);
  const EmbeddingStore distractors = store_of(folder, "distractors", faces.distractors);
  const BruteMegaFace all{faces.probes, faces.distractors};
  MegaFaceProtocol protocol = protocol_with({1700});
  protocol.far = {1e-3};
  std::vector<int64_t> ranks;
  for (const Face& probe : all.probes) {
    std::vector<double> distractor_scores;
    for (const Face& face : all.distractors) distractor_scores.push_back(cosine(probe, face));
    for (const Face& mate : all.probes) {
      if (&mate == &probe || mate.label != probe.label) continue;
      const double score = cosine(probe, mate);
      ranks.push_back(1 + std::ranges::count_if(distractor_scores, [&](double s) { return s >= score; }));
    }
  }
  const auto rate_of_rank = [&](int64_t most) {
    const auto hits = std::ranges::count_if(ranks, [&](int64_t rank) { return rank <= most; });
    return static_cast<double>(hits) / static_cast<double>(std::ssize(ranks));
  };
  REQUIRE(rate_of_rank(1) < rate_of_rank(10));
  const double tar = brute::tar_at_most(all.scores(), 1e-3);
  for (const int threads : {1, 3}) {
    const ProtocolResult result = run_megaface("m", probes, distractors, protocol, {.threads = threads});
    CHECK(result.value_of(name_with_rate("tar_at_far", 1e-3)) == tar);
    for (const Json& point : result.details["cmc"][0]["points"])
      CHECK(point[1] == rate_of_rank(point[0].get<int64_t>()));
  }
}

TEST_CASE("megaface: distractors behind the first block that all probes reach") {
  const TempFolder folder;
  constexpr int64_t kDim = 16;
  // Every face is a common direction, or its opposite, and noise of its own.
  const auto faces = [&](int64_t count, int64_t first_seed, float common, int64_t people) {
    std::vector<Face> made;
    for (int64_t i = 0; i < count; ++i) {
      std::vector<float> feature = brute::random_values(kDim, static_cast<uint64_t>(first_seed + i));
      for (float& x : feature) x += common;
      made.push_back({concat(first_seed, "/", i), people > 0 ? i % people : -1, feature, {}});
    }
    return made;
  };
  const std::vector<Face> probes = faces(40, 1000, 0.8F, 20);
  std::vector<Face> distractors = faces(1100, 2000, -2, 0);
  std::ranges::copy(faces(600, 5000, 8, 0), std::back_inserter(distractors));
  MegaFaceProtocol protocol = protocol_with({1700});
  protocol.ranks = {1, 100, 590};
  const ProtocolResult result =
      run_megaface("m", store_of(folder, "probes", probes), store_of(folder, "distractors", distractors),
                   protocol, {.threads = 2});
  const BruteMegaFace all{probes, distractors};
  for (const int64_t rank : {1, 100, 590})
    CHECK(result.value_of(concat("identification_rank_", rank)) == all.rate_of_rank(rank));
  CHECK(all.rate_of_rank(590) < 0.9);
  CHECK(all.rate_of_rank(1) > 0);
}

TEST_CASE("megaface: identification and verification against brute force, with ties") {
  for (const bool mirrored : {false, true}) {
    const TempFolder folder;
    const Faces faces(17, 143, 3, mirrored, mirrored ? 5 : 6);
    const EmbeddingStore probes = store_of(folder, "probes", faces.probes);
    const EmbeddingStore distractors = store_of(folder, "distractors", faces.distractors);
    const BruteMegaFace all{faces.probes, faces.distractors};
    const std::map<int64_t, BruteMegaFace> smaller{{1, {faces.probes, first(faces.distractors, 1)}},
                                                   {50, {faces.probes, first(faces.distractors, 50)}}};
    REQUIRE(all.rate_of_rank(1) < all.rate_of_rank(10));  // else the test says little
    REQUIRE(all.rate_of_rank(1) > 0);
    for (const int threads : {1, 3}) {
      const ProtocolResult result =
          run_megaface("m", probes, distractors, protocol_with({143, 1, 50, 50}), {.threads = threads});
      check(result, all, smaller);
      CHECK(count_of(result, "impostor_pairs") == 17 * 143);
      CHECK(count_of(result, "genuine_pairs") == std::ssize(all.scores().genuine));
      CHECK(count_of(result, "searches") == 2 * std::ssize(all.scores().genuine));
      CHECK(result.details["cmc"].size() == 3);
      CHECK(result.details["cmc"][2]["points"].back() == Json({144, 1.0}));
    }
  }
}

TEST_CASE("megaface: intervals are those of deleting each person and each distractor") {
  // Eight people; some distractors are like four of them.
  const TempFolder folder;
  std::vector<Face> probes, distractors;
  const auto face = [](int64_t person, int64_t seed, float noise) {
    std::vector<float> feature = brute::random_values(10, 100 + static_cast<uint64_t>(person));
    const std::vector<float> own = brute::random_values(10, 1000 + static_cast<uint64_t>(seed));
    for (size_t d = 0; d < feature.size(); ++d) feature[d] += noise * own[d];
    return feature;
  };
  for (int64_t i = 0; i < 24; ++i)
    probes.push_back({concat("p/", i), 40 - i % 8, face(i % 8, i, i % 3 == 0 ? 1.2F : .6F), {}});
  for (int64_t i = 0; i < 60; ++i)
    distractors.push_back({concat("d/", i), -1, face(i % 6 == 0 ? i % 4 : 50 + i, 200 + i, 1), {}});
  MegaFaceProtocol protocol = protocol_with({60, 20});
  protocol.far = {.05};
  const auto store = [&](const char* name, const std::vector<Face>& faces) {
    return store_of(folder, name, faces);
  };
  const auto result_of = [&](int threads) {
    return run_megaface("m", store("p", probes), store("d", distractors), protocol, {.threads = threads});
  };
  const ProtocolResult result = result_of(1), again = result_of(3);
  const auto deletions = [&](int64_t size, const std::function<double(const BruteMegaFace&)>& number) {
    std::vector<std::vector<double>> values(2);
    for (int64_t person = 33; person <= 40; ++person) {
      BruteMegaFace rest{{}, first(distractors, size)};
      std::ranges::copy_if(probes, std::back_inserter(rest.probes),
                           [&](const Face& probe) { return probe.label != person; });
      values[0].push_back(number(rest));
    }
    for (int64_t d = 0; d < size; ++d) {
      BruteMegaFace rest{probes, first(distractors, size)};
      rest.distractors.erase(rest.distractors.begin() + d);
      values[1].push_back(number(rest));
    }
    return values;
  };
  const auto check_influences = [&](const std::string& name, const std::vector<std::vector<double>>& left) {
    INFO(name);
    const Uncertainty& uncertainty = uncertainty_of(result, name);
    const double value = result.value_of(name);
    for (const size_t group : {0, 1}) {
      REQUIRE(uncertainty.influences[group].size() == left[group].size());
      for (size_t i = 0; i < left[group].size(); ++i)
        CHECK(uncertainty.influences[group][i] == Approx(value - left[group][i]).margin(1e-12));
    }
    const Interval interval =
        interval_of_rate(value, sum_of(variance_of(left[0]).value(), variance_of(left[1]).value()));
    CHECK(uncertainty.low == Approx(interval.low).epsilon(1e-9));
    CHECK(uncertainty.high == Approx(interval.high).epsilon(1e-9));
    CHECK(uncertainty.genuine_events ==
          std::lround((1 - value) * static_cast<double>(count_of(result, "searches"))));
    CHECK(uncertainty.effective_people == Approx(8));
    CHECK(uncertainty_of(again, name).influences == uncertainty.influences);
  };
  for (const int64_t rank : {1, 2, 10}) {
    const auto rate = [&](const BruteMegaFace& some) { return some.rate_of_rank(rank); };
    const std::string name = concat("identification_rank_", rank);
    check_influences(name, deletions(60, rate));
    if (rank < 10) check_influences(name + "_distractors_20", deletions(20, rate));
  }

  const Uncertainty& tar = uncertainty_of(result, "tar_at_far_0.05");
  const auto left =
      deletions(60, [](const BruteMegaFace& some) { return brute::tar_at_most(some.scores(), .05); });
  const Interval near = interval_of_rate(result.value_of("tar_at_far_0.05"),
                                         sum_of(variance_of(left[0]).value(), variance_of(left[1]).value()));
  CHECK(tar.high - tar.low == Approx(near.high - near.low).epsilon(.3));
  CHECK(tar.impostor_events == 72);
  CHECK(uncertainty_of(again, "tar_at_far_0.05").influences == tar.influences);
  CHECK(result.details["people"]["people"] == 8);
}

TEST_CASE("megaface: what would have to keep too much has no interval") {
  const TempFolder folder;
  const Faces faces(12, 40, 4, false, 7);
  MegaFaceProtocol protocol = protocol_with({2, 40});
  protocol.ranks = {1, 1001};
  const ProtocolResult result = run_megaface("m", store_of(folder, "p", faces.probes),
                                             store_of(folder, "d", faces.distractors), protocol, {});
  CHECK(uncertainty_of(result, "identification_rank_1").influences.size() == 2);
  CHECK(uncertainty_of(result, "identification_rank_1_distractors_2").note == "fewer than three distractors");
  CHECK(!std::ranges::find(result.numbers, "identification_rank_1001", &Measurement::name)->uncertainty);
}

TEST_CASE("megaface: more distractors than one block, low scores no longer told apart") {
  const TempFolder folder;
  const Faces faces(12, 2600, 4, false, 7);
  const EmbeddingStore probes = store_of(folder, "probes", faces.probes);
  const EmbeddingStore distractors = store_of(folder, "distractors", faces.distractors);
  const brute::Scores scores = BruteMegaFace{faces.probes, faces.distractors}.scores();
  for (const double far : {1e-4, 3e-3, 0.05}) {
    MegaFaceProtocol protocol;
    protocol.far = {far};
    const ProtocolResult result = run_megaface("m", probes, distractors, protocol, {.threads = 2});
    CHECK(result.value_of(name_with_rate("tar_at_far", far)) == brute::tar_at_most(scores, far));
    const BruteMegaFace first_ten{faces.probes, first(faces.distractors, 10)};
    CHECK(result.value_of("identification_rank_1_distractors_10") == first_ten.rate_of_rank(1));
    const BruteMegaFace all{faces.probes, faces.distractors};
    CHECK(result.value_of("identification_rank_10") == all.rate_of_rank(10));
  }
}

TEST_CASE("megaface: a mate that ties with a distractor is a miss") {
  const TempFolder folder;
  const std::vector<Face> probes{{"a/1", 0, {1, 0}, {}}, {"a/2", 0, {0, 1}, {}}};
  const auto rank1 = [&](std::vector<float> distractor) {
    const EmbeddingStore store = store_of(folder, "d", {{"d/1", -1, std::move(distractor), {}}});
    return run_megaface("m", store_of(folder, "p", probes), store, protocol_with({}), {})
        .value_of("identification_rank_1");
  };
  CHECK(rank1({-1, 0}) == 0.5);  // ties with the mate for the second probe, is below for the first
  CHECK(rank1({-1, -1}) == 1);
  CHECK(rank1({1, 1}) == 0);
}

TEST_CASE("megaface: noises are left out on both sides, and may have no direction") {
  const TempFolder folder;
  Faces faces(17, 60, 3, false, 8);
  const std::set<size_t> noisy_probes{3, 9}, noisy_distractors{0, 30, 59};
  BruteMegaFace clean;
  std::map<int64_t, BruteMegaFace> smaller;
  std::string probe_list = "#a comment\r\nUnknown_1.png\r\n", distractor_list = "#\n";
  for (size_t i = 0; i < faces.probes.size(); ++i) {
    if (!noisy_probes.contains(i)) {
      clean.probes.push_back(faces.probes[i]);
      continue;
    }
    const std::string& item = faces.probes[i].item;
    probe_list += item.substr(item.rfind('/') + 1) + "\r\n";
  }
  smaller[31].probes = clean.probes;
  for (size_t i = 0; i < faces.distractors.size(); ++i) {
    if (!noisy_distractors.contains(i)) {
      clean.distractors.push_back(faces.distractors[i]);
      if (i < 31) smaller[31].distractors.push_back(faces.distractors[i]);
      continue;
    }
    faces.distractors[i].feature.assign(3, 0);  // as tools leave them
    distractor_list += (i == 30 ? "17\t" : "") + faces.distractors[i].item.substr(5) + "\n";
  }
  std::ofstream(folder / "probe_noises.txt") << probe_list;
  std::ofstream(folder / "distractor_noises.txt") << distractor_list;
  MegaFaceProtocol protocol = protocol_with({31, 60});
  protocol.probe_noises.value = (folder / "probe_noises.txt").string();
  protocol.distractor_noises.value = (folder / "distractor_noises.txt").string();
  protocol.identity = IdentityOf::kFolder;
  for (Face& face : faces.probes) face.label = -1;
  const ProtocolResult result = run_megaface("m", store_of(folder, "p", faces.probes),
                                             store_of(folder, "d", faces.distractors), protocol, {});
  check(result, clean, smaller);
  CHECK(count_of(result, "probe_noises") == 2);
  CHECK(count_of(result, "distractor_noises") == 3);
  CHECK(count_of(result, "distractors") == 57);
}

TEST_CASE("megaface: noisy probes replaced by the mean of their identity") {
  const TempFolder folder;
  const Faces faces(17, 60, 3, true, 9);
  BruteMegaFace expected{{}, faces.distractors};
  for (size_t i = 0; i < faces.probes.size(); ++i) {
    if (i != 3 && i != 9) expected.probes.push_back(faces.probes[i]);
  }
  const std::vector<Face> clean = expected.probes;
  for (const size_t noisy : {3, 9}) {
    Face center{"", faces.probes[noisy].label, {0, 0, 0}, {}};
    for (const Face& face : clean) {
      for (size_t d = 0; d < 3 && face.label == center.label; ++d) center.feature[d] += unit(face)[d];
    }
    expected.probes.push_back(center);
  }
  std::ofstream(folder / "noises.txt") << "P2_3.png\nP4_9.png\n";
  MegaFaceProtocol protocol = protocol_with({60});
  protocol.probe_noises.value = (folder / "noises.txt").string();
  protocol.noisy_probes = NoisyProbes::kCenter;
  const ProtocolResult result = run_megaface("m", store_of(folder, "p", faces.probes),
                                             store_of(folder, "d", faces.distractors), protocol, {});
  CHECK(count_of(result, "probes") == 17);
  check(result, expected, {});

  std::ofstream(folder / "noises.txt") << "P2_3.png\nP2_4.png\nP2_10.png\nP2_11.png\n";  // everyone of 2
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] {
                               run_megaface("m", store_of(folder, "p", faces.probes),
                                            store_of(folder, "d", faces.distractors), protocol, {});
                             }),
             contains_text("the center of its identity"));
}

TEST_CASE("megaface: a noise names the end of an item, whole components only") {
  const TempFolder folder;
  std::ofstream(folder / "list.txt") << "b/c.jpg\nx.jpg";
  const std::vector<std::string_view> items{"a/b/c.jpg", "b/c.jpg", "ab/c.jpg", "c.jpg", "q/x.jpg", "xx.jpg"};
  CHECK(noisy_rows(folder / "list.txt", items) == std::vector<bool>{true, true, false, false, true, false});
}

TEST_CASE("megaface: what cannot be measured is refused") {
  const TempFolder folder;
  const std::vector<Face> good{{"a/1", 0, {1, 0}, {}}, {"a/2", 0, {1, 1}, {}}, {"b/1", 1, {0, 1}, {}}};
  const std::vector<Face> others{{"d/1", -1, {-1, 0}, {}}, {"d/2", -1, {-1, 1}, {}}};
  const auto refusal = [&](const std::vector<Face>& probes, const std::vector<Face>& distractors,
                           const MegaFaceProtocol& protocol = protocol_with({})) {
    const EmbeddingStore p = store_of(folder, "p", probes), d = store_of(folder, "d", distractors);
    return brute::error_of(ErrorKind::kData, [&] { run_megaface("m", p, d, protocol, {}); });
  };
  CHECK(refusal(good, others) == "no error");
  CHECK_THAT(refusal({good[0], good[2]}, others), contains_text("no identity has two images"));
  CHECK_THAT(refusal({good[0], {"z/1", -1, {1, 1}, {}}}, others),
             contains_text("row 1 (z/1) has no identity"));
  CHECK_THAT(refusal(good, {{"d/1", -1, {1, 2, 3}, {}}}), contains_text("2 dimensions, distractors 3"));
  CHECK_THAT(refusal(good, others, protocol_with({2, 3})),
             contains_text("asks for 3") && contains_text("2 rows"));
  CHECK_THAT(refusal(good, {{"d/1", -1, {0, 0}, {}}}),
             contains_text("row 0 (d/1)") && contains_text("zero length"));
  CHECK_THAT(refusal({good[0], {"a/2", 0, {0, 0}, {}}}, others), contains_text("row 1 (a/2)"));

  MegaFaceProtocol protocol = protocol_with({});
  std::ofstream(folder / "noises.txt") << "nobody.png\n";
  protocol.probe_noises.value = (folder / "noises.txt").string();
  CHECK_THAT(refusal(good, others, protocol), contains_text("nobody.png") && contains_text("a/1"));
  protocol.probe_noises.value.clear();
  std::ofstream(folder / "noises.txt") << "1\n2\n";
  protocol.distractor_noises.value = (folder / "noises.txt").string();
  CHECK_THAT(refusal(good, others, protocol), contains_text("no distractors but noises"));
  protocol.distractor_noises.value.clear();
  protocol.identity = IdentityOf::kFolder;
  CHECK_THAT(refusal({good[0], {"bare", 0, {1, 1}, {}}}, others, protocol), contains_text("(bare)"));
}

}  // namespace uir
