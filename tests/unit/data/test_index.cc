#include "uir/data/index.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/base/random.h"
#include "uir/data/index_builder.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"

using namespace uir;
using namespace std::string_literals;

namespace {

void write(const fs::path& path, std::string_view content) {
  create_folders(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void put_byte(const fs::path& path, size_t at, char byte) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

SourceConfig list_source(const std::string& name, Role role, const fs::path& list, const fs::path& root,
                         ListFormat format = ListFormat::kPathLabel) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = ListSource{{list.string()}, {root.string()}, format, {}};
  return source;
}

SourceConfig record_source(const std::string& name, Role role, const fs::path& rec) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = RecordIoSource{{rec.string()}, {}};
  return source;
}

SourceConfig bin_source(const std::string& name, const fs::path& file) {
  SourceConfig source;
  source.name = name;
  source.role = Role::kTest;
  source.kind = BinSource{{file.string()}};
  return source;
}

IndexReport build(const fs::path& folder, std::vector<SourceConfig> sources, int threads = 2) {
  DataConfig config;
  config.sources = std::move(sources);
  return build_index(config, folder, threads);
}

std::optional<Error> build_error(const TempFolder& folder, std::vector<SourceConfig> sources) {
  const auto error = error_of([&] { build(folder / "index", std::move(sources)); });
  CHECK_FALSE(fs::exists(folder / "index"));  // nothing half-written
  return error;
}

// All files of a folder by name.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = read_text_file(entry.path());
  }
  return files;
}

std::vector<std::string> items_of(const Index& index) {
  std::vector<std::string> items;
  for (int64_t row = 0; row < index.size(); ++row) items.emplace_back(index.item(row));
  return items;
}

std::vector<int64_t> labels_of(const Index& index) { return {index.labels().begin(), index.labels().end()}; }

}  // namespace

