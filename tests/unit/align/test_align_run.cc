#include "uir/align/align_run.h"

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "support/catch.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/file_bytes.h"
#include "support/real_data.h"
#include "support/temp_folder.h"
#include "uir/base/random.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

constexpr std::string_view kHeader =
    "path,eyeL_x,eyeL_y,eyeR_x,eyeR_y,nose_x,nose_y,mouthL_x,mouthL_y,mouthR_x,mouthR_y\n";

struct PhotoWithPoints {
  std::string name;
  RgbImage image;
  Landmarks points;
};

// A photo of 200x160 noise-free pixels with points that a similarity maps near the template.
PhotoWithPoints make_photo(const std::string& name, uint64_t number) {
  PhotoWithPoints photo{name, {{200, 160}, {}}, {}};
  for (int y = 0; y < 160; ++y) {
    for (int x = 0; x < 200; ++x) {
      photo.image.pixels.push_back(static_cast<uint8_t>(x + 11 * number));
      photo.image.pixels.push_back(static_cast<uint8_t>(y));
      photo.image.pixels.push_back(static_cast<uint8_t>(x * y / 200));
    }
  }
  ItemRandom random(3, RandomPurpose::kTest, 0, number);
  for (size_t i = 0; i < 10; ++i)
    photo.points[i] = std::round(kFaceTemplate[i] + 30 + static_cast<float>(random.uniform(-4, 4)));
  return photo;
}

// Photos p0/0.png … with a CSV of their points; the last one stands in no line of it.
std::vector<PhotoWithPoints> write_photos(const fs::path& root, const fs::path& csv, int count) {
  std::vector<PhotoWithPoints> photos;
  std::ofstream lines(csv);
  lines << kHeader;
  for (int i = 0; i < count; ++i) {
    photos.push_back(make_photo(concat('p', i % 3, '/', i, ".png"), static_cast<uint64_t>(i)));
    write_bytes(root / photos.back().name,
                encode_png(photos.back().image.pixels.data(), photos.back().image.size));
    if (i == count - 1) break;
    lines << photos.back().name;
    for (const float x : photos.back().points) lines << ',' << x;
    lines << '\n';
  }
  return photos;
}

AlignRun landmark_run(const fs::path& root, const fs::path& csv, const fs::path& out) {
  AlignRun run;
  run.input = FolderSource{{root.string()}, {csv.string()}};
  run.out = out;
  run.threads = 2;
  return run;
}

std::string text_of(const fs::path& path) { return read_text_file(path); }

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(folder).string()] = text_of(entry.path());
  }
  return files;
}

}  // namespace

TEST_CASE("Photos with given landmarks become the faces that align_face gives", "[align_run]") {
  const TempFolder temp;
  const auto photos = write_photos(temp / "photos", temp / "points.csv", 7);
  const AlignReport report = align_faces(landmark_run(temp / "photos", temp / "points.csv", temp / "out"));
  CHECK(report.counts.pictures == 7);
  CHECK(report.counts.faces == 6);
  double eyes = 0, points = 0;
  for (int i = 0; i < 6; ++i) {
    const PhotoWithPoints& photo = photos[static_cast<size_t>(i)];
    std::vector<uint8_t> rgb(kImageBytes);
    align_face(photo.image, photo.points, rgb.data());
    const auto jpeg = encode_jpeg(rgb.data(), {112, 112}, 95);
    const fs::path face = temp.path() / "out" / fs::path(photo.name).replace_extension(".jpg");
    CHECK(text_of(face) == as_text(jpeg));
    const Similarity s = estimate_similarity(photo.points, kFaceTemplate);
    for (size_t p = 0; p < 10; p += 2) {
      const double x = s.a * photo.points[p] - s.b * photo.points[p + 1] + s.tx - kFaceTemplate[p];
      const double y = s.b * photo.points[p] + s.a * photo.points[p + 1] + s.ty - kFaceTemplate[p + 1];
      points += std::sqrt(x * x + y * y) / 5;
      if (p < 4) eyes += std::sqrt(x * x + y * y) / 2;
    }
  }
  CHECK(report.counts.eyes == Approx(eyes).epsilon(1e-5));
  CHECK(report.counts.points == Approx(points).epsilon(1e-5));
  CHECK(eyes > 1);
  CHECK(text_of(temp / "out/not_found.txt") == "p0/6.png\tno landmarks given\n");
  char mean[64];
  std::snprintf(mean, sizeof mean, "eyes from the template: %.2f px", eyes / 6);
  CHECK(report.lines().at(1).find(mean) != std::string::npos);
  CHECK_FALSE(fs::exists(temp / "out.partial"));
}

