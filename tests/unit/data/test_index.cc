#include "uir/base/json_text.h"
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
#include "uir/base/log.h"
#include "uir/base/random.h"
#include "uir/data/image_source.h"
#include "uir/data/index_builder.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"
#include "uir/pixels/pixels.h"

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
  CHECK(report.record.images_read == 4);
  CHECK(report.contents.repeated == 3);
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
  CHECK_THAT(refusal("p0/0.jpg\tAnn\np0/1.jpg\t-3\n"), contains_text("list.txt:2: label '-3'"));
  for (const char* bad : {"Ann", "Nan", "88e-1", "1.5", "1e300", "-1"}) {
    CHECK_THAT(refusal(concat("1\t4\tp0/0.jpg\n2\t", bad, "\tp0/1.jpg\n"), ListFormat::kIm2rec),
               contains_text(concat("list.txt:2: label '", bad, "'")));
  }
  CHECK_THAT(refusal("p0/0.jpg a\tb\n", ListFormat::kPathSpaceLabel),
             contains_text("list.txt:1: label 'a\\tb': a control character"));
  CHECK_THAT(refusal("p0/0.jpg\t0\np0/\x1b[1m.jpg\t0\n"),
             contains_text("65") && contains_text("list.txt:2: 'p0/\\x1b[1m.jpg': a control character"));
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

namespace {

// Class names of a list whose rows p0/0.jpg, p0/1.jpg … have these labels, and what was warned of.
struct Labelled {
  std::vector<std::string> classes;
  std::vector<int64_t> labels;
  std::vector<std::string> warnings;
};

Labelled with_labels(const std::vector<std::string>& labels, ListFormat format = ListFormat::kPathLabel,
                     Role role = Role::kLabeled) {
  const TempFolder folder;
  std::string lines = format == ListFormat::kLandmarkCsv ? "path,label,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n" : "";
  for (size_t i = 0; i < labels.size(); ++i) {
    write_bytes(folder / "faces" / concat("p0/", i, ".jpg"), jpeg_face(0, 0));
    const char separator = format == ListFormat::kPathLabel ? '\t' : ' ';
    lines += format == ListFormat::kLandmarkCsv ? concat("p0/", i, ".jpg,", labels[i], ",,,,,,,,,,\n")
                                                : concat("p0/", i, ".jpg", separator, labels[i], "\n");
  }
  write(folder / "list.txt", lines);
  Labelled found;
  const LogSink old = set_log_sink([&](LogLevel level, std::string_view text) {
    if (level == LogLevel::kWarning) found.warnings.emplace_back(text);
  });
  build(folder / "index", {list_source("mine", role, folder / "list.txt", folder / "faces", format)});
  set_log_sink(old);
  const Index index = Index::open(folder / "index", Index::Check::kFull);
  for (int64_t i = 0; i < index.num_classes(); ++i) found.classes.emplace_back(index.identity_name(i));
  for (int64_t i = 0; i < index.num_test_identities(); ++i)
    found.classes.emplace_back(index.test_identity_name(i));
  found.labels = labels_of(index);
  return found;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("A list's labels are numbers only if all of them are", "[index]") {
  // Numeric order, one name for one number.
  CHECK(with_labels({"10", "9", "010", "9.0"}).classes == Names{"9", "10"});
  CHECK(with_labels({"10.000000", "2.000000"}, ListFormat::kPathSpaceLabel).classes == Names{"2", "10"});
  CHECK(with_labels({"10", "9"}, ListFormat::kLandmarkCsv).classes == Names{"9", "10"});
  // Names in byte order, whatever a number parser makes of some of them.
  const std::vector<Names> lists{{"88e1", "12e4", "1e300"}, {"NaN", "Infinity", "nan", "-inf"},
                                 {"0x10", "0b1"},           {"1e5", "Ann", "INF"},
                                 {"1.5", "1.", ".5", "+7"}, {"1_000", "1,000", "١"}};
  for (const Names& labels : lists) {
    for (const ListFormat format : {ListFormat::kPathLabel, ListFormat::kPathSpaceLabel}) {
      CAPTURE(labels);
      Names sorted = labels;
      std::ranges::sort(sorted);
      const Labelled found = with_labels(labels, format);
      CHECK(found.classes == sorted);
      CHECK(found.warnings.empty());
    }
  }
  // Ids of which some are digits only: names, but said. Their spelling tells them apart then.
  const Labelled mixed = with_labels({"3f2a", "007", "7", "88e1"});
  CHECK(mixed.classes == Names{"007", "3f2a", "7", "88e1"});
  REQUIRE(mixed.warnings.size() == 1);
  CHECK_THAT(mixed.warnings[0], contains_text("list.txt:1: this label is no whole number, nor are 1 more, "
                                              "while 2 are: all labels of the list are taken as names"));
  CHECK(with_labels({"99999999999999999999", "88888888888888888888"}).classes ==
        Names{"88888888888888888888", "99999999999999999999"});  // no int64 holds them
  // Test lists: −1 is nobody in both kinds.
  const Labelled nobody = with_labels({"Ann", "-1", "1e5", "Ann"}, ListFormat::kPathLabel, Role::kTest);
  CHECK(nobody.classes == Names{"1e5", "Ann"});
  CHECK(nobody.labels == std::vector<int64_t>{1, -1, 0, 1});
  CHECK(nobody.warnings.empty());
  CHECK(with_labels({"-1", "4"}, ListFormat::kPathLabel, Role::kTest).labels == std::vector<int64_t>{-1, 0});
}

TEST_CASE("Files of a list that are not there are named in one error", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 3, 20);
  std::string lines;
  for (int i = 0; i < 60; ++i) lines += concat("p", i % 3, "/", i / 3, ".jpg\t", i % 3, "\n");
  write(folder / "list.txt", lines);
  const SourceConfig source = list_source("mine", Role::kLabeled, folder / "list.txt", folder / "faces");
  fs::remove(folder / "faces" / "p2" / "19.jpg");
  CHECK_THAT(build_error(folder, {source})->what(), contains_text("source 'mine': ") &&
                                                        contains_text("list.txt:60: ") &&
                                                        contains_text("`exclude`"));
  fs::remove(folder / "faces" / "p1" / "3.jpg");
  create_folders(folder / "faces" / "p1" / "3.jpg");  // no file
  const auto error = build_error(folder, {source});
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kMissingInput);
  CHECK_THAT(error->what(), contains_text("2 files are not there") && contains_text("list.txt:11: ") &&
                                contains_text("p1/3.jpg") && contains_text("p2/19.jpg"));
  fs::remove_all(folder / "faces" / "p0");
  const std::string many = build_error(folder, {source})->what();
  CHECK_THAT(many, contains_text("22 files are not there") && contains_text("  and 2 more"));
  CHECK(std::ranges::count(many, '\n') == 21);
  // Whatever is wrong with the others is not looked for then, but which they are.
  write(folder / "list.txt", "p0/0.jpg\t0\np2/0.jpg\t0\n");
  CHECK_THAT(build_error(folder, {source})->what(), contains_text("p0/0.jpg"));
}

