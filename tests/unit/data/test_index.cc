// The index itself: what it keeps, takes over, and detects.
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
  CHECK(build(folder / "index", sources).record.images_read == 12);
  const auto first = contents(folder / "index");
  const IndexReport again = build(folder / "index", sources);
  CHECK(again.record.images_read == 0);
  CHECK(again.record.images_reused == 12);
  CHECK(contents(folder / "index") == first);

  write_bytes(face_path(folder / "faces", 1, 1), jpeg_face(9, 9));  // changed
  write_bytes(face_path(folder / "faces", 2, 7), jpeg_face(9, 8));  // new
  fs::remove(face_path(folder / "faces", 0, 0));                    // gone
  const IndexReport changed = build(folder / "index", sources);
  CHECK(changed.record.images_read == 2);
  CHECK(changed.record.images_reused == 10);
  const auto incremental = contents(folder / "index");
  build(folder / "fresh", sources);
  CHECK(contents(folder / "fresh") == incremental);

  // Same size, another time stamp: read again. The content is the same, so the fingerprint stays.
  const auto path = face_path(folder / "faces", 3, 0);
  const std::string fingerprint = Index::open(folder / "index").fingerprint();
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(1));
  CHECK(build(folder / "index", sources).record.images_read == 1);
  CHECK(Index::open(folder / "index").fingerprint() == fingerprint);
}

TEST_CASE("An image whose header could not be read is read again: a newer program may know it", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  write_bytes(face_path(folder / "faces", 1, 1), as_bytes("not an image"));
  const std::vector<SourceConfig> sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  CHECK(build(folder / "index", sources).record.images_read == 4);
  const auto first = contents(folder / "index");
  const IndexReport again = build(folder / "index", sources);
  CHECK(again.record.images_read == 1);
  CHECK(again.record.images_reused == 3);
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
  CHECK(report.record.images_read == 1);
  CHECK(report.record.images_reused == 3);
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
  CHECK(build(folder / "index", sources).record.images_read == 5);
  CHECK(build(folder / "index", sources).record.images_reused == 5);
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
  CHECK(build(folder / "index", sources).record.images_read == 4);
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

TEST_CASE("Indexing stops on request, and leaves nothing", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  DataConfig config;
  config.sources = {folder_source("known", Role::kLabeled, folder / "faces")};
  const auto build_unless = [&](bool stop) {
    build_index(config, folder / "index", 2, [stop] { return stop; });
  };
  CHECK(fails_with(ErrorKind::kStopped, [&] { build_unless(true); }));
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
  build_unless(false);
  CHECK(Index::open(folder / "index").size() == 4);
}

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
