#include "uir/data/index_report.h"

#include <algorithm>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/faces_on_disk.h"
#include "support/temp_folder.h"
#include "uir/base/log.h"
#include "uir/data/contact_sheet.h"
#include "uir/data/image_source.h"
#include "uir/data/index_builder.h"
#include "uir/data/training_warnings.h"
#include "uir/images/align.h"
#include "uir/pixels/pixels.h"

using namespace uir;

namespace {

bool any_contains(const std::vector<std::string>& lines, const std::string& text) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

std::vector<std::byte> jpeg_of_size(int width, int height) {
  const std::vector<uint8_t> rgb(static_cast<size_t>(width * height * 3), 90);
  return encode_jpeg(rgb.data(), {width, height}, 90);
}

}  // namespace

TEST_CASE("The report counts images, identities and sizes", "[index_report]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 3);                                     // p0, p1: three each
  write_bytes(folder / "faces" / "p2" / "0.jpg", jpeg_of_size(200, 150));  // one, to be resized
  write_bytes(folder / "faces" / "p3" / "0.jpg", jpeg_of_size(200, 150));  // the same again: another identity
  write_bytes(folder / "faces" / "p3" / "1.jpg", jpeg_of_size(300, 300));  // with landmarks: aligned
  std::ofstream(folder / "points.csv")
      << "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\np3/1.jpg,100,100,200,100,150,150,110,200,190,200\n";
  SourceConfig known = folder_source("known", Role::kLabeled, folder / "faces");
  std::get<FolderSource>(known.kind).landmarks = {(folder / "points.csv").string()};
  const IndexReport report =
      make_index_report(make_index(folder / "index", {known, synthetic_source("drawn", Role::kTest, 2, 5)}));
  CHECK(report.images == 19);
  CHECK(report.num_classes == 4);
  CHECK(report.num_test_identities == 2);
  REQUIRE(report.sources.size() == 2);
  const SourceStatistics& s = report.sources[0];
  CHECK(s.images == 9);
  CHECK(s.identities == 4);
  CHECK(s.min_per_identity == 1);
  CHECK(s.median_per_identity == 2.5);
  CHECK(s.max_per_identity == 3);
  CHECK(s.not_network_size == 3);
  CHECK(s.aligned == 1);
  CHECK(s.bad == 0);
  REQUIRE(s.pixel_sizes.size() == 3);
  CHECK(s.pixel_sizes[0].images == 6);
  CHECK(s.pixel_sizes[0].width == 112);
  CHECK(s.pixel_sizes[1].images == 2);
  CHECK(s.pixel_sizes[1].height == 150);
  REQUIRE(s.samples.size() == 3);
  CHECK_THAT(s.samples[0], contains_text("p0/0.jpg: class 0 (p0), 112x112, "));
  CHECK(report.contents.conflicting.contents == 1);
  CHECK(report.contents.conflicting.examples ==
        std::vector<std::string>{"known: p2/0.jpg = known: p3/0.jpg"});
  CHECK(report.contents.shared.empty());
  CHECK(report.sources[1].median_per_identity == 5);
  CHECK(any_contains(report.lines(), "known (labeled): 9 images of 4 identities, 1 to 3 each (median 2.5)"));
  CHECK(any_contains(report.lines(), "not 112x112: 3 (1 aligned by landmarks, 2 resized)"));
  CHECK(any_contains(report.lines(), "the same labeled image under two identities: 1"));
  const Json json = report.to_json();
  CHECK(json["sources"][0]["not_112x112"]["resized"] == 2);
  CHECK(json["conflicting_labels"]["contents"] == 1);
}