TEST_CASE("A folder tree: identities in byte order, rows in byte order of their paths", "[index]") {
  const TempFolder folder;
  const auto image = jpeg_face(0, 0);
  for (const char* name : {"b/2.jpg", "b/10.JPG", "a/x.jpeg", "Z/1.jpg", "a/.hidden.jpg", "a/notes.txt"}) {
    write_bytes(folder / "faces" / name, image);
  }
  create_folders(folder / "faces" / "empty");
  const IndexReport report =
      build(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  const Index index = Index::open(folder / "index", Index::Check::kFull);
  CHECK(items_of(index) == std::vector<std::string>{"Z/1.jpg", "a/x.jpeg", "b/10.JPG", "b/2.jpg"});
  CHECK(labels_of(index) == std::vector<int64_t>{0, 1, 2, 2});
  CHECK(index.num_classes() == 3);
  CHECK(index.identity_name(0) == "Z");
  CHECK(index.identity_name(2) == "b");
  CHECK(index.hashes()[0] == content_hash(image));
  CHECK(index.sizes()[0] == image.size());
  CHECK(index.flags()[0] == 0);
  CHECK(index.pixel_sizes()[0] == std::array<uint16_t, 2>{112, 112});
  CHECK(report.images_read == 4);
  CHECK(report.repeated == 3);
}

TEST_CASE("An unlabeled folder tree is read at any depth", "[index]") {
  const TempFolder folder;
  for (const char* name : {"b.jpg", "b/c/1.jpg", "b/2.jpg", "a.jpg", "b-1.jpg"})
    write_bytes(folder / "faces" / name, jpeg_face(0, 0));
  build(folder / "index", {folder_source("strangers", Role::kUnlabeled, folder / "faces")});
  const Index index = Index::open(folder / "index");
  const auto items = items_of(index);
  CHECK(items == std::vector<std::string>{"a.jpg", "b-1.jpg", "b.jpg", "b/2.jpg", "b/c/1.jpg"});
  CHECK(std::is_sorted(items.begin(), items.end()));
  CHECK(labels_of(index) == std::vector<int64_t>(5, -1));
  CHECK(index.num_classes() == 0);
}

TEST_CASE("Sources are merged with disjoint identities", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  write(folder / "list.txt", "p1/0.jpg\t7\np0/0.jpg\t10\np0/1.jpg\t7\n");
  write(folder / "test.txt", "p0/0.jpg\tAnn\np0/1.jpg\tBob\np1/0.jpg\tAnn\n");
  RecordWriter writer(folder / "a.rec", folder / "a.idx");
  writer.write(0, 5, jpeg_face(3, 0));
  writer.write(1, std::array{2.0f, 9.0f}, jpeg_face(3, 1));
  writer.close();
  const IndexReport report =
      build(folder / "index", {synthetic_source("drawn", Role::kTest, 2, 2),
                               folder_source("tree", Role::kLabeled, folder / "faces"),
                               folder_source("strangers", Role::kUnlabeled, folder / "faces"),
                               list_source("list", Role::kLabeled, folder / "list.txt", folder / "faces"),
                               list_source("pairs", Role::kTest, folder / "test.txt", folder / "faces"),
                               record_source("records", Role::kLabeled, folder / "a.rec")});
  const Index index = Index::open(folder / "index", Index::Check::kFull);
  // drawn | tree | strangers | list (7 < 10 as numbers) | pairs (after the drawn test identities) | records
  // (2 < 5)
  CHECK(labels_of(index) ==
        std::vector<int64_t>{0, 0, 1, 1, 0, 0, 1, 1, -1, -1, -1, -1, 2, 3, 2, 2, 3, 2, 5, 4});
  CHECK(index.num_classes() == 6);
  CHECK(index.num_test_identities() == 4);
  CHECK(index.identity_name(3) == "10");
  CHECK(index.identity_name(5) == "5");
  CHECK(index.test_identity_name(3) == "Bob");
  CHECK(index.source("list").first_class == 2);
  CHECK(index.source("records").num_classes == 2);
  CHECK(index.source_of_row(4).name == "tree");
  CHECK(index.source_of_row(3).name == "drawn");
  CHECK(index.source_of_row(19).name == "records");
  CHECK(index.item(18) == "0");
  CHECK(kind_of([&] { index.source("nobody"); }) == ErrorKind::kConfig);
  CHECK(index.training_rows(Role::kLabeled).size() == 9);
  CHECK(index.training_rows(Role::kUnlabeled).size() == 4);
  CHECK(index.set_rows("pairs") == std::vector<int64_t>{15, 16, 17});
  CHECK(index.default_sets() == std::vector<std::string>{"drawn", "pairs"});
  CHECK(report.num_classes == 6);
}

TEST_CASE("List labels: what cannot be explained is refused with file and line", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 2);
  const auto refusal = [&](const std::string& lines, ListFormat format = ListFormat::kPathLabel,
                           Role role = Role::kLabeled) {
    write(folder / "list.txt", lines);
    const auto error =
        build_error(folder, {list_source("mine", role, folder / "list.txt", folder / "faces", format)});
    return error ? concat(static_cast<int>(error->kind()), " ", error->what()) : "accepted";
  };
  CHECK_THAT(refusal("p0/0.jpg\t-1\n"),
             contains_text("65 source 'mine': ") && contains_text("list.txt:1: label '-1'"));
  CHECK_THAT(refusal("p0/0.jpg\t0\np0/1.jpg\tnan\n"), contains_text("list.txt:2: label 'nan'"));
  CHECK_THAT(refusal("p0/0.jpg\t1.5\n"), contains_text("label '1.5'"));
  CHECK_THAT(refusal("p0/0.jpg\t1e300\n"), contains_text("label '1e300'"));
  CHECK_THAT(refusal("p0/0.jpg\t0\np0/1.jpg\tAnn\n"),
             contains_text("list.txt:2: label 'Ann'") && contains_text("hold numbers"));
  CHECK_THAT(refusal("p0/0.jpg\tAnn\np0/1.jpg\t1\n"),
             contains_text("list.txt:2: label '1'") && contains_text("hold names"));
  CHECK_THAT(refusal("1\tAnn\tp0/0.jpg\n", ListFormat::kIm2rec), contains_text("label 'Ann'"));
  CHECK_THAT(refusal("p0/0.jpg\n", ListFormat::kPath),
             contains_text("78") && contains_text("have no labels"));
  CHECK_THAT(refusal("p0/0.jpg\t-2\n", ListFormat::kPathLabel, Role::kTest), contains_text("label '-2'"));
  CHECK_THAT(refusal("p0/0.jpg\t0\np0/9.jpg\t0\n"),
             contains_text("66") && contains_text("list.txt:2: ") && contains_text("p0/9.jpg"));
  CHECK_THAT(refusal("\n\n"), contains_text("has no images"));
  write(folder / "list.txt", "p0/0.jpg\t-1\np0/1.jpg\t3\n");
  build(folder / "index", {list_source("mine", Role::kTest, folder / "list.txt", folder / "faces")});
  CHECK(labels_of(Index::open(folder / "index")) == std::vector<int64_t>{-1, 0});
}

