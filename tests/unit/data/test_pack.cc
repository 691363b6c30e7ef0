#include "uir/data/pack.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/data/image_source.h"
#include "uir/formats/recordio.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

SourceConfig record_source(const std::string& name, Role role, const fs::path& rec) {
  SourceConfig source;
  source.name = name;
  source.role = role;
  source.kind = RecordIoSource{{rec.string()}, {}};
  return source;
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    files[entry.path().filename().string()] = read_text_file(entry.path());
  }
  return files;
}

std::vector<uint8_t> load(const ImageSource& images, int64_t row) {
  std::vector<uint8_t> rgb(kImageBytes);
  images.load(row, rgb.data());
  return rgb;
}

double mean_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

// A reader as InsightFace has it: offsets from the .idx, images 1 … labels[0] − 1 of record 0.
struct FaceRecords {
  explicit FaceRecords(const fs::path& rec) : file(rec) {
    std::ifstream idx(fs::path(rec).replace_extension(".idx"));
    for (uint64_t key, offset; idx >> key >> offset;) offsets[key] = offset;
  }
  ImageRecord at(uint64_t key) { return file.record(offsets.at(key), buffer); }

  RecordFile file;
  std::map<uint64_t, uint64_t> offsets;
  std::vector<std::byte> buffer;
};

}  // namespace

TEST_CASE("A pack holds every training image once, with its class and its own bytes", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 6, 5);
  write_faces(folder / "strangers", 4, 2, 100);
  SourceConfig known = folder_source("known", Role::kLabeled, folder / "faces");
  known.held_out = 0.4;
  const Index index =
      make_index(folder / "index", {known, folder_source("strangers", Role::kUnlabeled, folder / "strangers"),
                                    synthetic_source("test", Role::kTest, 2, 2)});
  PackOptions options;
  options.images_per_shard = 10;
  const PackReport report = pack_index(index, folder / "pack", options);
  const auto labeled_rows = index.training_rows(Role::kLabeled);
  REQUIRE(labeled_rows.size() < 30);
  REQUIRE(labeled_rows.size() > 10);
  CHECK(report.labeled == static_cast<int64_t>(labeled_rows.size()));
  CHECK(report.unlabeled == 8);
  CHECK(report.copied == report.labeled + report.unlabeled);
  CHECK(report.encoded == 0);
  CHECK(read_text_file(folder / "pack" / "property") == "6,112,112\n");

  std::map<ContentHash, int64_t> expected, found;
  for (const int64_t row : labeled_rows)
    expected[index.hashes()[static_cast<size_t>(row)]] = index.labels()[static_cast<size_t>(row)];
  const fs::path first = folder / "pack" / shard_name("labeled", 0, (labeled_rows.size() + 9) / 10);
  for (const fs::path& shard : shard_paths(first)) {
    FaceRecords records(shard);
    const ImageRecord header = records.at(0);
    REQUIRE(header.header.flag == 2);
    const auto end_of_images = static_cast<uint64_t>(header.label(0)),
               end_of_identities = static_cast<uint64_t>(header.label(1));
    CHECK(records.offsets.size() == end_of_identities);
    uint64_t next_key = 1;
    for (uint64_t key = end_of_images; key < end_of_identities; ++key) {
      const ImageRecord identity = records.at(key);
      CHECK(identity.header.flag == 2);
      CHECK(identity.image.empty());
      CHECK(identity.label(0) == static_cast<float>(next_key));
      const float label = records.at(next_key).label();
      for (; next_key < static_cast<uint64_t>(records.at(key).label(1)); ++next_key) {
        const ImageRecord image = records.at(next_key);
        CHECK(image.header.id == next_key);
        CHECK(image.label() == label);
        found[content_hash(image.image)] = static_cast<int64_t>(label);
      }
    }
    CHECK(next_key == end_of_images);
  }
  CHECK(found == expected);

  FaceRecords strangers(folder / "pack" / "unlabeled-00000-of-00001.rec");
  CHECK(strangers.at(0).label(0) == 9);
  CHECK(strangers.at(0).label(1) == 9);
  CHECK(strangers.at(3).label() == -1);
}

TEST_CASE("Records stand in random order", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 20, 3);
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  pack_index(index, folder / "pack");
  std::vector<uint64_t> keys;
  const RecordFile file(folder / "pack" / "labeled-00000-of-00001.rec");
  for_each_image_record(file, {},
                        [&](const RecordEntry& entry, const ImageRecord&) { keys.push_back(entry.key); });
  REQUIRE(keys.size() == 60);
  // Neighbours by chance are 2 of 60 pairs.
  int64_t neighbours = 0;
  for (size_t i = 1; i < keys.size(); ++i) neighbours += keys[i] == keys[i - 1] + 1;
  CHECK(neighbours < 10);
  PackOptions other;
  other.seed = 1;
  pack_index(index, folder / "other", other);
  CHECK(contents(folder / "pack") != contents(folder / "other"));
}