TEST_CASE("Identical images across labeled, unlabeled, test and held-out rows are found", "[index_report]") {
  const TempFolder folder;
  write_faces(folder / "faces", 3, 2);
  write_faces(folder / "strangers", 2, 2, 50);
  write_faces(folder / "tests", 2, 2, 80);
  const auto copy = [&](const fs::path& from, const fs::path& to) {
    write_bytes(to, as_bytes(read_text_file(from)));
  };
  copy(face_path(folder / "faces", 0, 0), face_path(folder / "strangers", 0, 9));
  copy(face_path(folder / "faces", 1, 1), face_path(folder / "tests", 1, 9));
  copy(face_path(folder / "faces", 1, 1), face_path(folder / "tests", 0, 9));
  copy(face_path(folder / "strangers", 1, 1), face_path(folder / "tests", 0, 8));
  const IndexReport report = make_index_report(
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces"),
                                    folder_source("strangers", Role::kUnlabeled, folder / "strangers"),
                                    folder_source("tests", Role::kTest, folder / "tests")}));
  REQUIRE(report.contents.shared.size() == 3);
  CHECK(report.contents.shared[0].group_a == "labeled");
  CHECK(report.contents.shared[0].group_b == "unlabeled");
  CHECK(report.contents.shared[0].examples ==
        std::vector<std::string>{"known: p0/0.jpg = strangers: p0/9.jpg"});
  CHECK(report.contents.shared[1].group_b == "test");
  CHECK(report.contents.shared[1].contents == 1);
  CHECK(report.contents.shared[1].examples == std::vector<std::string>{"known: p1/1.jpg = tests: p0/9.jpg"});
  CHECK(report.contents.shared[2].group_a == "unlabeled");
  CHECK(report.contents.repeated == 1);
  CHECK(report.contents.conflicting.contents == 0);

  // The same synthetic people once in training and once held out elsewhere.
  SourceConfig strangers = synthetic_source("strangers", Role::kUnlabeled, 10, 1);
  strangers.held_out = 0.5;
  const IndexReport drawn = make_index_report(
      make_index(folder / "drawn", {strangers, synthetic_source("known", Role::kLabeled, 10, 1)}));
  REQUIRE(drawn.contents.shared.size() == 2);
  CHECK(drawn.contents.shared[1].group_b == "held out");
  CHECK(drawn.contents.shared[0].contents + drawn.contents.shared[1].contents == 10);
}

TEST_CASE("Training on a single identity is warned of", "[index_report]") {
  const TempFolder folder;
  write_faces(folder / "one", 1, 4);
  const auto warnings_of = [&](std::vector<SourceConfig> sources) {
    const Index index = make_index(folder / "index", std::move(sources));
    return training_warnings(index, compare_contents(index));
  };
  const SourceConfig one = folder_source("one", Role::kLabeled, folder / "one");
  auto warnings = warnings_of({one, synthetic_source("test", Role::kTest, 3, 2)});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], contains_text("all 4 labeled images to train on are of one identity, 'p0'"));
  // Two people of whom one is nowhere to be trained on.
  write_faces(folder / "two", 2, 2);
  std::ofstream(folder / "gone.txt") << "p1/0.jpg\np1/1.jpg\n";
  SourceConfig two = folder_source("two", Role::kLabeled, folder / "two");
  CHECK(warnings_of({two}).empty());
  two.exclude = {(folder / "gone.txt").string()};
  warnings = warnings_of({two});
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], contains_text("all 2 labeled images"));
  // One identity in each of two labeled sources is two; without labeled images there is nothing to train.
  CHECK(warnings_of({one, synthetic_source("drawn", Role::kLabeled, 1, 3)}).empty());
  CHECK(warnings_of({folder_source("strangers", Role::kUnlabeled, folder / "one")}).empty());
  // Both programs say it: the report carries it.
  const IndexReport report = make_index_report(make_index(folder / "index", {one}));
  CHECK(report.warnings.size() == 1);
  CHECK(report.to_json()["warnings"].size() == 1);
}