TEST_CASE("Lists cannot lead out of their root", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 1);
  write_faces(folder / "secret", 1, 1);
  fs::create_directory_symlink(folder / "secret", folder / "faces" / "link");
  fs::create_symlink(folder / "secret" / "p0" / "0.jpg", folder / "faces" / "p0" / "link.jpg");
  fs::create_symlink("0.jpg", folder / "faces" / "p0" / "inside.jpg");
  fs::create_symlink(folder / "faces" / "p0" / "0.jpg", folder / "faces" / "p0" / "absolute.jpg");
  const auto kind = [&](const std::string& path) {
    write(folder / "list.txt", "p0/0.jpg\t0\n" + path + "\t0\n");
    const auto error =
        build_error(folder, {list_source("mine", Role::kLabeled, folder / "list.txt", folder / "faces")});
    if (error) CHECK_THAT(error->what(), contains_text("list.txt:2"));
    return error ? std::optional(error->kind()) : std::nullopt;
  };
  CHECK(kind("../secret/p0/0.jpg") == ErrorKind::kData);
  CHECK(kind("p0/../../secret/p0/0.jpg") == ErrorKind::kData);
  CHECK(kind((folder / "faces" / "p0" / "0.jpg").string()) == ErrorKind::kData);
  CHECK(kind("link/p0/0.jpg") == ErrorKind::kData);
  CHECK(kind("p0/link.jpg") == ErrorKind::kData);
  CHECK(kind("p0") == ErrorKind::kMissingInput);
  write(folder / "list.txt", "p0/inside.jpg\t0\n./p0//0.jpg\t0\nx/../p0/0.jpg\t0\np0/absolute.jpg\t0\n");
  build(folder / "index", {list_source("mine", Role::kLabeled, folder / "list.txt", folder / "faces")});
  CHECK(items_of(Index::open(folder / "index")) ==
        std::vector<std::string>{"p0/inside.jpg", "p0/0.jpg", "p0/0.jpg", "p0/absolute.jpg"});
}

TEST_CASE("Folder trees of another shape are refused", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 1);
  const std::vector<SourceConfig> sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  write_bytes(folder / "faces" / "stray.jpg", jpeg_face(0, 0));
  CHECK_THAT(build_error(folder, sources)->what(),
             contains_text("stray.jpg: lies outside any identity's folder"));
  fs::remove(folder / "faces" / "stray.jpg");
  create_folders(folder / "faces" / "p0" / "deeper");
  CHECK_THAT(build_error(folder, sources)->what(), contains_text("p0/deeper: is a folder within"));
  fs::remove(folder / "faces" / "p0" / "deeper");
  fs::create_directory_symlink(folder / "faces" / "p0", folder / "faces" / "p2");
  CHECK_THAT(build_error(folder, sources)->what(), contains_text("a link to a folder"));
  CHECK(build_error(folder, {folder_source("tree", Role::kLabeled, folder / "nowhere")})->kind() ==
        ErrorKind::kMissingInput);
  create_folders(folder / "void");
  CHECK_THAT(build_error(folder, {folder_source("tree", Role::kLabeled, folder / "void")})->what(),
             contains_text("has no images"));
}

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

