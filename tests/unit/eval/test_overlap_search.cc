#include "uir/eval/overlap_search.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

using namespace uir;

namespace {

using Vectors = std::vector<std::vector<float>>;

EmbeddingStore store_of(const fs::path& folder, const Vectors& vectors,
                        const std::vector<std::string>& items) {
  const auto dim = static_cast<int64_t>(vectors.front().size());
  EmbeddingStoreWriter writer(folder, {std::ssize(vectors), dim, false, false}, Json::object());
  for (size_t i = 0; i < vectors.size(); ++i)
    writer.append({vectors[i].data(), 1, dim}, nullptr, nullptr, std::span(&items[i], 1));
  writer.commit();
  return EmbeddingStore::open(folder);
}

// Two classes along the axes, one test image between them, and unlabeled images at chosen places.
struct Faces {
  TempFolder folder;
  EmbeddingStore centers = store_of(folder / "centers", {{1, 0, 0}, {0, 1, 0}}, {"Ann\t0", "Bob\t1"});
  EmbeddingStore test = store_of(folder / "test", {{0, 0, 1}}, {"t.jpg\t-1"});
  EmbeddingStore labeled = store_of(folder / "labeled", {{4, 3, 0}}, {"Ann/1.jpg\t0"});
  EmbeddingStore web = store_of(folder / "web", {{3, 0, 0}, {0, 2, 2}, {0, 3, 4}, {-1, 0, -1}, {-1, 0, -1}},
                                {"a\t-1", "b\t-1", "c\t-1", "d\t-1", "e\t-1"});

  SetOverlap search(const OverlapRules& rules) const {
    OverlapSearch search(rules, {{"class_centers", &centers}, {"test", &test}}, {}, folder.path());
    search.add_labeled({"labeled", &labeled});
    return search.search({"web", &web});
  }
};

}  // namespace

TEST_CASE("An image goes for the first target whose threshold it reaches", "[overlap]") {
  const Faces faces;
  OverlapRules rules;
  rules.threshold = 0.7;
  rules.against_threshold = 0.7;
  const SetOverlap found = faces.search(rules);
  CHECK(found.removed == std::vector<int64_t>{0, 1, 2});
  CHECK(found.removed_list ==
        "a\tclass_centers\t1.000\tAnn\nb\tclass_centers\t0.707\tBob\nc\ttest\t0.800\tt.jpg\n");
  REQUIRE(found.filter);
  CHECK(found.filter->matches == 3);
  CHECK(found.filter->duplicates == 0);
  CHECK(found.filter->left == 2);

  rules.against_threshold.reset();
  CHECK(faces.search(rules).removed == std::vector<int64_t>{0, 1});
  CHECK_FALSE(faces.search({}).filter);
  CHECK(faces.search({}).removed_list.empty());
}

TEST_CASE("Of near-duplicates the first stays, and each group is shown once", "[overlap]") {
  const Faces faces;
  OverlapRules rules;
  rules.duplicates = 0.999;
  SetOverlap found = faces.search(rules);
  REQUIRE(found.duplicates);
  CHECK(found.duplicates->groups == 1);
  CHECK(found.duplicates->images == 2);
  CHECK(found.duplicates->largest == 2);
  REQUIRE(found.duplicate_pairs.size() == 1);
  CHECK(found.duplicate_pairs[0].first == 3);
  CHECK(found.duplicate_pairs[0].other == 4);
  CHECK(found.removed.empty());

  rules.remove_duplicates = true;
  rules.threshold = 0.99;
  found = faces.search(rules);
  CHECK(found.removed == std::vector<int64_t>{0, 4});
  CHECK(found.removed_list == "a\tclass_centers\t1.000\tAnn\ne\tnear-duplicate\t\td\n");
  CHECK(found.filter->duplicates == 1);
  CHECK(found.filter->left == 3);
}

TEST_CASE("The table has the thresholds of the rules, and matches stand best first", "[overlap]") {
  const Faces faces;
  OverlapRules rules;
  rules.threshold = 0.72;
  const SetOverlap found = faces.search(rules);
  REQUIRE(found.targets.size() == 2);
  const SetOverlap::Target& centers = found.targets[0];
  REQUIRE(centers.table.size() == 19);
  CHECK(centers.table[13].threshold == 0.72);
  CHECK(centers.table[13].removed == 1);
  CHECK(centers.table[13].caught == 1);  // the labeled image has 0.8 with its own center, 0.6 with the other
  CHECK(centers.table[13].wrong == 0);
  CHECK(found.labeled_images == 1);
  REQUIRE(centers.closest.size() == 5);
  CHECK(centers.closest[0].item == "a");
  CHECK(centers.closest[1].item == "b");
  CHECK(centers.closest[1].match == "Bob");
  CHECK(centers.closest[1].row == 1);
  CHECK(centers.closest[1].column == 1);
  CHECK(centers.closest[3].item == "d");  // equal cosines by row
  CHECK(found.targets[1].closest[0].item == "c");
}

TEST_CASE("Embeddings of another dimension are refused by the set's name", "[overlap]") {
  const Faces faces;
  const EmbeddingStore flat = store_of(faces.folder / "flat", {{1, 0}}, {"x\t-1"});
  const auto error = error_of([&] {
    OverlapSearch({}, {{"class_centers", &faces.centers}, {"flat", &flat}}, {}, ".");
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("set 'flat': embeddings of 2 numbers, the class centers have 3"));
}