TEST_CASE("Excluded images need not be there", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 3, 3);
  write(folder / "list.txt", "p0/0.jpg\t0\np0/1.jpg\t0\np1/0.jpg\t1\np1/1.jpg\t1\np2/2.jpg\t2\n");
  write(folder / "gone.txt", "p1/1.jpg\tblurred\np2/2.jpg\n");
  fs::remove(folder / "faces" / "p1" / "1.jpg");
  fs::remove(folder / "faces" / "p2" / "2.jpg");
  SourceConfig source = list_source("mine", Role::kLabeled, folder / "list.txt", folder / "faces");
  source.exclude = {(folder / "gone.txt").string()};
  for (int run = 0; run < 2; ++run) {  // the second one knows the first
    const IndexReport report = build(folder / "index", {source});
    CHECK(report.sources[0].excluded == 2);
    CHECK(report.sources[0].absent == 2);
    CHECK(report.record.images_read + report.record.images_reused == 3);
    const Index index = Index::open(folder / "index", Index::Check::kFull);
    CHECK(labels_of(index) == std::vector<int64_t>{0, 0, 1, 1, 2});
    CHECK(index.num_classes() == 3);
    CHECK(index.flags()[3] == kExcluded);
    CHECK(index.sizes()[4] == 0);
    CHECK(index.set_rows("mine") == std::vector<int64_t>{0, 1, 2});
    CHECK(index.training_rows(Role::kLabeled) == std::vector<int64_t>{0, 1, 2});
    CHECK(index.num_bad("mine") == 0);
    const VerifyReport verified = verify_index(folder / "index", 2);
    CHECK(verified.images == 3);
    CHECK(verified.bad.empty());
  }
  // Back again, and no longer excluded: read.
  write_bytes(folder / "faces" / "p1" / "1.jpg", jpeg_face(1, 1));
  write(folder / "gone.txt", "p2/2.jpg\n");
  CHECK(build(folder / "index", {source}).record.images_read == 1);
  CHECK(Index::open(folder / "index").hashes()[3] == content_hash(jpeg_face(1, 1)));
  write(folder / "gone.txt", "p1/1.jpg\n");
  CHECK_THAT(error_of([&] { build(folder / "index", {source}); })->what(), contains_text("p2/2.jpg"));
}