TEST_CASE("Known people among the unlabeled images are counted by their bytes", "[index_report]") {
  const TempFolder folder;
  write_faces(folder / "faces", 4, 3);
  write_faces(folder / "web", 3, 2, 70);
  const auto copy = [&](const fs::path& from, const fs::path& to) {
    write_bytes(to, as_bytes(read_text_file(from)));
  };
  copy(face_path(folder / "faces", 1, 0), folder / "web" / "x" / "1.jpg");
  copy(face_path(folder / "faces", 1, 0), folder / "web" / "x" / "2.jpg");
  copy(face_path(folder / "faces", 3, 2), folder / "web" / "y.jpg");
  SourceConfig faces = folder_source("faces", Role::kLabeled, folder / "faces");
  const SourceConfig web = folder_source("web", Role::kUnlabeled, folder / "web");
  faces.held_out = 0.9;  // held-out images are a known person's, too
  const auto known_in = [&](std::vector<SourceConfig> sources) {
    return compare_contents(make_index(folder / "index", std::move(sources))).known_people;
  };
  KnownPeople known = known_in({faces, web});
  CHECK(known.images == 3);
  CHECK(known.identities == 2);
  CHECK(known.whole_sources.empty());
  REQUIRE(known.examples.size() == 3);
  std::ranges::sort(known.examples);
  CHECK(known.examples[2] == "web: y.jpg = faces: p3/2.jpg");
  // A source that is one person's folder.
  known = known_in({faces, web, folder_source("again", Role::kUnlabeled, folder / "faces" / "p2")});
  CHECK(known.images == 6);
  CHECK(known.identities == 3);
  CHECK(known.whole_sources == std::vector<std::string>{"again"});
  const Index index = Index::open(folder / "index");
  const auto warnings = training_warnings(index, compare_contents(index));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(
      warnings[0],
      contains_text("6 unlabeled images are byte for byte also in the labeled sources, under 3 identities") &&
          contains_text("source 'again' holds nothing else") && contains_text("exclude"));
  // What is excluded is not trained on.
  std::ofstream(folder / "gone.txt") << "x/1.jpg\nx/2.jpg\ny.jpg\n";
  SourceConfig clean = web;
  clean.exclude = {(folder / "gone.txt").string()};
  CHECK(known_in({faces, clean}).images == 0);
  CHECK(known_in({synthetic_source("test", Role::kTest, 4, 3), web}).images == 0);
  // Drawn people have no bytes, but the same numbers.
  CHECK(known_in(
            {synthetic_source("a", Role::kLabeled, 6, 2), synthetic_source("b", Role::kUnlabeled, 6, 2, 4)})
            .identities == 2);
}

TEST_CASE("Landmarks that can hardly be a face's are named", "[index_report]") {
  const TempFolder folder;
  const auto points = [](float scale, float dx, const std::array<size_t, 5>& order) {
    std::string text;
    for (const size_t i : order)
      text += concat(",", kFaceTemplate[2 * i] * scale + dx, ",", kFaceTemplate[2 * i + 1] * scale + 20);
    return text;
  };
  const std::array<size_t, 5> order{0, 1, 2, 3, 4}, swapped{1, 0, 2, 4, 3};
  const std::vector<std::string> lines{points(1.5F, 30, order), points(1.5F, 30, swapped),
                                       points(1, 9000, order), ",50,50,50,50,50,50,50,50,50,50"};
  std::ofstream csv(folder / "points.csv");
  csv << "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n";
  for (size_t i = 0; i < lines.size(); ++i) {
    write_bytes(folder / "faces" / "p0" / concat(i, ".jpg"), jpeg_of_size(250, 200));
    csv << concat("p0/", i, ".jpg", lines[i], "\n");
  }
  write_bytes(folder / "faces" / "p0" / "4.jpg", jpeg_of_size(112, 112));  // used as it is
  csv << "p0/4.jpg" << lines[1] << "\n";
  csv.close();
  SourceConfig source = folder_source("known", Role::kLabeled, folder / "faces");
  std::get<FolderSource>(source.kind).landmarks = {(folder / "points.csv").string()};
  const IndexReport report = make_index_report(make_index(folder / "index", {source}));
  CHECK(report.sources[0].odd_landmarks == 3);
  CHECK(report.sources[0].odd_examples == std::vector<std::string>{"p0/1.jpg", "p0/2.jpg", "p0/3.jpg"});
  CHECK(any_contains(report.lines(), "hardly be a face's"));
}

TEST_CASE("Unreadable images are marked, reported and never used", "[index_report]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 3);
  write_bytes(face_path(folder / "faces", 0, 0), as_bytes("<html>not found</html>"));
  write_bytes(face_path(folder / "faces", 1, 2), {});
  std::vector<std::string> warnings;
  const LogSink old = set_log_sink([&](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) warnings.emplace_back(text);
  });
  const Index index =
      make_index(folder / "index", {folder_source("known", Role::kLabeled, folder / "faces")});
  set_log_sink(old);
  REQUIRE(warnings.size() == 2);
  CHECK_THAT(warnings[0], contains_text("p0/0.jpg: ") && contains_text("it will not be used"));
  CHECK(index.flags()[0] == kBad);
  CHECK(index.pixel_sizes()[0] == std::array<uint16_t, 2>{0, 0});
  CHECK(index.training_rows(Role::kLabeled) == std::vector<int64_t>{1, 2, 3, 4});
  CHECK(index.set_rows("known") == std::vector<int64_t>{1, 2, 3, 4});
  CHECK(index.num_bad("known") == 2);
  const IndexReport report = make_index_report(index);
  CHECK(report.sources[0].bad == 2);
  CHECK(report.sources[0].bad_examples == std::vector<std::string>{"p0/0.jpg", "p1/2.jpg"});
  CHECK(report.contents.repeated == 0);
  CHECK(any_contains(report.lines(), "bad, never used: 2"));
}