TEST_CASE("Held-out images: the wanted share, never more than leaves two", "[index]") {
  const TempFolder folder;
  SourceConfig known = synthetic_source("known", Role::kLabeled, 400, 10),
               few = synthetic_source("few", Role::kLabeled, 200, 3, 1000);
  SourceConfig two = synthetic_source("two", Role::kLabeled, 100, 2, 2000),
               strangers = synthetic_source("strangers", Role::kUnlabeled, 2000, 1, 3000);
  known.held_out = 0.2, few.held_out = 0.9, two.held_out = 0.9, strangers.held_out = 0.25;
  build(folder / "index", {known, few, two, strangers});
  const Index index = Index::open(folder / "index");
  // Binomial: 4000 × 0.2 = 800 ± 25; 2000 × 0.25 = 500 ± 19.
  CHECK(index.set_rows("known.held_out").size() > 700);
  CHECK(index.set_rows("known.held_out").size() < 900);
  CHECK(index.set_rows("strangers.held_out").size() > 420);
  CHECK(index.set_rows("strangers.held_out").size() < 580);
  CHECK(index.set_rows("two.held_out").empty());
  std::vector<int64_t> left(static_cast<size_t>(index.num_classes()), 0);
  for (const int64_t row : index.training_rows(Role::kLabeled))
    ++left[static_cast<size_t>(index.labels()[static_cast<size_t>(row)])];
  CHECK(*std::min_element(left.begin(), left.end()) >= 2);
  CHECK(index.set_rows("few.held_out").size() > 180);  // nearly every identity gives its one
  CHECK(index.default_sets() ==
        std::vector<std::string>{"known.held_out", "few.held_out", "strangers.held_out"});
  CHECK(index.set_rows("known").size() == 4000);

  // A row stays on its side when others come.
  std::set<std::string> before, after;
  for (const int64_t row : index.set_rows("strangers.held_out")) before.emplace(index.item(row));
  std::get<SyntheticSource>(strangers.kind).identities = 3000;
  build(folder / "index", {strangers});
  const Index grown = Index::open(folder / "index");
  for (const int64_t row : grown.set_rows("strangers.held_out")) after.emplace(grown.item(row));
  CHECK(std::includes(after.begin(), after.end(), before.begin(), before.end()));

  SourceConfig test = synthetic_source("test", Role::kTest, 3, 3);
  test.held_out = 0.5;
  CHECK(kind_of([&] { build(folder / "index", {test}); }) == ErrorKind::kConfig);
  CHECK(kind_of([&] { build(folder / "index", {}); }) == ErrorKind::kConfig);
}

TEST_CASE("A second run reads only what changed", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 4, 3);
  const std::vector<SourceConfig> sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  CHECK(build(folder / "index", sources).images_read == 12);
  const auto first = contents(folder / "index");
  const IndexReport again = build(folder / "index", sources);
  CHECK(again.images_read == 0);
  CHECK(again.images_reused == 12);
  CHECK(contents(folder / "index") == first);

  write_bytes(face_path(folder / "faces", 1, 1), jpeg_face(9, 9));  // changed
  write_bytes(face_path(folder / "faces", 2, 7), jpeg_face(9, 8));  // new
  fs::remove(face_path(folder / "faces", 0, 0));                    // gone
  const IndexReport changed = build(folder / "index", sources);
  CHECK(changed.images_read == 2);
  CHECK(changed.images_reused == 10);
  const auto incremental = contents(folder / "index");
  build(folder / "fresh", sources);
  CHECK(contents(folder / "fresh") == incremental);

  // Same size, another time stamp: read again. The content is the same, so the fingerprint stays.
  const auto path = face_path(folder / "faces", 3, 0);
  const std::string fingerprint = Index::open(folder / "index").fingerprint();
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
  CHECK(build(folder / "index", sources).images_read == 1);
  CHECK(Index::open(folder / "index").fingerprint() == fingerprint);
}

TEST_CASE("An image whose header could not be read is read again: a newer program may know it", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  write_bytes(face_path(folder / "faces", 1, 1), as_bytes("not an image"));
  const std::vector<SourceConfig> sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  CHECK(build(folder / "index", sources).images_read == 4);
  const auto first = contents(folder / "index");
  const IndexReport again = build(folder / "index", sources);
  CHECK(again.images_read == 1);
  CHECK(again.images_reused == 3);
  CHECK(contents(folder / "index") == first);
}