TEST_CASE("Its table of landmarks gives the same faces again, and an index", "[align_run]") {
  const TempFolder temp;
  write_photos(temp / "photos", temp / "points.csv", 7);
  align_faces(landmark_run(temp / "photos", temp / "points.csv", temp / "a"));
  AlignRun again = landmark_run(temp / "photos", temp / "a/landmarks.tsv", temp / "b");
  again.threads = 5;
  align_faces(again);
  auto a = files_of(temp / "a"), b = files_of(temp / "b");
  a.erase("align.json"), b.erase("align.json");  // name the table
  CHECK(a == b);
  CHECK(a.size() == 8);
  const Index index = make_index(temp / "index", {folder_source("faces", Role::kLabeled, temp / "a")});
  CHECK(index.size() == 6);
  CHECK(index.num_classes() == 3);
}

TEST_CASE("An interrupted run continues to the same bytes", "[align_run]") {
  const TempFolder temp;
  write_photos(temp / "photos", temp / "points.csv", 300);
  AlignRun run = landmark_run(temp / "photos", temp / "points.csv", temp / "whole");
  run.threads = 1;  // saves are possible every 64 photos
  align_faces(run);

  run.out = temp / "parts";
  run.stop = [] { return true; };
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kStopped);
  CHECK_FALSE(fs::exists(run.out));
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kUsage);  // without --resume
  run.resume = true;
  int stops = 0;
  run.stop = [&] { return ++stops == 2; };
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kStopped);
  // A crash: faces and lines behind the last save.
  std::ofstream(temp / "parts.partial/landmarks.tsv", std::ios::app) << "half a li";
  std::ofstream(temp / "parts.partial/p2/299.jpg") << "half a face";
  run.stop = nullptr;
  run.threads = 3;
  const AlignReport report = align_faces(run);
  CHECK(report.counts.faces == 299);
  CHECK(files_of(temp / "whole") == files_of(temp / "parts"));

  const AlignReport complete = align_faces(run);  // nothing to do
  CHECK(complete.counts.faces == 299);
  run.resume = false;
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kUsage);
}

TEST_CASE("Other settings or photos are not continued", "[align_run]") {
  const TempFolder temp;
  write_photos(temp / "photos", temp / "points.csv", 130);
  AlignRun run = landmark_run(temp / "photos", temp / "points.csv", temp / "out");
  run.threads = 1;
  run.resume = true;  // also where there is nothing to continue
  run.stop = [] { return true; };
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kStopped);
  run.stop = nullptr;
  run.encoding.quality = 80;
  const auto error = error_of([&] { align_faces(run); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kUsage);
  CHECK(std::string(error->what()).find("image \"jpeg 95\" instead of \"jpeg 80\"") != std::string::npos);
  run.encoding.quality = 95;
  write_bytes(temp / "photos/a.png", Bytes());  // a name before all others
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kUsage);
  fs::remove(temp / "photos/a.png");
  fs::resize_file(temp / "out.partial/landmarks.tsv", 100);
  CHECK(kind_of([&] { align_faces(run); }) == ErrorKind::kData);
}

TEST_CASE("Bad photos are listed with the reason", "[align_run]") {
  const TempFolder temp;
  write_photos(temp / "photos", temp / "points.csv", 2);
  std::ofstream csv(temp / "points.csv", std::ios::app);
  const PhotoWithPoints photo = make_photo("x", 1);
  for (const char* name : {"p0/text.jpg", "p0/cut.png", "p0/flat.png", "p0/empty.jpg"}) {
    csv << name;
    for (size_t i = 0; i < 10; ++i)
      csv << ',' << (std::string(name) == "p0/flat.png" ? 7.f : photo.points[i]);
    csv << '\n';
  }
  csv.close();
  const auto png = encode_png(photo.image.pixels.data(), photo.image.size);
  write_bytes(temp / "photos/p0/text.jpg", as_bytes("no picture"));
  write_bytes(temp / "photos/p0/cut.png", Bytes(png).first(png.size() / 2));
  write_bytes(temp / "photos/p0/flat.png", png);
  write_bytes(temp / "photos/p0/empty.jpg", Bytes());
  align_faces(landmark_run(temp / "photos", temp / "points.csv", temp / "out"));
  const std::string text = text_of(temp / "out/not_found.txt");
  CHECK(text.find("p0/text.jpg\tnot a JPEG, PNG, BMP, PNM or WebP image\n") != std::string::npos);
  CHECK(text.find("p0/cut.png\t") != std::string::npos);
  CHECK(text.find("p0/flat.png\tthe five landmarks do not span a face") != std::string::npos);
  CHECK(text.find("p0/empty.jpg\tempty\n") != std::string::npos);
  CHECK(std::ranges::count(text, '\n') == 5);
}

