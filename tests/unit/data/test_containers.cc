// RecordIO, verification sets and landmarks as sources of an index.
#include "uir/data/index.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "index_files.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/random.h"
#include "uir/data/image_source.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/pixels/pixels.h"

using namespace uir;
using namespace std::string_literals;

TEST_CASE("RecordIO labels must be whole numbers that float32 holds exactly", "[index]") {
  const TempFolder folder;
  const auto refusal = [&](float label, Role role = Role::kLabeled) {
    RecordWriter writer(folder / "a.rec", folder / "a.idx");
    writer.write(4, label, jpeg_face(0, 0));
    writer.close();
    const auto error = build_error(folder, {record_source("rec", role, folder / "a.rec")});
    return error ? std::string(error->what()) : "accepted";
  };
  for (const float bad : {-1.0f, 0.5f, 16777216.0f, std::numeric_limits<float>::quiet_NaN(),
                          std::numeric_limits<float>::infinity()}) {
    CHECK_THAT(refusal(bad), contains_text("a.rec: record 4 at offset 0: label"));
  }
  write(folder / "property", "5,112,112\n");
  CHECK_THAT(refusal(5), contains_text("label 5 is not a whole number in [0, 5)"));
  write(folder / "property", "many\n");
  CHECK_THAT(refusal(0), contains_text("property: expected"));
  RecordWriter writer(folder / "a.rec", folder / "a.idx");
  writer.write(4, -7.5f, jpeg_face(0, 0));
  writer.close();
  build(folder / "index", {record_source("rec", Role::kUnlabeled, folder / "a.rec")});
  CHECK(labels_of(Index::open(folder / "index")) == std::vector<int64_t>{-1});
}

TEST_CASE("RecordIO with several labels a record, and with more images than float32 counts", "[index]") {
  const TempFolder folder;
  const auto classes_of = [&](const fs::path& rec) {
    const IndexReport report = build(folder / "index", {record_source("rec", Role::kLabeled, rec)});
    CHECK(report.sources[0].bad == 0);
    return std::pair(report.images, report.num_classes);
  };
  RecordWriter several(folder / "a.rec", folder / "a.idx");
  for (uint64_t key = 0; key < 6; ++key)
    several.write(key, std::array{static_cast<float>(4 - key / 2), 1.0f, 0.5f},
                  jpeg_face(1, static_cast<int64_t>(key)));
  several.close();
  CHECK(classes_of(folder / "a.rec") == std::pair<int64_t, int64_t>{6, 3});
  write(folder / "property", "5,112,112\n");
  CHECK(classes_of(folder / "a.rec") == std::pair<int64_t, int64_t>{6, 3});
  write(folder / "property", "4,112,112\n");
  CHECK_THAT(error_of([&] { classes_of(folder / "a.rec"); })->what(),
             contains_text("label 4 is not a whole number in [0, 4)"));
  fs::remove(folder / "property");

  constexpr uint64_t kLast = 30'000'003;
  RecordWriter large(folder / "b.rec", folder / "b.idx");
  for (const uint64_t key : {uint64_t{1}, uint64_t{2}, kLast - 1, kLast})
    large.write(key, key > 2, jpeg_face(key > 2, static_cast<int64_t>(key % 2)));
  large.write(kLast + 1, std::array{1.0f, 3.0f}, {});
  large.write(kLast + 2, std::array{static_cast<float>(kLast - 1), static_cast<float>(kLast + 1)}, {});
  large.write(0, std::array{static_cast<float>(kLast + 1), static_cast<float>(kLast + 3)}, {});
  large.close();
  CHECK(classes_of(folder / "b.rec") == std::pair<int64_t, int64_t>{4, 2});
  CHECK(items_of(Index::open(folder / "index")) ==
        std::vector<std::string>{"1", "2", "30000002", "30000003"});
}

