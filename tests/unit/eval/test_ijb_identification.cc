#include "support/catch.h"
#include "uir/eval/ijb_identification.h"
#include "uir/eval/template_search.h"
#include "uir/eval/templates.h"
#include "uir/report/report.h"
#include "unit/eval/ijb_support.h"

namespace uir {
namespace {

const std::vector<double> kFpir{0.01, 0.05, 0.1, 0.3, 1};

IjbIdentificationProtocol protocol_of(const brute::TinyIjb& ijb) {
  return {"ijbc", ijb.config.benchmark, {ijb.meta().string()}, kFpir};
}

// The protocol's sentences, one probe and one template at a time.
struct Plain {
  std::vector<brute::PlainEntry> galleries[2], probes;
  brute::PlainTemplates templates;
  Plain(const brute::TinyIjb& ijb, const char* first, const char* second)
      : templates(brute::plain_templates(ijb, true, true, true)) {
    galleries[0] = brute::plain_entries(ijb, first);
    galleries[1] = brute::plain_entries(ijb, second);
    probes = brute::plain_entries(ijb, "1N_probe_mixed.csv");
  }
  double score(const brute::PlainEntry& a, const brute::PlainEntry& b) const {
    return brute::plain_score(templates.at(a.id), templates.at(b.id));
  }
  // Scores of the probe with its mate (if any) and with all others of the galleries.
  std::pair<std::vector<double>, std::vector<double>> scores(const brute::PlainEntry& probe, bool use0,
                                                             bool use1) const {
    std::vector<double> own, other;
    for (int g = 0; g < 2; ++g) {
      if (g == 0 ? !use0 : !use1) continue;
      for (const auto& entry : galleries[g])
        (entry.subject == probe.subject ? own : other).push_back(score(probe, entry));
    }
    return {own, other};
  }
  bool hit(const std::vector<double>& own, const std::vector<double>& other, int k) const {
    return !own.empty() &&
           std::count_if(other.begin(), other.end(), [&](double s) { return s >= own[0]; }) < k;
  }
  double open_tpir(int g, double fpir) const {
    std::vector<double> non_mated;
    for (const auto& probe : probes) {
      const auto [own, other] = scores(probe, g == 0, g == 1);
      if (own.empty()) non_mated.push_back(*std::max_element(other.begin(), other.end()));
    }
    std::sort(non_mated.rbegin(), non_mated.rend());
    const double t =
        non_mated[std::max(static_cast<int>(static_cast<double>(non_mated.size()) * fpir) - 1, 0)];
    double mated = 0, found = 0;
    for (const auto& probe : probes) {
      const auto [own, other] = scores(probe, g == 0, g == 1);
      if (own.empty()) continue;
      ++mated;
      if (own[0] > *std::max_element(other.begin(), other.end()) && own[0] > t) ++found;
    }
    return found / mated;
  }
  double open_top(int k) const {
    int hits = 0;
    for (int g = 0; g < 2; ++g) {
      for (const auto& probe : probes) {
        const auto [own, other] = scores(probe, g == 0, g == 1);
        hits += hit(own, other, k);
      }
    }
    return hits / static_cast<double>(probes.size());
  }
  double pooled_top(int k) const {
    int hits = 0;
    for (const auto& probe : probes) {
      const auto [own, other] = scores(probe, true, true);
      hits += hit(own, other, k);
    }
    return hits / static_cast<double>(probes.size());
  }
  double pooled_tpir(double fpir) const {
    std::vector<double> non_mate;
    for (const auto& probe : probes) {
      const auto other = scores(probe, true, true).second;
      non_mate.insert(non_mate.end(), other.begin(), other.end());
    }
    std::sort(non_mate.rbegin(), non_mate.rend());
    const double t = non_mate[static_cast<size_t>(std::ceil(static_cast<double>(probes.size()) * fpir)) - 1];
    double found = 0;
    for (const auto& probe : probes) {
      const auto own = scores(probe, true, true).first;
      found += !own.empty() && own[0] > t;
    }
    return found / static_cast<double>(probes.size());
  }
};

// Unit vectors at these angles [degrees].
CanonicalVectors at_angles(const std::vector<double>& degrees) {
  CanonicalVectors v{{}, static_cast<int64_t>(degrees.size()), 2};
  for (double a : degrees) {
    v.values.push_back(static_cast<float>(std::cos(a * std::numbers::pi / 180)));
    v.values.push_back(static_cast<float>(std::sin(a * std::numbers::pi / 180)));
  }
  return v;
}

}  // namespace

TEST_CASE("1:N agrees with brute force, open set and pooled") {
  const bool ijbc = GENERATE(true, false);
  const brute::TinyIjb ijb(ijbc ? IjbBenchmark::kIjbc : IjbBenchmark::kIjbb);
  const Plain plain(ijb, ijbc ? "1N_gallery_G1.csv" : "1N_gallery_S1.csv",
                    ijbc ? "1N_gallery_G2.csv" : "1N_gallery_S2.csv");
  const auto results = run_ijb_identification("x", EmbeddingStore::open(ijb.files()), protocol_of(ijb), 2);
  REQUIRE(results.size() == 2);
  const ProtocolResult &open_set = results[0], &pooled = results[1];
  CHECK(open_set.name == "x/open_set");
  CHECK(pooled.name == "x/pooled");
  for (double fpir : kFpir) {
    const std::string name = name_with_rate("tpir_at_fpir", fpir);
    const double g1 = plain.open_tpir(0, fpir), g2 = plain.open_tpir(1, fpir);
    CHECK(open_set.value_of("g1." + name) == g1);
    CHECK(open_set.value_of("g2." + name) == g2);
    CHECK(open_set.value_of("mean." + name) == (g1 + g2) / 2);
    CHECK(pooled.value_of(name) == plain.pooled_tpir(fpir));
  }
  for (int k : {1, 5, 10}) {
    CHECK(open_set.value_of(concat("top", k)) == plain.open_top(k));
    CHECK(pooled.value_of(concat("top", k)) == plain.pooled_top(k));
  }
  CHECK(open_set.value_of("g1.tpir_at_fpir_0.01") < open_set.value_of("g1.tpir_at_fpir_1"));
  CHECK(pooled.value_of("top1") < pooled.value_of("top10"));
  CHECK(open_set.value_of("top1") > pooled.value_of("top1"));  // fewer templates to beat
}

TEST_CASE("the detection error trade-off is that of its thresholds") {
  const brute::TinyIjb ijb;
  const ProtocolResult open_set =
      run_ijb_identification("x", EmbeddingStore::open(ijb.files()), protocol_of(ijb)).front();
  for (const char* gallery : {"g1", "g2"}) {
    const Json points = open_set.details[gallery]["det"]["points"];
    CHECK(points.size() > 20);
    CHECK(points.front()[0] == 0.0);
    for (size_t i = 1; i < points.size(); ++i) {
      CHECK(points[i][0].get<double>() >= points[i - 1][0].get<double>());
      CHECK(points[i][1].get<double>() <= points[i - 1][1].get<double>());
    }
    // The curve's last threshold is that of FPIR 1.
    CHECK(1 - points.back()[1].get<double>() ==
          Approx(open_set.value_of(concat(gallery, ".tpir_at_fpir_1"))).epsilon(1e-12));
  }
}

TEST_CASE("the number of threads does not change a bit of the 1:N results") {
  const brute::TinyIjb ijb;
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  const auto text = [&](int threads) {
    return to_json(Report{{{"m", {}, run_ijb_identification("x", set, protocol_of(ijb), threads)}}}).dump();
  };
  CHECK(text(1) == text(2));
  CHECK(text(1) == text(7));
}

TEST_CASE("ties count against the probe") {
  // Templates 0, 1: first gallery; 2: second; 3, 4, 5: probes. Probe 3 stands between its mate 0 and 1, probe
  // 4 on 1.
  const CanonicalVectors templates = at_angles({0, 90, 200, 45, 90, 200});
  IjbSearch search;
  search.galleries[0] = {{0, 10}, {1, 11}};
  search.galleries[1] = {{2, 12}};
  search.probes = {{3, 10}, {4, 11}, {5, 12}};
  const SearchScores scores = search_galleries(templates, search, 4);
  const ProbeScores &between = scores.galleries[0][0], &on = scores.galleries[0][1];
  CHECK(between.own == between.other);
  CHECK(between.others_at_least_own == 1);
  CHECK_FALSE(between.within(1));
  CHECK(between.within(2));
  CHECK(on.within(1));
  CHECK_FALSE(scores.galleries[1][0].mated());
  CHECK(scores.galleries[1][2].within(1));
  CHECK(scores.highest_non_mate.size() == 4);
  CHECK(scores.highest_non_mate.front() == between.other);
}

TEST_CASE("a subject's best template counts where a gallery holds several") {
  const CanonicalVectors templates = at_angles({0, 80, 40, 90});
  IjbSearch search;
  search.galleries[0] = {{0, 1}, {1, 1}, {2, 2}};
  search.galleries[1] = {{2, 3}};
  search.probes = {{3, 1}};
  const ProbeScores found = search_galleries(templates, search, 1).galleries[0][0];
  CHECK(found.own == Approx(std::cos(10 * std::numbers::pi / 180)).epsilon(1e-6));
  CHECK(found.within(1));
}

TEST_CASE("1:N without flip needs no mirrored embeddings, with flip it says so") {
  const brute::TinyIjb ijb;
  EmbeddingFiles files = ijb.files();
  files.mirrored.clear();
  const EmbeddingStore set = EmbeddingStore::open(files);
  CHECK_THAT(brute::error_of(ErrorKind::kConfig, [&] { run_ijb_identification("x", set, protocol_of(ijb)); }),
             contains_text("embeddings.npy holds no mirrored embeddings"));
  IjbIdentificationProtocol without = protocol_of(ijb);
  without.flip = false;
  CHECK(run_ijb_identification("x", set, without).front().value_of("top1") > 0);
}

TEST_CASE("a gallery without non-mated probes has no rates") {
  const brute::TinyIjb ijb;
  const std::string g2 = read_text_file(ijb.meta() / "ijbc_1N_gallery_G2.csv");
  const size_t line = g2.find('\n') + 1, second = g2.find(',', line) + 1;
  const std::string subject = g2.substr(second, g2.find(',', second) - second);
  // Only probes of one subject, who is in the second gallery.
  std::string probes = "t,s\n";
  for (const auto& probe : brute::plain_entries(ijb, "1N_probe_mixed.csv")) {
    if (std::to_string(probe.subject) == subject) probes += concat(probe.id, ",", probe.subject, "\n");
  }
  std::ofstream(ijb.meta() / "ijbc_1N_probe_mixed.csv") << probes;
  const ProtocolResult open_set =
      run_ijb_identification("x", EmbeddingStore::open(ijb.files()), protocol_of(ijb)).front();
  CHECK(std::isnan(open_set.value_of("g1.tpir_at_fpir_0.1")));
  CHECK(std::isnan(open_set.value_of("g2.tpir_at_fpir_0.1")));
  CHECK(std::isnan(open_set.value_of("mean.tpir_at_fpir_0.1")));
  CHECK(open_set.value_of("top10") > 0);
}

}  // namespace uir
