#include <fstream>

#include "support/catch.h"
#include "uir/eval/ijb_verification.h"
#include "uir/eval/sort.h"
#include "uir/eval/template_pairs.h"
#include "uir/report/report.h"
#include "unit/eval/ijb_support.h"

namespace uir {
namespace {

const std::vector<double> kFar{1e-4, 1e-3, 3e-3, 1e-2, 0.0314, 0.1, 0.5, 1};

IjbVerificationProtocol protocol_of(const brute::TinyIjb& ijb, std::vector<TemplateProperty> variants = {}) {
  return {"ijbc", ijb.config.benchmark, {ijb.meta().string()}, kFar, std::move(variants)};
}

std::vector<std::string> names_of(const std::vector<ProtocolResult>& results) {
  std::vector<std::string> names;
  for (const ProtocolResult& result : results) names.push_back(result.name);
  return names;
}

}  // namespace

TEST_CASE("1:1 agrees with brute force in all variants and by both rules") {
  const brute::TinyIjb ijb(GENERATE(IjbBenchmark::kIjbb, IjbBenchmark::kIjbc));
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  const std::vector<ProtocolResult> results = run_ijb_verification("x", set, protocol_of(ijb), 2);
  REQUIRE(results.size() == 8);
  std::set<double> different;
  size_t variant = 0;
  for (bool flip : {true, false}) {
    for (bool keep_norm : {true, false}) {
      for (bool use_score : {true, false}) {
        const ProtocolResult& result = results[variant++];
        CHECK(result.name == concat("x/", flip ? "flip" : "no_flip",
                                    keep_norm ? ",norm_kept" : ",norm_removed",
                                    use_score ? ",score" : ",no_score"));
        const brute::Scores scores =
            brute::plain_pair_scores(ijb, brute::plain_templates(ijb, flip, keep_norm, use_score));
        for (double far : kFar) {
          CHECK(result.value_of(name_with_rate("tar_at_far", far)) == brute::tar_at_most(scores, far));
          CHECK(result.value_of(name_with_rate("tar_nearest_far", far)) ==
                brute::plain_tar_nearest(scores, far));
        }
        CHECK(result.value_of("auc") == Approx(brute::auc(scores)).epsilon(1e-14));
        CHECK(result.counts ==
              std::vector<std::pair<std::string, int64_t>>{
                  {"images", 900}, {"templates", 115}, {"genuine_pairs", 80}, {"impostor_pairs", 1320}});
        different.insert(brute::auc(scores));
        CHECK_THAT(result.description, contains_text("900 instead of "));
      }
    }
  }
  CHECK(different.size() == 8);  // each switch makes a difference
  CHECK(results[0].value_of("tar_at_far_0.01") > 0.2);
  CHECK(results[0].value_of("tar_at_far_0.01") < 1);
}

TEST_CASE(
    "templates are the same to the last bit as plain ones, for any number of threads, alone or together") {
  const brute::TinyIjb ijb;
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  const IjbImages images = read_ijb_images(ijb_files(ijb.meta(), IjbBenchmark::kIjbc));
  const std::vector<int64_t> rows = ijb_rows(images, set);
  const std::vector<TemplateVariant> variants = template_variants({}, true);
  for (int threads : {1, 3}) {
    const auto all = build_templates(images, rows, set.embeddings(), set.mirrored(), variants, threads);
    for (size_t v = 0; v < variants.size(); ++v) {
      const auto plain =
          brute::plain_templates(ijb, variants[v].flip, variants[v].keep_norm, variants[v].detector_score);
      std::vector<float> expected;
      for (const auto& [id, values] : plain) expected.insert(expected.end(), values.begin(), values.end());
      CHECK(all[v].values == expected);
      const auto alone =
          build_templates(images, rows, set.embeddings(), set.mirrored(), {&variants[v], 1}, threads);
      CHECK(alone.front().values == expected);
    }
  }
}

TEST_CASE("scores are those of the listed pairs, in any order of the list and for any number of threads") {
  const brute::TinyIjb ijb;
  const IjbImages images = read_ijb_images(ijb_files(ijb.meta(), IjbBenchmark::kIjbc));
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  const TemplateVariant variant;
  const CanonicalVectors templates =
      build_templates(images, ijb_rows(images, set), set.embeddings(), set.mirrored(), {&variant, 1}).front();
  // Also pairs that stand there twice, both ways round, and of a template with itself; many, which are scored
  // in blocks, or few.
  const int count = GENERATE(3000, 300);
  std::vector<IjbPair> pairs;
  brute::Scores expected;
  ItemRandom random(1, RandomPurpose::kTest, 0, 0);
  for (int i = 0; i < count; ++i) {
    IjbPair pair;
    pair.first = static_cast<uint32_t>(random.below(i % 2 ? 115 : 7));
    pair.second = static_cast<uint32_t>(random.below(115)) & 0x7fffffffU;
    pair.genuine = random.chance(0.2);
    pairs.push_back(pair);
    (pair.genuine ? expected.genuine : expected.impostor)
        .push_back(brute::dot(templates, pair.first, pair.second));
  }
  std::ranges::sort(expected.genuine, std::greater());
  std::ranges::sort(expected.impostor, std::greater());
  for (int threads : {1, 2, 5}) {
    const PairGroups groups(pairs, images.templates.size());
    CHECK(groups.num_genuine() == static_cast<int64_t>(expected.genuine.size()));
    PairScores scores = by_kind(score_pairs(templates, groups, threads), groups);
    sort_descending(scores.genuine, threads);
    sort_descending(scores.impostor, threads);
    CHECK(scores.genuine == expected.genuine);
    CHECK(scores.impostor == expected.impostor);
  }
}

TEST_CASE("the number of threads does not change a bit of the 1:1 results") {
  const brute::TinyIjb ijb;
  const EmbeddingStore set = EmbeddingStore::open(ijb.files());
  const auto text = [&](int threads) {
    Report report{{{"m", {}, run_ijb_verification("x", set, protocol_of(ijb), threads)}}};
    return to_json(report).dump();
  };
  CHECK(text(1) == text(2));
  CHECK(text(1) == text(7));
}

TEST_CASE("variants are chosen by their properties") {
  const auto names = [](std::vector<TemplateProperty> properties, bool mirrored) {
    std::string text;
    for (const TemplateVariant& variant : template_variants(properties, mirrored))
      text += variant.name() + " ";
    return text;
  };
  using P = TemplateProperty;
  CHECK(names({P::kFlip, P::kNormKept, P::kScore}, true) == "flip,norm_kept,score ");
  CHECK(names({P::kNoFlip, P::kNoScore}, true) ==
        "no_flip,norm_kept,no_score no_flip,norm_removed,no_score ");
  CHECK(template_variants({}, true).size() == 8);
  CHECK(template_variants({}, false).size() == 4);
  CHECK_THAT(brute::error_of(ErrorKind::kConfig, [&] { names({P::kFlip}, false); }),
             contains_text("no mirrored embeddings, which flip needs"));
  CHECK_THAT(brute::error_of(ErrorKind::kConfig,
                             [&] {
                               names({P::kScore, P::kNoScore}, true);
                             }),
             contains_text("no variant has all"));

  const brute::TinyIjb ijb;
  EmbeddingFiles files = ijb.files();
  files.mirrored.clear();
  CHECK(names_of(run_ijb_verification("a", EmbeddingStore::open(files), protocol_of(ijb, {P::kNormKept}))) ==
        std::vector<std::string>{"a/no_flip,norm_kept,score", "a/no_flip,norm_kept,no_score"});
}

TEST_CASE("images and templates without a direction are errors that name them") {
  brute::TinyIjb ijb;
  const std::vector<float> zeros(900 * 24, 0.0f);
  std::ofstream(ijb.folder / "embeddings.npy", std::ios::binary)
      << npy_header(900, 24) << as_text(std::as_bytes(std::span(zeros)));
  EmbeddingFiles files = ijb.files();
  files.mirrored.clear();
  const EmbeddingStore set = EmbeddingStore::open(files);
  const auto refusal = [&](TemplateProperty norm) {
    return brute::error_of(ErrorKind::kData,
                           [&] { run_ijb_verification("x", set, protocol_of(ijb, {norm})); });
  };
  CHECK_THAT(refusal(TemplateProperty::kNormKept),
             contains_text("template 1 (no_flip,norm_kept,score) has the length 0"));
  CHECK_THAT(refusal(TemplateProperty::kNormRemoved),
             contains_text("ijbc_face_tid_mid.txt: line 1: the embedding of image '1.jpg' has the length 0"));
}

TEST_CASE("lists with one kind of pair only have no rates") {
  const brute::TinyIjb ijb;
  std::ofstream(ijb.meta() / "ijbc_template_pair_label.txt") << "1 2 0\n";
  const ProtocolResult result =
      run_ijb_verification("x", EmbeddingStore::open(ijb.files()), protocol_of(ijb)).front();
  CHECK(std::isnan(result.value_of("tar_at_far_0.01")));
  CHECK(std::isnan(result.value_of("tar_nearest_far_0.01")));
}

TEST_CASE("synthetic benchmarks have the sizes that were asked for, and do not depend on threads") {
  const brute::TinyIjb one, other;
  CHECK(one.lines("face_tid_mid.txt").size() == 900);
  CHECK(one.lines("template_pair_label.txt").size() == 1400);
  CHECK(brute::plain_entries(one, "1N_gallery_G1.csv").size() == 14);
  CHECK(brute::plain_entries(one, "1N_gallery_G2.csv").size() == 11);
  CHECK(brute::plain_entries(one, "1N_probe_mixed.csv").size() == 90);
  std::set<std::string> pairs;
  int64_t genuine = 0;
  for (const std::string& line : one.lines("template_pair_label.txt")) {
    pairs.insert(line.substr(0, line.rfind(' ')));
    genuine += line.ends_with('1');
  }
  CHECK(pairs.size() == 1400);
  CHECK(genuine == 80);
  write_ijb_synthetic(other.config, other.folder.path(), 5);
  CHECK(read_text_file(one.folder / "embeddings.npy") == read_text_file(other.folder / "embeddings.npy"));
  CHECK(read_text_file(one.folder / "embeddings.npy") !=
        read_text_file(one.folder / "embeddings_mirrored.npy"));
  IjbSyntheticConfig wrong = one.config;
  wrong.genuine_pairs = 91;
  CHECK_THAT(brute::error_of(ErrorKind::kConfig, [&] { write_ijb_synthetic(wrong, one.folder.path()); }),
             contains_text("91 genuine"));
}

}  // namespace uir
