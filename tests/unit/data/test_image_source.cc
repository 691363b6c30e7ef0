#include "uir/data/image_source.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/images/align.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

std::vector<uint8_t> load(const ImageSource& source, int64_t row) {
  std::vector<uint8_t> rgb(kImageBytes);
  source.load(row, rgb.data());
  return rgb;
}

std::string failure(const ImageSource& source, int64_t row, ErrorKind kind = ErrorKind::kData) {
  try {
    load(source, row);
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "loaded";
}

std::vector<uint8_t> decoded_face(int64_t person, int64_t image) {
  return decode_image(jpeg_face(person, image)).pixels;
}

// A larger picture that has the face of `person` somewhere inside, as JPEG.
std::vector<std::byte> framed_face(int64_t person, int width, int height, int left, int top) {
  RgbImage image{{width, height}, std::vector<uint8_t>(static_cast<size_t>(width * height * 3), 50)};
  std::vector<uint8_t> rgb(kImageBytes);
  render_synthetic_face({}, person, 0, rgb.data());
  for (int y = 0; y < 112; ++y) {
    std::copy_n(&rgb[static_cast<size_t>(y * 112 * 3)], 112 * 3,
                &image.pixels[static_cast<size_t>(((y + top) * width + left) * 3)]);
  }
  return encode_jpeg(image.pixels.data(), image.size, 95);
}

}  // namespace

