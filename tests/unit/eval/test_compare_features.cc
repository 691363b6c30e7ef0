#include "uir/eval/compare_features.h"

#include <string>
#include <vector>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/random.h"
#include "uir/report/comparison.h"
#include "uir/report/report.h"
#include "uir/store/embedding_store.h"

using namespace uir;

namespace {

constexpr int64_t kDim = 8;

// Features of 40 people with three images and 20 with one; noise: how much their images differ.
void write_features(const fs::path& file, double noise, uint64_t seed) {
  ItemRandom centers(1, RandomPurpose::kTest, 0, 0), images(seed, RandomPurpose::kTest, 0, 1);
  std::vector<float> values;
  for (int64_t person = 0; person < 60; ++person) {
    std::vector<double> center;
    for (int64_t d = 0; d < kDim; ++d) center.push_back(centers.normal());
    for (int64_t image = 0; image < (person < 40 ? 3 : 1); ++image) {
      for (int64_t d = 0; d < kDim; ++d)
        values.push_back(static_cast<float>(center[static_cast<size_t>(d)] + noise * images.normal()));
    }
  }
  const int64_t rows = std::ssize(values) / kDim;
  write_file_atomically(
      file, npy_header(rows, kDim) +
                std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
}

std::string list_of(const std::string& form) {
  std::string text;
  for (int64_t person = 0; person < 60; ++person) {
    for (int64_t image = 0; image < (person < 40 ? 3 : 1); ++image) {
      const std::string name = concat("p", person);
      text += form == "tab"       ? concat(name, "/ a", image, ".jpg\t", name, "\n")
              : form == "folder"  ? concat("faces/", name, "/", image, ".jpg\r\n")
              : form == "windows" ? concat("faces\\", name, "\\", image, ".jpg\r\n")
                                  : concat(name, "\n");
    }
  }
  return text;
}

}  // namespace

TEST_CASE("two networks by their features alone: which is better, and whether that is decided") {
  const TempFolder folder;
  write_features(folder / "a.npy", 1, 1);
  write_features(folder / "b.npy", 1, 1);
  write_features(folder / "worse.npy", 2, 2);
  const std::string form = GENERATE("tab", "folder", "windows", "person");
  write_file_atomically(folder / "list.txt", "\xef\xbb\xbf" + list_of(form) + "\n\n");
  FeatureComparison asked;
  asked.features = {folder / "a.npy", folder / "b.npy", folder / "worse.npy"};
  asked.list = folder / "list.txt";
  asked.far = {0.01};
  const Report report = compare_features(asked);
  REQUIRE(report.models.size() == 3);
  CHECK(report.models[2].name == "worse");
  REQUIRE(report.models[0].results.size() == 2);
  CHECK(report.models[0].results[1].type == "open_set");

  const Comparison comparison = compare(report);
  const ComparedNumber& auc = comparison.protocols[0].numbers[0];
  REQUIRE(auc.name == "auc");
  CHECK(!auc.difference_interval(1));  // the same scores
  CHECK(auc.verdict(1).empty());
  CHECK(auc.verdict(2) == "worse");
  CHECK(auc.difference_interval(2)->high < 0);
  const ComparedNumber& eer = comparison.protocols[0].numbers[1];
  CHECK(eer.verdict(2) == "worse");  // though it is larger
  CHECK_THAT(to_text(report), contains_text("worse"));
}

TEST_CASE("comparisons that cannot be made") {
  const TempFolder folder;
  write_features(folder / "a.npy", 0.5, 1);
  FeatureComparison asked;
  asked.features = {folder / "a.npy", folder / "a.npy"};
  asked.names = {"x", "y"};
  asked.list = folder / "list.txt";
  const auto error = [&](ErrorKind kind) { return brute::error_of(kind, [&] { compare_features(asked); }); };
  write_file_atomically(folder / "list.txt", "a\nb\n");
  CHECK_THAT(error(ErrorKind::kData), contains_text("140 rows") && contains_text("2 lines"));
  write_file_atomically(folder / "list.txt", "a x\n\nb\n");
  CHECK_THAT(error(ErrorKind::kData), contains_text("line 2"));
  write_file_atomically(folder / "list.txt", "a\t-1\n");
  CHECK_THAT(error(ErrorKind::kData), contains_text("without a person"));
  for (const char* line : {"a b c", "p0 x/1.jpg", "a.jpg,p0", "a.jpg\t", "a\tb\tc"}) {
    CAPTURE(line);
    write_file_atomically(folder / "list.txt", line);
    CHECK_THAT(error(ErrorKind::kData), contains_text("line 1") && contains_text("a line is"));
  }
  write_file_atomically(folder / "list.txt", "a.jpg\tp\nb.jpg\tp\na.jpg\tq\n");
  CHECK_THAT(error(ErrorKind::kData), contains_text("line 3") && contains_text("twice"));
  asked.names = {"x", "x"};
  CHECK_THAT(error(ErrorKind::kUsage), contains_text("one name"));
  asked.names = {};
  asked.features.pop_back();
  CHECK_THAT(error(ErrorKind::kUsage), contains_text("two files"));
}
