// Folders and lists as sources of an index.
#include "uir/data/index.h"
#include "uir/data/index_files.h"
#include "uir/data/index_flags.h"

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

TEST_CASE("Identities that are another one", "[index]") {
  const TempFolder folder;
  write_faces(folder / "faces", 4, 2);  // p0 … p3
  SourceConfig source = folder_source("mine", Role::kLabeled, folder / "faces");
  source.label_map = {(folder / "map.tsv").string()};
  const auto names = [&](const std::string& map) {
    write(folder / "map.tsv", map);
    build(folder / "index", {source});
    const Index index = Index::open(folder / "index", Index::Check::kFull);
    Names names;
    for (const int64_t label : labels_of(index)) names.emplace_back(index.identity_name(label));
    return names;
  };
  CHECK(names("p3\tp1\t0.9\n") == Names{"p0", "p0", "p1", "p1", "p2", "p2", "p1", "p1"});
  CHECK(names("p0\tp1\np1\tp3\n") == Names{"p3", "p3", "p3", "p3", "p2", "p2", "p3", "p3"});  // a chain
  CHECK(names("p2\tsomebody\n")[4] == "somebody");
  CHECK(names("p0\tp0\n") == Names{"p0", "p0", "p1", "p1", "p2", "p2", "p3", "p3"});
  CHECK(names("").size() == 8);
  const auto refused = [&](const std::string& map) {
    write(folder / "map.tsv", map);
    fs::remove_all(folder / "index");
    const auto error = build_error(folder, {source});
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kData);
    return std::string(error->what());
  };
  CHECK_THAT(refused("p0 p1\n"), contains_text("map.tsv:1: expected an identity, a tab"));
  CHECK_THAT(refused("p0\tp1\np0\tp2\n"), contains_text("map.tsv:2") && contains_text("'p0'"));
  CHECK_THAT(refused("p0\tp1\np1\tp2\np2\tp0\n"), contains_text("circle"));
  CHECK_THAT(refused("q\tp1\n"), contains_text("none of its lines begins with an identity"));

  write(folder / "list.txt", "p0/0.jpg\t7\np1/0.jpg\t12\np2/0.jpg\t100\n");
  source = list_source("mine", Role::kLabeled, folder / "list.txt", folder / "faces");
  source.label_map = {(folder / "map.tsv").string()};
  CHECK(names("100\t7\n") == Names{"7", "12", "7"});
  CHECK_THAT(refused("100\tseven\n"), contains_text("identities are numbers"));
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

TEST_CASE("Images that an index of other rules judged are examined again", "[index]") {
  const TempFolder folder;
  for (const char* name : {"a/1.jpg", "a/2.jpg"}) write_bytes(folder / "faces" / name, jpeg_face(0, 0));
  const fs::path place = folder / "index";
  const std::vector sources{folder_source("tree", Role::kLabeled, folder / "faces")};
  build(place, sources);
  const std::string fingerprint = Index::open(place).fingerprint();
  write_index_with_flags(place, place, std::vector<uint32_t>{kBad, 0});
  CHECK(build(place, sources).record.images_reused == 2);
  CHECK((Index::open(place).flags()[0] & kBad) != 0);

  IndexManifest manifest = IndexManifest::read(place);  // as it was before rules were kept
  std::erase_if(manifest.files, [](const auto& file) { return file.name == index_files::kRules; });
  write_manifest(place, manifest);
  CHECK(Index::open(place).picture_rules() == 0);
  CHECK(build(place, sources).record.images_reused == 0);
  const Index index = Index::open(place);
  CHECK((index.flags()[0] & kBad) == 0);
  CHECK(index.picture_rules() == Index::kPictureRules);
  CHECK(index.fingerprint() == fingerprint);
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