TEST_CASE("Names with control characters are refused where they are found", "[index]") {
  const TempFolder folder;
  const auto refusal = [&](const std::string& file, Role role) {
    fs::remove_all(folder / "faces");
    write_bytes(folder / "faces" / "plain" / "1.jpg", jpeg_face(0, 0));
    write_bytes(folder / "faces" / file, jpeg_face(0, 1));
    const auto error =
        error_of([&] { build(folder / "index", {folder_source("mine", role, folder / "faces")}); });
    return error ? concat(static_cast<int>(error->kind()), " ", error->what()) : "accepted";
  };
  CHECK_THAT(refusal("a\tb/1.jpg", Role::kLabeled), contains_text("65 ") &&
                                                        contains_text("faces/a\\tb': a control character") &&
                                                        contains_text("rename"));
  CHECK_THAT(refusal("a/new\nline.jpg", Role::kTest), contains_text("a/new\\nline.jpg': a control"));
  CHECK_THAT(refusal("a/b/c\rd.png", Role::kUnlabeled), contains_text("a/b/c\\rd.png': a control"));
  CHECK_THAT(refusal("a/\x7f.jpg", Role::kLabeled), contains_text("a/\\x7f.jpg': a control"));
  CHECK(refusal("a/b c'\"\\ü.jpg", Role::kLabeled) == "accepted");
  CHECK(refusal("a/no\tpicture.txt", Role::kLabeled) == "accepted");  // it is left out
}

TEST_CASE("Names that are no UTF-8 are kept byte for byte, and shown in JSON", "[index]") {
  const TempFolder folder;
  const fs::path root = folder / "\xf6";
  write_bytes(root / "gar\xe7on" / "1\xff.jpg", jpeg_face(0, 0));
  write_bytes(root / "M\xe4rz" / "2.jpg", jpeg_face(1, 0));
  write_bytes(root / "M\xe9rz" / "2.jpg", jpeg_face(2, 0));
  const IndexReport report = build(folder / "index", {folder_source("mine", Role::kLabeled, root)});
  const Index index = Index::open(folder / "index", Index::Check::kFull);
  CHECK(index.item(2) == "gar\xe7on/1\xff.jpg");
  CHECK(index.identity_name(0) == "M\xe4rz");
  CHECK(index.source("mine").path == root);
  const ImageSource images(index);
  std::vector<uint8_t> rgb(kImageBytes);
  images.load(2, rgb.data());
  const Json json = Json::parse(json_text(report.to_json(), 2));
  CHECK(json["sources"][0]["samples"][2].get<std::string>().starts_with(
      "gar\\xe7on/1\\xff.jpg: class 2 (gar\\xe7on), 112x112"));
  CHECK(build(folder / "index", {folder_source("mine", Role::kLabeled, root)}).record.images_reused == 3);
}

TEST_CASE("What lies beside the images is counted by kind", "[index]") {
  const TempFolder folder;
  for (const char* name : {"a/1.jpg", "a/2.JFIF", "a/3.jpe"})
    write_bytes(folder / "faces" / name, jpeg_face(0, 0));
  for (const char* name : {"a/4.HEIC", "a/5.heic", "b/6.tiff", "b/.hidden", "notes.txt", "a/README",
                           "b/archive.tar.gz", "b/x.\xe7", "b/a name with a dot. and many words behind it"})
    write_bytes(folder / "faces" / name, as_bytes("x"));
  const auto left_out_by = [&](SourceConfig source) {
    const IndexReport report = build(folder / "index", {source});
    REQUIRE(report.record.left_out.size() == 1);
    return report;
  };
  const IndexReport report = left_out_by(folder_source("tree", Role::kLabeled, folder / "faces"));
  CHECK(report.images == 3);
  const LeftOut& left_out = report.record.left_out[0];
  CHECK(left_out.files() == 8);
  CHECK(left_out.empty_folders() == 1);
  CHECK(left_out.kinds() ==
        std::map<std::string, int64_t>{
            {".heic", 2}, {".tiff", 1}, {".txt", 1}, {"no extension", 2}, {".gz", 1}, {".\\xe7", 1}});
  const auto lines = report.lines();
  CHECK(std::ranges::count(lines,
                           "  left out: 8 files of kinds that are not read: 2 .heic, 2 no extension, 1 "
                           ".\\xe7, 1 .gz, 1 .tiff, 1 .txt") == 1);
  CHECK(std::ranges::count(lines, "  left out: 1 folder without an image: no identity comes of it") == 1);
  CHECK(report.to_json()["sources"][0]["left_out"]["kinds"][".heic"] == 2);
  CHECK(left_out_by(folder_source("any", Role::kUnlabeled, folder / "faces")).record.left_out[0].files() ==
        8);

  // Frames, and a source that has nothing else.
  SourceConfig frames = folder_source("frames", Role::kTest, "");
  frames.kind = FramesSource{{(folder / "faces").string()}, {(folder / "list.txt").string()}};
  write(folder / "list.txt", "a\n");
  CHECK(left_out_by(frames).record.left_out[0].files() == 3);
  fs::remove_all(folder / "index");
  fs::remove_all(folder / "faces" / "a");
  CHECK_THAT(build_error(folder, {folder_source("tree", Role::kLabeled, folder / "faces")})->what(),
             contains_text("it has no images; left out: 5 files"));
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