TEST_CASE("Verifying decodes everything and marks what is bad", "[verify]") {
  const TempFolder folder;
  write_faces(folder / "faces", 3, 3);
  auto damaged = jpeg_face(1, 1);  // header and end are fine
  damaged.erase(damaged.begin() + std::ssize(damaged) / 2, damaged.end() - 2);
  write_bytes(face_path(folder / "faces", 1, 1), damaged);
  const std::vector<SourceConfig> sources{folder_source("known", Role::kLabeled, folder / "faces"),
                                          synthetic_source("drawn", Role::kTest, 2, 2)};
  make_index(folder / "index", sources);
  write_bytes(face_path(folder / "faces", 2, 0), jpeg_face(7, 7));  // another face than was indexed
  fs::remove(face_path(folder / "faces", 2, 1));

  for (const int threads : {1, 3}) {
    const VerifyReport report = verify_index(folder / "index", threads);
    CHECK(report.images == 9);
    REQUIRE(report.bad.size() == 3);
    CHECK(report.bad[0].row == 4);
    CHECK_THAT(report.bad[0].reason, contains_text("known") && contains_text("p1/1.jpg"));
    CHECK_THAT(report.bad[1].reason, contains_text("changed since it was indexed"));
    CHECK(report.bad[2].row == 7);
    CHECK(report.lines().size() == 4);
    const Index index = Index::open(folder / "index", Index::Check::kFull);
    CHECK(index.training_rows(Role::kLabeled) == std::vector<int64_t>{0, 1, 2, 3, 5, 8});
  }

  // Repaired, and verified again: usable again. A new index keeps the mark of what did not change.
  write_bytes(face_path(folder / "faces", 2, 1), jpeg_face(2, 1));
  const Index again = make_index(folder / "index", sources);
  CHECK(again.training_rows(Role::kLabeled) == std::vector<int64_t>{0, 1, 2, 3, 5, 6, 7, 8});
  write_bytes(face_path(folder / "faces", 1, 1), jpeg_face(1, 1));
  make_index(folder / "index", sources);
  CHECK(verify_index(folder / "index", 2).bad.empty());
  CHECK(Index::open(folder / "index").training_rows(Role::kLabeled).size() == 9);
}

TEST_CASE("The contact sheet shows what the network sees", "[contact_sheet]") {
  const TempFolder folder;
  write_faces(folder / "faces", 2, 2);
  write_bytes(face_path(folder / "faces", 1, 1), as_bytes("not an image"));
  SourceConfig shifted = folder_source("known", Role::kLabeled, folder / "faces");
  shifted.shift = {8, 0};
  const Index index = make_index(folder / "index", {shifted, synthetic_source("drawn", Role::kTest, 3, 1)});
  ContactSheetOptions options;
  options.columns = 4;
  options.rows = 1;
  write_contact_sheet(index, folder / "sheet.png", options);
  const cv::Mat sheet = cv::imread((folder / "sheet.png").string());
  REQUIRE(sheet.cols == 4 + 4 * 116);
  REQUIRE(sheet.rows == 4 + 2 * (22 + 130));
  // The second face of the first source, pixel by pixel.
  const ImageSource images(index);
  std::vector<uint8_t> rgb(kImageBytes);
  images.load(1, rgb.data());
  const auto face = [&](int64_t x, int64_t y) {
    const auto* pixel = &rgb[static_cast<size_t>((y * kImageSize + x) * 3)];
    return cv::Vec3b(pixel[2], pixel[1], pixel[0]);
  };
  int64_t different = 0;
  for (int y = 0; y < 112; ++y) {
    for (int x = 0; x < 112; ++x) different += sheet.at<cv::Vec3b>(26 + y, 4 + 116 + x) != face(x, y);
  }
  CHECK(different == 0);
  // The unreadable one is crossed out in red.
  CHECK(sheet.at<cv::Vec3b>(26 + 56, 4 + 3 * 116 + 56) == cv::Vec3b(60, 60, 255));
  write_contact_sheet(index, folder / "again.png", options);
  CHECK(read_text_file(folder / "sheet.png") == read_text_file(folder / "again.png"));
}