TEST_CASE("Files of a folder are loaded by row", "[image_source]") {
  const TempFolder folder;
  write_faces(folder / "faces", 3, 2);
  const ImageSource source(
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")}));
  REQUIRE(source.index().size() == 6);
  for (int64_t row = 0; row < 6; ++row) {
    CHECK(load(source, row) == decoded_face(row / 2, row % 2));
    CHECK(source.encoded(row) == jpeg_face(row / 2, row % 2));
  }
  CHECK(source.describe(3) == "source 'known': p1/1.jpg");
}

TEST_CASE("Records, verification sets and synthetic faces are loaded by row", "[image_source]") {
  const TempFolder folder;
  RecordWriter record(folder / "faces.rec", folder / "faces.idx");
  BinSetWriter bin(folder / "pairs.bin");
  for (int64_t i = 0; i < 4; ++i) {
    record.write(static_cast<uint64_t>(i), static_cast<float>(i / 2), jpeg_face(i, 0));
    bin.add_image(jpeg_face(i, 1));
  }
  record.close();
  bin.commit(std::vector<uint8_t>{1, 0});
  const SourceConfig recordio{
      .name = "record", .kind = RecordIoSource{{(folder / "faces.rec").string()}, {}}, .exclude = {}};
  const SourceConfig pairs{.name = "pairs",
                           .role = Role::kTest,
                           .kind = BinSource{{(folder / "pairs.bin").string()}},
                           .exclude = {}};
  const ImageSource source(
      make_index(folder / "index", {recordio, pairs, synthetic_source("drawn", Role::kUnlabeled, 2, 3, 7)}));
  REQUIRE(source.index().size() == 14);
  for (int64_t i = 0; i < 4; ++i) {
    CHECK(load(source, i) == decoded_face(i, 0));
    CHECK(load(source, 4 + i) == decoded_face(i, 1));
  }
  for (int64_t i = 0; i < 6; ++i) {
    std::vector<uint8_t> expected(kImageBytes);
    render_synthetic_face({}, 7 + i / 3, i % 3, expected.data());
    CHECK(load(source, 8 + i) == expected);
    CHECK(source.encoded(8 + i).size() == kImageBytes);
  }
}

TEST_CASE("A source's shift moves its images", "[image_source]") {
  const TempFolder folder;
  SourceConfig moved = synthetic_source("drawn", Role::kLabeled, 1, 1);
  moved.shift = {8, -2};
  const ImageSource source(make_index(folder / "index", {moved}));
  std::vector<uint8_t> expected(kImageBytes);
  render_synthetic_face({}, 0, 0, expected.data());
  shift_face(expected.data(), 8, -2);
  CHECK(load(source, 0) == expected);
}

TEST_CASE("Other sizes are aligned by landmarks or resized; landmarks do not touch 112x112 images",
          "[image_source]") {
  const TempFolder folder;
  write_bytes(folder / "faces/p/a.jpg", framed_face(1, 250, 200, 60, 40));
  write_bytes(folder / "faces/p/b.jpg", framed_face(2, 250, 200, 60, 40));
  write_bytes(folder / "faces/p/c.jpg", jpeg_face(3, 0));
  std::ofstream csv(folder / "points.csv");
  csv << "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n";
  for (const char* name : {"p/a.jpg", "p/c.jpg"}) {
    csv << name;
    for (size_t i = 0; i < 10; i += 2)
      csv << "," << kFaceTemplate[i] + 60 << "," << kFaceTemplate[i + 1] + 40;
    csv << "\n";
  }
  csv.close();
  SourceConfig config = folder_source("faces", Role::kLabeled, folder / "faces");
  config.shift = {8, 0};
  std::get<FolderSource>(config.kind).landmarks.value = (folder / "points.csv").string();
  const ImageSource source(make_index(folder / "index", {config}));

  const RgbImage a = decode_image(framed_face(1, 250, 200, 60, 40));
  const std::vector<uint8_t> aligned = load(source, 0);
  for (int y = 0; y < 112; ++y) {
    for (int x = 0; x < 112 * 3; ++x) {  // not shifted: the landmarks say where the face is
      REQUIRE(std::abs(aligned[static_cast<size_t>(y * 336 + x)] -
                       a.pixels[static_cast<size_t>(((y + 40) * 250 + 60) * 3 + x)]) <= 1);
    }
  }
  std::vector<uint8_t> resized(kImageBytes);
  resize_face(decode_image(framed_face(2, 250, 200, 60, 40)), resized.data());
  shift_face(resized.data(), 8, 0);
  CHECK(load(source, 1) == resized);
  std::vector<uint8_t> as_it_is = decoded_face(3, 0);
  shift_face(as_it_is.data(), 8, 0);
  CHECK(load(source, 2) == as_it_is);
}

TEST_CASE("What changed since it was indexed is refused", "[image_source]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 4);
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  const ImageSource source(index);
  std::vector<std::byte> bytes = jpeg_face(0, 0);
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_bytes(face_path(folder / "faces", 0, 0), bytes);
  write_bytes(face_path(folder / "faces", 0, 1), Bytes(bytes).first(bytes.size() / 2));
  std::filesystem::remove(face_path(folder / "faces", 0, 2));
  CHECK(failure(source, 0) ==
        "source 'known': p0/0.jpg: changed since it was indexed (other content); run uir-index again");
  CHECK(failure(source, 1).find("source 'known': p0/1.jpg: changed since it was indexed (") == 0);
  CHECK(failure(source, 2, ErrorKind::kMissingInput).find("source 'known': p0/2.jpg: ") == 0);
  CHECK(load(source, 3) == decoded_face(0, 3));
  CHECK_THROWS_AS(source.encoded(0), Error);
}

TEST_CASE("A longer file, a folder and a pipe in place of a file are refused without waiting",
          "[image_source]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 3);
  const ImageSource source(
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")}));
  std::vector<std::byte> bytes = jpeg_face(0, 0);
  bytes.push_back(std::byte{0});
  write_bytes(face_path(folder / "faces", 0, 0), bytes);
  CHECK(failure(source, 0).find("longer than") != std::string::npos);
  const std::filesystem::path second = face_path(folder / "faces", 0, 1),
                              third = face_path(folder / "faces", 0, 2);
  std::filesystem::remove(second);
  std::filesystem::create_directory(second);
  CHECK(failure(source, 1).find("no longer a file") != std::string::npos);
  std::filesystem::remove(third);
  REQUIRE(::mkfifo(third.c_str(), 0600) == 0);
  CHECK(failure(source, 2).find("shorter than") != std::string::npos);
}

TEST_CASE("A link out of the root is not followed, one inside is", "[image_source]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 3);
  write_bytes(folder / "secret.jpg", jpeg_face(0, 1));
  const ImageSource source(
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")}));
  const std::filesystem::path outside = face_path(folder / "faces", 0, 1),
                              inside = face_path(folder / "faces", 0, 2);
  std::filesystem::remove(outside);
  std::filesystem::create_symlink(folder / "secret.jpg", outside);  // same bytes: only the place is wrong
  CHECK(failure(source, 1).find("symbolic link leads out of") != std::string::npos);
  std::filesystem::rename(inside, folder / "faces/elsewhere.jpg");
  std::filesystem::create_symlink(folder / "faces/elsewhere.jpg", inside);  // absolute, but inside
  CHECK(load(source, 2) == decoded_face(0, 2));
}

TEST_CASE("A missing root is named", "[image_source]") {
  const TempFolder folder;
  write_faces(folder / "faces", 1, 2);
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  std::filesystem::remove_all(folder / "faces");
  try {
    const ImageSource source(index);
    FAIL("opened");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kMissingInput);
    CHECK(std::string(error.what()).find("source 'known': ") == 0);
  }
}