TEST_CASE("A list in another order finds what was known", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 4);
  const std::vector<SourceConfig> sources{
      list_source("list", Role::kUnlabeled, folder / "list.txt", folder / "faces", ListFormat::kPath)};
  write(folder / "list.txt", "p0/0.jpg\np0/1.jpg\np0/2.jpg\n");
  build(folder / "index", sources);
  write(folder / "list.txt", "p0/2.jpg\np0/3.jpg\np0/0.jpg\np0/1.jpg\n");
  const IndexReport report = build(folder / "index", sources);
  CHECK(report.images_read == 1);
  CHECK(report.images_reused == 3);
  const Index index = Index::open(folder / "index");
  for (int64_t row = 0; row < 4; ++row) {
    const std::string bytes = read_text_file(folder / "faces" / std::string(index.item(row)));
    CHECK(index.hashes()[static_cast<size_t>(row)] == content_hash(as_bytes(bytes)));
  }
}

TEST_CASE("RecordIO of the same time stamp is not read again", "[index]") {
  const TempFolder folder;
  RecordWriter writer(folder / "a.rec", folder / "a.idx");
  for (uint64_t key = 0; key < 5; ++key) writer.write(key, 0, jpeg_face(0, static_cast<int64_t>(key)));
  writer.close();
  const std::vector<SourceConfig> sources{record_source("rec", Role::kLabeled, folder / "a.rec")};
  CHECK(build(folder / "index", sources).images_read == 5);
  CHECK(build(folder / "index", sources).images_reused == 5);
}

TEST_CASE("A damaged index is not taken over", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  const std::vector<SourceConfig> sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  build(folder / "index", sources);
  const auto whole = contents(folder / "index");
  std::string hashes = whole.at("hashes.u128");
  hashes[3] ^= 1;
  write(folder / "index" / "hashes.u128", hashes);
  CHECK(build(folder / "index", sources).images_read == 4);
  CHECK(contents(folder / "index") == whole);
}

TEST_CASE("The index does not depend on the number of threads", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 20, 10);
  SourceConfig tree = folder_source("tree", Role::kLabeled, folder / "faces");
  tree.held_out = 0.3;
  const std::vector<SourceConfig> sources{tree, synthetic_source("drawn", Role::kUnlabeled, 30, 2)};
  build(folder / "one", sources, 1);
  build(folder / "five", sources, 5);
  CHECK(contents(folder / "one") == contents(folder / "five"));
}

namespace {
struct Crash {};
}  // namespace

TEST_CASE("An interruption at any point leaves the old index or the new one", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  const std::vector<SourceConfig> old_sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  const std::vector<SourceConfig> new_sources{folder_source("tree", Role::kUnlabeled, folder / "faces")};
  build(folder / "new", new_sources, 1);
  const auto wanted = contents(folder / "new");
  build(folder / "index", old_sources, 1);
  const auto old = contents(folder / "index");

  static int calls_left = 0;
  bool interrupted = true;
  for (int crash_at = 1; interrupted; ++crash_at) {
    calls_left = crash_at;
    set_failpoint_handler([](std::string_view) {
      if (--calls_left == 0) throw Crash();
    });
    interrupted = false;
    try {
      build(folder / "index", new_sources, 1);
    } catch (const Crash&) {
      interrupted = true;
    }
    set_failpoint_handler(nullptr);
    const auto found = contents(folder / "index");
    const bool valid = found == old || found == wanted;
    CHECK(valid);
    if (found == wanted) build(folder / "index", old_sources, 1);
  }
  build(folder / "index", new_sources, 1);
  CHECK(contents(folder / "index") == wanted);
}

TEST_CASE("Every flipped bit and every cut is detected by the full check", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  write(folder / "points.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\np1/0.jpg,1,2,3,4,5,6,7,8,9,10\n");
  SourceConfig tree = folder_source("tree", Role::kLabeled, folder / "faces");
  std::get<FolderSource>(tree.kind).landmarks = {(folder / "points.csv").string()};
  build(folder / "index", {tree});
  const auto open_kind = [&] { return kind_of([&] { Index::open(folder / "index", Index::Check::kFull); }); };
  REQUIRE_FALSE(open_kind());
  for (const auto& [name, whole] : contents(folder / "index")) {
    INFO(name);
    const fs::path path = folder / "index" / name;
    const size_t step = name == "manifest.json" ? 1 : 7;
    for (size_t bit = 0; bit < whole.size() * 8; bit += step) {
      put_byte(path, bit / 8, static_cast<char>(whole[bit / 8] ^ (1 << bit % 8)));
      if (open_kind() != ErrorKind::kData) FAIL("bit " << bit << " of " << name << " was not noticed");
      put_byte(path, bit / 8, whole[bit / 8]);
    }
    for (size_t length = 0; length < whole.size(); length += 1 + whole.size() / 10) {
      fs::resize_file(path, length);
      if (open_kind() != ErrorKind::kData) FAIL(name << " cut to " << length << " was not noticed");
      write(path, whole);
    }
    fs::remove(path);
    CHECK(open_kind() == ErrorKind::kMissingInput);
    write(path, whole);
  }
  REQUIRE_FALSE(open_kind());
}

