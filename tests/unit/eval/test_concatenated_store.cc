#include "uir/eval/concatenated_store.h"

#include <string>
#include <vector>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/embedding_sets.h"

using namespace uir;

namespace {

EmbeddingStore store_of(const fs::path& folder, int64_t rows, int64_t dim, bool mirrored, uint64_t seed,
                        const std::string& last_item = "last.jpg\t3") {
  std::vector<float> values = brute::random_values(rows * dim, seed),
                     mirror = brute::random_values(rows * dim, seed + 1);
  EmbeddingStoreWriter writer(folder, {rows, dim, mirrored, false}, {{"weights", seed}});
  for (int64_t i = 0; i < rows; ++i) {
    const std::string item = i + 1 == rows ? last_item : concat(i, ".jpg\t", i % 2);
    writer.append({values.data() + i * dim, 1, dim}, mirrored ? mirror.data() + i * dim : nullptr, nullptr,
                  std::span(&item, 1));
  }
  writer.commit();
  return EmbeddingStore::open(folder);
}

}  // namespace

TEST_CASE("A cosine of concatenated models is the mean of theirs", "[concatenated]") {
  const TempFolder folder;
  for (const bool mirrored : {false, true}) {
    const std::vector<EmbeddingStore> parts{store_of(folder / concat("a", mirrored), 20, 7, mirrored, 1),
                                            store_of(folder / concat("b", mirrored), 20, 16, mirrored, 5)};
    const EmbeddingStore both = concatenated_store(parts, std::vector<std::string>{"a", "b"}, 2);
    CHECK(both.embeddings().cols == 23);
    CHECK(both.mirrored().has_value() == mirrored);
    CHECK(both.item(19) == "last.jpg");
    CHECK(both.row_of("4.jpg") == 4);
    CHECK(both.labels()[19] == 3);
    CHECK(both.manifest()["weights"] == Json({1, 5}));
    const CanonicalVectors a = canonical_vectors(parts[0]), b = canonical_vectors(parts[1]),
                           v = canonical_vectors(both);
    for (int64_t i = 0; i < 20; ++i)
      for (int64_t j = 0; j < i; ++j)
        REQUIRE_THAT(score(v.row(i), v.row(j)),
                     Catch::Matchers::WithinAbs((brute::dot(a, i, j) + brute::dot(b, i, j)) / 2, 1e-6));
  }
}

TEST_CASE("Models of different images are not concatenated", "[concatenated]") {
  const TempFolder folder;
  const EmbeddingStore a = store_of(folder / "a", 4, 3, true, 1);
  const std::vector<std::string> names{"a", "b"};
  const auto refused = [&](const EmbeddingStore& b) {
    return brute::error_of(ErrorKind::kData, [&] { concatenated_store(std::vector{a, b}, names, 1); });
  };
  CHECK_THAT(refused(store_of(folder / "b", 5, 3, true, 1)), contains_text("4 and 5 images"));
  CHECK_THAT(refused(store_of(folder / "c", 4, 3, false, 1)), contains_text("only one of them"));
  CHECK_THAT(refused(store_of(folder / "d", 4, 3, true, 1, "other.jpg\t3")),
             contains_text("'last.jpg' and 'other.jpg'"));
  CHECK_THAT(refused(store_of(folder / "e", 4, 3, true, 1, "last.jpg\t2")), contains_text("label 3 and 2"));
  CHECK_THAT(refused(a.with_embeddings(std::vector<float>(12, 0.F), std::vector<float>(12, 0.F), 3, {})),
             contains_text("no direction"));
}

TEST_CASE("Sets of a model that concatenates others", "[concatenated]") {
  const TempFolder folder;
  std::vector<EvalModel> models;
  for (const uint64_t seed : {1, 2}) {
    const fs::path run = folder / concat("run", seed);
    store_of(run / "embeddings" / "faces", 6, 4, true, seed);
    models.push_back({concat("m", seed), {run.string()}, {}});
  }
  EvalModel both{"both", {}, {}};
  both.concatenates = {"m1", "m2"};
  EmbeddingSets sets(both, models, 1);
  sets.check("faces");
  const CanonicalVectors with = sets.canonical("faces", true), without = sets.canonical("faces", false);
  EmbeddingSets first(models[0], {}, 1), second(models[1], {}, 1);
  for (const bool flip : {true, false}) {
    const double mean =
        (score(first.canonical("faces", flip).row(0), first.canonical("faces", flip).row(1)) +
         score(second.canonical("faces", flip).row(0), second.canonical("faces", flip).row(1))) /
        2;
    const CanonicalVectors& v = flip ? with : without;
    CHECK_THAT(score(v.row(0), v.row(1)), Catch::Matchers::WithinAbs(mean, 1e-6));
  }
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput, [&] { sets.store("others"); }),
             contains_text("model m1") && contains_text("others"));
}