TEST_CASE("Files of other kinds are counted", "[align_run]") {
  const TempFolder temp;
  write_photos(temp / "photos", temp / "points.csv", 3);
  for (const char* name : {"p0/a.HEIC", "p1/b.heic", "c.tiff", "p0/.hidden.gif"})
    write_bytes(temp / "photos" / name, as_bytes("x"));
  const AlignRun run = landmark_run(temp / "photos", temp / "points.csv", temp / "out");
  const AlignReport report = align_faces(run);
  CHECK(report.left_out.files() == 3);
  CHECK(report.lines().back() == "left out: 3 files of kinds that are not read: 2 .heic, 1 .tiff");
  CHECK(read_json_file(temp / "out/align.json")["left_out"]["kinds"][".tiff"] == 1);
  fs::remove_all(temp / "photos/p0");
  fs::remove_all(temp / "photos/p1");
  fs::remove_all(temp / "photos/p2");
  AlignRun rest = run;
  rest.input = FolderSource{{(temp / "photos").string()}, {}};
  rest.out = temp / "other";
  CHECK_THAT(error_of([&] { align_faces(rest); })->what(),
             contains_text("nothing to align; left out: 1 file of kinds that are not read: 1 .tiff"));
  // A name that no table holds, and one that no JSON holds.
  write_bytes(temp / "photos/a\tb.png", as_bytes("x"));
  const auto error =
      error_of([&] { align_faces(landmark_run(temp / "photos", temp / "points.csv", temp / "other")); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("a\\tb.png': a control character"));
}

TEST_CASE("Folders whose names are no UTF-8 are aligned, and continued", "[align_run]") {
  const TempFolder temp;
  const fs::path root = temp / "caf\xe9";
  const auto photos = write_photos(root, temp / "points.csv", 2);
  std::ofstream csv(temp / "points.csv", std::ios::app);
  csv << "\xe9/1.png";
  for (const float x : photos[0].points) csv << ',' << x;
  csv << '\n';
  csv.close();
  write_bytes(root / "\xe9/1.png", encode_png(photos[0].image.pixels.data(), photos[0].image.size));
  AlignRun run = landmark_run(root, temp / "points.csv", temp / "out");
  CHECK(align_faces(run).counts.faces == 2);
  CHECK(fs::exists(temp / "out/\xe9/1.jpg"));
  CHECK_THAT(text_of(temp / "out/landmarks.tsv"), contains_text("\xe9/1.png\t"));
  CHECK_THAT(read_json_file(temp / "out/align.json")["settings"]["photos"].get<std::string>(),
             contains_text("caf\\xe9"));
  run.resume = true;  // complete already: the same settings
  CHECK(align_faces(run).counts.faces == 2);
}

TEST_CASE("Photos that differ in their extension only get different names", "[align_run]") {
  const TempFolder temp;
  const auto png = encode_png(make_photo("x", 1).image.pixels.data(), {200, 160});
  std::ofstream csv(temp / "points.csv");
  csv << kHeader;
  for (const char* name : {"a.png", "a.bmp", "b.png"}) {
    write_bytes(temp.path() / "photos" / name, png);
    csv << name;
    for (const float x : make_photo("x", 1).points) csv << ',' << x;
    csv << '\n';
  }
  csv.close();
  align_faces(landmark_run(temp / "photos", temp / "points.csv", temp / "out"));
  const auto files = files_of(temp / "out");
  CHECK(files.contains("a.png.jpg"));
  CHECK(files.contains("a.bmp.jpg"));
  CHECK(files.contains("b.jpg"));
  write_bytes(temp / "photos/a.png.png", png);  // would be a.png.jpg, too
  CHECK(kind_of([&] { align_faces(landmark_run(temp / "photos", temp / "points.csv", temp / "out2")); }) ==
        ErrorKind::kData);
}

TEST_CASE("Wrong places and models are refused before any work", "[align_run]") {
  const TempFolder temp;
  write_photos(temp / "photos", temp / "points.csv", 3);
  const auto kind = [&](AlignRun run) { return kind_of([&] { align_faces(run); }); };
  CHECK(kind(landmark_run(temp / "photos", temp / "points.csv", temp / "photos/faces")) == ErrorKind::kUsage);
  CHECK(kind(landmark_run(temp / "nowhere", temp / "points.csv", temp / "out")) == ErrorKind::kMissingInput);
  fs::create_directories(temp / "empty");
  AlignRun run;
  run.input = FolderSource{{(temp / "empty").string()}, {}};
  run.out = temp / "out";
  CHECK(kind(run) == ErrorKind::kData);
  run.input = FolderSource{{(temp / "photos").string()}, {}};
  run.aligner.detector = temp / "none.onnx";
  CHECK(kind(run) == ErrorKind::kMissingInput);
  std::ofstream(temp / "text.onnx") << "no network";
  run.aligner.detector = temp / "text.onnx";
  const auto error = error_of([&] { align_faces(run); });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kData);
  CHECK(std::string(error->what()).find("face_detection_yunet_2023mar.onnx") != std::string::npos);
  CHECK_FALSE(fs::exists(temp / "out"));
}