TEST_CASE("Verification sets are indexed as test rows", "[index]") {
  const TempFolder folder;
  BinSetWriter writer(folder / "set.bin");
  for (int64_t i = 0; i < 4; ++i) writer.add_image(jpeg_face(i, 0));
  const std::array<uint8_t, 2> is_same{1, 0};
  writer.commit(is_same);
  build(folder / "index", {bin_source("pairs", folder / "set.bin")});
  const Index index = Index::open(folder / "index");
  CHECK(index.size() == 4);
  CHECK(index.item(3) == "3");
  CHECK(index.offsets()[3] == 3);
  CHECK(index.hashes()[2] == content_hash(jpeg_face(2, 0)));
  CHECK(labels_of(index) == std::vector<int64_t>(4, -1));
  SourceConfig labeled = bin_source("pairs", folder / "set.bin");
  labeled.role = Role::kLabeled;
  CHECK(kind_of([&] { build(folder / "other", {labeled}); }) == ErrorKind::kConfig);
}

TEST_CASE("Landmarks come from a CSV beside a source", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  write(
      folder / "points.csv",
      "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\np1/0.jpg,1,2,3,4,5,6,7,8,9,10\nother.jpg,1,2,3,4,5,6,7,8,9,10\n");
  SourceConfig tree = folder_source("tree", Role::kLabeled, folder / "faces");
  std::get<FolderSource>(tree.kind).landmarks = {(folder / "points.csv").string()};
  build(folder / "index", {synthetic_source("drawn", Role::kTest, 1, 1), tree});
  const Index index = Index::open(folder / "index", Index::Check::kFull);
  REQUIRE(index.landmarks().size() == 5);
  CHECK(index.landmarks()[3] == std::array<float, 10>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(index.landmarks()[0] == std::array<float, 10>{});
  CHECK(index.flags()[3] == kHasLandmarks);
  CHECK(index.flags()[2] == 0);
  build(folder / "index", {synthetic_source("drawn", Role::kTest, 1, 1)});
  CHECK(Index::open(folder / "index").landmarks().empty());
  write(folder / "points.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\nother.jpg,1,2,3,4,5,6,7,8,9,10\n");
  CHECK_THAT(error_of([&] { build(folder / "index", {tree}); })->what(), contains_text("none of its rows"));
}

TEST_CASE("IJB's list: rows in its order with its points, an image listed twice is two rows", "[index]") {
  const TempFolder folder;
  for (const int image : {1, 2})
    write_bytes(folder / ("crop/" + std::to_string(image) + ".jpg"), jpeg_face(0, image));
  write(folder / "points.txt",
        "2.jpg 1 2 3 4 5 6 7 8 9 10 0.5\n1.jpg 11 2 3 4 5 6 7 8 9 10 1\n2.jpg 21 2 3 4 5 6 7 8 9 10 0.5\n");
  const SourceConfig ijb =
      list_source("ijbc", Role::kTest, folder / "points.txt", folder / "crop", ListFormat::kIjb);
  for (int run = 0; run < 2; ++run) {  // the second one takes over what the first has read
    build(folder / "index", {ijb});
    const Index index = Index::open(folder / "index", Index::Check::kFull);
    REQUIRE(index.size() == 3);
    const std::vector<std::string> items{"2.jpg", "1.jpg", "2.jpg"};
    for (int64_t row = 0; row < 3; ++row) {
      CHECK(index.item(row) == items[row]);
      CHECK(index.landmarks()[row][0] == static_cast<float>(1 + 10 * row));
      CHECK(index.labels()[row] == -1);
    }
    CHECK(index.hashes()[0] == index.hashes()[2]);
    CHECK(index.hashes()[0] != index.hashes()[1]);
  }
  SourceConfig labeled = ijb;
  labeled.role = Role::kLabeled;
  CHECK_THAT(error_of([&] { build(folder / "index", {labeled}); })->what(),
             contains_text("lists of format ijb have no labels"));
}