TEST_CASE("A quick open notices other sizes and a changed manifest", "[index]") {
  const TempFolder folder;
  build(folder / "index", {synthetic_source("drawn", Role::kLabeled, 3, 2)});
  CHECK_NOTHROW(Index::open(folder / "index"));
  const auto whole = contents(folder / "index");
  write(folder / "index" / "labels.i64", whole.at("labels.i64") + std::string(8, '\0'));
  CHECK(kind_of([&] { Index::open(folder / "index"); }) == ErrorKind::kData);
  write(folder / "index" / "labels.i64", whole.at("labels.i64"));
  std::string manifest = whole.at("manifest.json");
  write(folder / "index" / "manifest.json", manifest.replace(manifest.find("\"rows\": 6"), 9, "\"rows\": 7"));
  CHECK(kind_of([&] { Index::open(folder / "index"); }) == ErrorKind::kData);
  CHECK(kind_of([&] { Index::open(folder / "nowhere"); }) == ErrorKind::kMissingInput);
}

TEST_CASE("A label outside its source's classes is found before training", "[index]") {
  const TempFolder folder;
  build(folder / "index", {synthetic_source("drawn", Role::kLabeled, 3, 2)});
  std::string labels = contents(folder / "index").at("labels.i64");
  labels[0] = 3;
  write(folder / "index" / "labels.i64", labels);
  const Index index = Index::open(folder / "index");
  const auto error = error_of([&] { index.training_rows(Role::kLabeled); });
  REQUIRE(error);
  CHECK_THAT(error->what(), contains_text("row 0: label 3 is outside [0, 3)"));
}

TEST_CASE("Fingerprints: of the data wherever it lies, and of the classes", "[index]") {
  const TempFolder folder;
  write_faces(folder / "a", 2, 2);
  fs::copy(folder / "a", folder / "b", fs::copy_options::recursive);
  const auto index_of = [&](const fs::path& root, Role role = Role::kLabeled,
                            const std::string& name = "tree") {
    build(folder / "index", {folder_source(name, role, root)});
    return Index::open(folder / "index");
  };
  const Index a = index_of(folder / "a"), b = index_of(folder / "b");
  CHECK(a.fingerprint() == b.fingerprint());
  CHECK(a.classes_fingerprint() == b.classes_fingerprint());
  CHECK(index_of(folder / "a", Role::kTest).fingerprint() != a.fingerprint());
  CHECK(index_of(folder / "a", Role::kLabeled, "other").classes_fingerprint() != a.classes_fingerprint());
  write_bytes(face_path(folder / "b", 0, 5), jpeg_face(0, 5));
  const Index more = index_of(folder / "b");
  CHECK(more.fingerprint() != a.fingerprint());
  CHECK(more.classes_fingerprint() == a.classes_fingerprint());
  fs::rename(folder / "b" / "p1", folder / "b" / "p2");
  CHECK(index_of(folder / "b").classes_fingerprint() != a.classes_fingerprint());
}

TEST_CASE("Synthetic images are told apart by seed, person and number", "[index]") {
  CHECK(synthetic_hash(1, 2, 3) == synthetic_hash(1, 2, 3));
  std::set<ContentHash> hashes{synthetic_hash(1, 2, 3), synthetic_hash(2, 2, 3), synthetic_hash(1, 3, 3),
                               synthetic_hash(1, 2, 4), synthetic_hash(1, 3, 2)};
  CHECK(hashes.size() == 5);
  const TempFolder folder;
  build(folder / "index", {synthetic_source("drawn", Role::kTest, 3, 2, 5)});
  const Index index = Index::open(folder / "index");
  CHECK(index.item(3) == "6/1");
  CHECK(index.hashes()[3] == synthetic_hash(1, 6, 1));
  CHECK(index.test_identity_name(2) == "7");
}