TEST_CASE("A pack can be indexed again and shows the network the same images", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 5, 4);
  const Index index = make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces"),
                                                    synthetic_source("strangers", Role::kUnlabeled, 3, 2)});
  PackOptions options;
  options.images_per_shard = 7;
  const PackReport report = pack_index(index, folder / "pack", options);
  CHECK(report.shards == 4);
  CHECK(report.encoded == 6);  // synthetic faces have no bytes of their own
  const Index packed = make_index(
      folder / "packed",
      {record_source("known", Role::kLabeled, folder / "pack" / "labeled-00000-of-00003.rec"),
       record_source("strangers", Role::kUnlabeled, folder / "pack" / "unlabeled-00000-of-00001.rec")});
  CHECK(packed.size() == 26);
  CHECK(packed.num_classes() == 5);
  CHECK(packed.sources()[1].num_rows == 6);
  const ImageSource before(index), after(packed);
  std::map<ContentHash, int64_t> row_of;
  for (int64_t row = 0; row < 20; ++row) row_of[index.hashes()[static_cast<size_t>(row)]] = row;
  for (int64_t row = 0; row < 20; ++row) {
    const int64_t original = row_of.at(packed.hashes()[static_cast<size_t>(row)]);
    CHECK(load(before, original) == load(after, row));
    CHECK(packed.labels()[static_cast<size_t>(row)] == index.labels()[static_cast<size_t>(original)]);
  }
}

TEST_CASE("Images that need work are stored as the network sees them", "[pack]") {
  const TempFolder folder;
  RgbImage large{{150, 130}, std::vector<uint8_t>(150 * 130 * 3)};
  for (size_t i = 0; i < large.pixels.size(); ++i)
    large.pixels[i] = static_cast<uint8_t>(i / 450 + i % 450 / 6);
  write_bytes(folder / "sizes" / "a" / "1.jpg", encode_jpeg(large.pixels.data(), large.size, 95));
  write_faces(folder / "shifted", 2, 1);
  SourceConfig shifted = folder_source("shifted", Role::kLabeled, folder / "shifted");
  shifted.shift = {8, 0};
  const Index index =
      make_index(folder / "index", {folder_source("sizes", Role::kLabeled, folder / "sizes"), shifted});
  const PackReport report = pack_index(index, folder / "pack");
  CHECK(report.encoded == 3);
  CHECK(report.copied == 0);
  const ImageSource before(index),
      after(make_index(folder / "packed", {record_source("pack", Role::kLabeled,
                                                         folder / "pack" / "labeled-00000-of-00001.rec")}));
  for (int64_t row = 0; row < 3; ++row) {
    const auto wanted = load(before, index.labels()[static_cast<size_t>(row)]);  // one image of each class
    for (int64_t packed = 0; packed < 3; ++packed) {
      const bool same =
          after.index().labels()[static_cast<size_t>(packed)] == index.labels()[static_cast<size_t>(row)];
      if (same) CHECK(mean_difference(wanted, load(after, packed)) < 3);
    }
  }
}

TEST_CASE("A pack does not depend on the number of threads", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 8, 4);
  SourceConfig shifted = folder_source("known", Role::kLabeled, folder / "faces");
  shifted.shift = {8, 0};
  const Index index = make_index(folder / "index", {shifted});
  PackOptions options;
  options.images_per_shard = 9;
  options.threads = 1;
  pack_index(index, folder / "one", options);
  options.threads = 4;
  pack_index(index, folder / "four", options);
  CHECK(contents(folder / "one") == contents(folder / "four"));
}

TEST_CASE("A damaged pack is noticed when it is indexed", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  pack_index(make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")}),
             folder / "pack");
  const fs::path rec = folder / "pack" / "labeled-00000-of-00001.rec";
  check_pack(rec);
  std::string bytes = read_text_file(rec);
  bytes[bytes.size() / 2] ^= 4;
  std::ofstream(rec, std::ios::binary) << bytes;
  const auto error =
      error_of([&] { make_index(folder / "packed", {record_source("pack", Role::kLabeled, rec)}); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("size or checksum differ"));
  CHECK_FALSE(fs::exists(folder / "packed"));
}

namespace {
struct Crash {};
}  // namespace

TEST_CASE("An interrupted pack leaves nothing, and the next one is complete", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  pack_index(index, folder / "wanted");
  static int calls_left = 0;
  for (const int crash_at : {1, 5, 12, 20}) {
    calls_left = crash_at;
    set_failpoint_handler([](std::string_view) {
      if (--calls_left == 0) throw Crash();
    });
    CHECK_THROWS_AS(pack_index(index, folder / "pack"), Crash);
    set_failpoint_handler(nullptr);
    CHECK_FALSE(fs::exists(folder / "pack"));
  }
  pack_index(index, folder / "pack");
  CHECK(contents(folder / "pack") == contents(folder / "wanted"));
}

TEST_CASE("What cannot be packed is refused", "[pack]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  PackOptions options;
  options.images_per_shard = 0;
  CHECK(kind_of([&] { pack_index(index, folder / "pack", options); }) == ErrorKind::kConfig);
  options = {};
  options.quality = 101;
  CHECK(kind_of([&] { pack_index(index, folder / "pack", options); }) == ErrorKind::kConfig);
  write_bytes(face_path(folder / "faces", 0, 0), as_bytes("changed"));
  const auto error = error_of([&] { pack_index(index, folder / "pack"); });
  REQUIRE(error);
  CHECK_THAT(error->what(), contains_text("p0/0.jpg"));
  const Index tests = make_index(folder / "tests", {synthetic_source("test", Role::kTest, 2, 2)});
  CHECK_THAT(error_of([&] { pack_index(tests, folder / "pack"); })->what(), contains_text("nothing to pack"));
  CHECK_FALSE(fs::exists(folder / "pack"));
}
