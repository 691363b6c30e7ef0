// Tar shards as a source of an index.
#include "uir/data/tar_shards.h"

#include <clocale>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "index_files.h"
#include "support/tar_archive.h"
#include "uir/base/log.h"
#include "uir/data/image_source.h"
#include "uir/data/shard_names.h"
#include "uir/pixels/pixels.h"

using namespace uir;
using namespace std::string_literals;

namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::string face(int64_t person, int64_t image) { return std::string(as_text(jpeg_face(person, image))); }

void write_tar(const fs::path& path, const Files& files) {
  TarArchive tar;
  for (const auto& [name, content] : files) tar.add(name, content);
  tar.end();
  write(path, tar.text);
}

SourceConfig shard_source(Role role, const fs::path& shards, SampleLabel label = SampleLabel::kCls) {
  SourceConfig source;
  source.name = "web";
  source.role = role;
  source.kind = WebdatasetSource{{shards.string()}, label, "label"};
  return source;
}

// What is said of one shard with these files.
std::string refusal(const Files& files, Role role = Role::kLabeled, SampleLabel label = SampleLabel::kCls) {
  const TempFolder folder;
  write_tar(folder / "a.tar", files);
  const auto error = build_error(folder, {shard_source(role, folder / "a.tar", label)});
  if (!error) return "accepted";
  CHECK(error->kind() == ErrorKind::kData);
  CHECK_THAT(error->what(), contains_text("source 'web': " + (folder / "a.tar").string()));
  return error->what();
}

std::string refusal_of_bytes(std::string_view bytes) {
  const TempFolder folder;
  write(folder / "a.tar", bytes);
  const MappedFile file(folder / "a.tar");
  const auto error = error_of([&] { for_each_tar_member(file, [](const TarMember&) {}); });
  return error ? error->what() : "accepted";
}

std::vector<std::string> members_of(const fs::path& tar) {
  const MappedFile file(tar);
  std::vector<std::string> members;
  for_each_tar_member(file, [&](const TarMember& member) {
    members.push_back(std::string(member.name) + "=" +
                      std::string(as_text(file.bytes().subspan(member.offset, member.size))));
  });
  return members;
}

std::vector<std::string> names_of(const Index& index) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < index.num_classes(); ++i) names.emplace_back(index.identity_name(i));
  return names;
}

}  // namespace

TEST_CASE("Tar headers of all kinds: names and places, byte by byte", "[tar]") {
  const TempFolder folder;
  const std::string deep = std::string(90, 'd') + "/" + std::string(90, 'x') + "/\xc3\xa9\x65\xcc\x81.jpg";
  TarArchive tar;
  tar.add("./a.jpg", "one");
  tar.add("folder/", "", '5');
  tar.add("b\xe7.jpg", std::string(512, 'b'));
  tar.magic = "ustar  "s;
  tar.add_gnu(deep, "three");
  tar.magic = "ustar\0"s + "00";
  tar.add_pax(deep + "2", "");
  tar.add_pax("e\xcc\x81.jpg", "five");
  tar.end();
  write(folder / "a.tar", tar.text);
  const std::vector<std::string> expected{"a.jpg=one", "b\xe7.jpg=" + std::string(512, 'b'), deep + "=three",
                                          deep + "2=", "e\xcc\x81.jpg=five"};
  CHECK(members_of(folder / "a.tar") == expected);
  const std::string before = std::setlocale(LC_ALL, nullptr);
  if (std::setlocale(LC_ALL, "C.UTF-8")) CHECK(members_of(folder / "a.tar") == expected);
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("What is no whole, plain tar is refused by name", "[tar]") {
  const auto compressed = [](const std::string& magic) {
    return refusal_of_bytes(magic + std::string(600, 'x'));
  };
  CHECK_THAT(compressed("\x1f\x8b"), contains_text("a gzip-compressed file"));
  CHECK_THAT(compressed("\x1f\x8b"), contains_text("unpack it: gunzip '"));
  CHECK_THAT(compressed("BZh"), contains_text("bunzip2 '"));
  CHECK_THAT(compressed("\xfd\x37zXZ\0"s), contains_text("unxz '"));
  CHECK_THAT(compressed("\x28\xb5\x2f\xfd"), contains_text("zstd -d '"));
  CHECK_THAT(compressed("\x04\x22\x4d\x18"), contains_text("lz4 -d '"));
  CHECK_THAT(refusal_of_bytes(""), contains_text("a.tar: an empty file, no tar"));
  CHECK_THAT(refusal_of_bytes(std::string(2000, 'x')), contains_text("a.tar: is no tar file"));

  TarArchive tar;
  tar.add("a.jpg", std::string(700, 'a'));
  tar.add("b.jpg", "b");
  const std::string whole = tar.text;
  CHECK(refusal_of_bytes(whole + std::string(1024, '\0')) == "accepted");
  CHECK(refusal_of_bytes(whole) == "accepted");  // as GNU tar does; warned of below
  CHECK_THAT(refusal_of_bytes(whole.substr(0, 1000)),
             contains_text("a.jpg has 700 bytes, but the file ends 488"));
  for (const size_t size : {size_t{513 + 1024}, whole.size() - 512})
    CHECK_THAT(refusal_of_bytes(whole.substr(0, size)), contains_text("cut off"));
  std::string damaged = whole;
  damaged[1536 + 3] = 'X';
  CHECK_THAT(refusal_of_bytes(damaged), contains_text("at offset 1536: a damaged header"));
  CHECK_THAT(refusal_of_bytes(whole + std::string(1024, '\0') + whole), contains_text("but more follows"));

  for (const char type : {'1', '2'}) {
    TarArchive links = tar;
    links.add("c.jpg", "", type);
    CHECK_THAT(refusal_of_bytes(links.text), contains_text("at offset 2560: c.jpg is a link"));
  }
  TarArchive sparse;
  sparse.magic = "ustar  "s;
  sparse.add("s.jpg", "data", 'S');
  sparse.end();
  CHECK_THAT(refusal_of_bytes(sparse.text), contains_text("s.jpg is stored as a sparse file"));
  TarArchive line;
  line.add("a\nb.jpg", "x");
  CHECK_THAT(refusal_of_bytes(line.text), contains_text("a control character"));
}

TEST_CASE("A tar without its end is read, with a warning", "[tar]") {
  std::string warning;
  const LogSink old = set_log_sink([&](LogLevel, std::string_view text) { warning += text; });
  TarArchive tar;
  tar.add("a.jpg", "a");
  CHECK(refusal_of_bytes(tar.text) == "accepted");
  CHECK_THAT(warning, contains_text("a.tar: ends without the zeros that mark a tar's end, after 1024 bytes"));
  warning.clear();
  tar.end();
  CHECK(refusal_of_bytes(tar.text) == "accepted");
  CHECK(refusal_of_bytes(tar.text + std::string(8192, '\0')) == "accepted");
  CHECK(warning.empty());
  set_log_sink(old);
}

TEST_CASE("A tar that is cut or damaged anywhere never crashes the reader", "[tar]") {
  TarArchive tar;
  tar.magic = "ustar  "s;
  tar.add_gnu(std::string(150, 'n') + ".jpg", "content");
  tar.add_pax("p.jpg", "content");
  tar.end();
  for (size_t size = 0; size < tar.text.size(); size += 37) refusal_of_bytes(tar.text.substr(0, size));
  for (size_t at = 0; at < tar.text.size(); at += 13) {
    std::string damaged = tar.text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    refusal_of_bytes(damaged);
  }
}

TEST_CASE("Braces and wildcards name shards", "[shards]") {
  using Names = std::vector<std::string>;
  CHECK(expand_braces("a-{008..011}.tar") == Names{"a-008.tar", "a-009.tar", "a-010.tar", "a-011.tar"});
  CHECK(expand_braces("a-{9..11}") == Names{"a-9", "a-10", "a-11"});
  CHECK(expand_braces("{1..0}-{a,b{2..3}}") == Names{"1-a", "1-b2", "1-b3", "0-a", "0-b2", "0-b3"});
  for (const std::string plain : {"a{b}c", "a{b", "a}b", "{..}", "{1..x}", "{-1..2}", ""})
    CHECK(expand_braces(plain) == Names{plain});
  CHECK(kind_of([] { expand_braces("{0..1000000}"); }) == ErrorKind::kConfig);
  CHECK(kind_of([] { expand_braces("{0..9999}{0..9999}"); }) == ErrorKind::kConfig);

  const TempFolder folder;
  for (const std::string name : {"b-1.tar", "b-0.tar", "b-2.tar.gz", "c{0..1}.tar"})
    write(folder / name, "x");
  const auto names = [&](const std::string& pattern) {
    Names found;
    for (const fs::path& path : shard_files((folder / pattern).string()))
      found.push_back(path.filename().string());
    return found;
  };
  CHECK(names("b-*.tar") == Names{"b-0.tar", "b-1.tar"});
  CHECK(names("b-{1..0}.tar") == Names{"b-1.tar", "b-0.tar"});
  CHECK(names("c{0..1}.tar") == Names{"c{0..1}.tar"});
  const auto missing = error_of([&] { names("b-{0..3}.tar"); });
  REQUIRE(missing);
  CHECK(missing->kind() == ErrorKind::kMissingInput);
  CHECK_THAT(missing->what(), contains_text("2 files are not there"));
  CHECK_THAT(error_of([&] { names("d-*.tar"); })->what(), contains_text("d-*.tar: no file matches"));
}

TEST_CASE("Samples of several shards become rows with labels, read again byte by byte", "[index]") {
  const TempFolder folder;
  write_tar(folder / "s-0.tar", {{"a/7.cls", "3\n"},
                                 {"a/7.jpg", face(0, 0)},
                                 {"a/7.seg.npy", "x"},
                                 {"LICENSE", "y"},
                                 {"a.b/8.JPG", face(1, 0)},
                                 {"a.b/8.cls", "7"},
                                 {".hidden.jpg", "z"}});
  write_tar(folder / "s-1.tar", {{"9.left.jpg", face(0, 1)}, {"9.cls", "003"}, {"9.txt", "a caption"}});
  const IndexReport report = build(folder / "index", {shard_source(Role::kLabeled, folder / "s-{0..1}.tar")});
  CHECK(report.record.left_out[0].files() == 2);
  const Index index = Index::open(folder / "index", Index::Check::kFull);
  CHECK(items_of(index) == std::vector<std::string>{"a/7.jpg", "a.b/8.JPG", "9.left.jpg"});
  CHECK(labels_of(index) == std::vector<int64_t>{0, 1, 0});
  CHECK(names_of(index) == std::vector<std::string>{"3", "7"});
  const ImageSource images(index);
  const std::vector<std::pair<int64_t, int64_t>> faces{{0, 0}, {1, 0}, {0, 1}};
  for (int64_t row = 0; row < 3; ++row)
    CHECK(images.encoded(row) == jpeg_face(faces[row].first, faces[row].second));

  const std::string fingerprint = index.fingerprint();
  fs::rename(folder / "s-0.tar", folder / "t-0.tar");
  fs::rename(folder / "s-1.tar", folder / "t-1.tar");
  CHECK(kind_of([&] { const ImageSource gone(index); }) == ErrorKind::kMissingInput);
  build(folder / "moved", {shard_source(Role::kLabeled, folder / "t-*.tar")});
  CHECK(Index::open(folder / "moved").fingerprint() == fingerprint);
}

TEST_CASE("Shards whose paths are no UTF-8", "[index]") {
  const TempFolder folder;
  write_tar(folder / "\xe7-0.tar", {{"a.jpg", face(0, 0)}});
  write_tar(folder / "\xe7-1.tar", {{"b.jpg", face(0, 1)}});
  build(folder / "index", {shard_source(Role::kUnlabeled, folder / "\xe7-*.tar")});
  const Index index = Index::open(folder / "index");
  CHECK(index.sources()[0].shards[1] == folder / "\xe7-1.tar");
  CHECK(ImageSource(index).encoded(1) == jpeg_face(0, 1));
}

TEST_CASE("Labels in .txt and .json, and none", "[index]") {
  const TempFolder folder;
  const auto classes = [&](const Files& files, SampleLabel label, Role role = Role::kLabeled) {
    write_tar(folder / "a.tar", files);
    build(folder / "index", {shard_source(role, folder / "a.tar", label)});
    const Index index = Index::open(folder / "index");
    return role == Role::kLabeled ? names_of(index)
                                  : std::vector<std::string>{std::to_string(labels_of(index)[0])};
  };
  using Names = std::vector<std::string>;
  CHECK(
      classes({{"a.jpg", face(0, 0)}, {"a.txt", "Zo\xc3\xab K.\n"}, {"b.jpg", face(1, 0)}, {"b.txt", "007"}},
              SampleLabel::kTxt) == Names{"007", "Zo\xc3\xab K."});
  CHECK(classes({{"a.json", R"({"label": 12, "x": 1})"}, {"a.jpg", face(0, 0)}}, SampleLabel::kJson) ==
        Names{"12"});
  CHECK(classes({{"a.json", R"({"label": 12.0})"}, {"a.jpg", face(0, 0)}}, SampleLabel::kJson) ==
        Names{"12"});
  CHECK(classes({{"a.json", R"({"label": "12 a"})"}, {"a.jpg", face(0, 0)}}, SampleLabel::kJson) ==
        Names{"12 a"});
  CHECK(classes({{"a.jpg", face(0, 0)}}, SampleLabel::kNone, Role::kTest) == Names{"-1"});
  CHECK(classes({{"a.jpg", face(0, 0)}, {"a.cls", "-1"}}, SampleLabel::kCls, Role::kTest) == Names{"-1"});
  CHECK(classes({{"a.jpg", face(0, 0)}, {"a.cls", "none"}}, SampleLabel::kCls, Role::kUnlabeled) ==
        Names{"-1"});
  CHECK(kind_of([&] {
          build(folder / "other", {shard_source(Role::kLabeled, folder / "a.tar", SampleLabel::kNone)});
        }) == ErrorKind::kConfig);
}

TEST_CASE("Samples that are none are refused with shard and key", "[index]") {
  const std::string jpeg = face(0, 0);
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.cls", "1"}, {"b.cls", "1"}}),
             contains_text("a.tar: sample 'b': has no image (it has .cls)"));
  CHECK_THAT(refusal({{"b.cls", "1"}}, Role::kUnlabeled), contains_text("sample 'b': has no image"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.json", "{}"}}), contains_text("has no .cls (it has .jpg, .json)"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"b.jpg", jpeg}, {"a.cls", "1"}, {"b.cls", "1"}}),
             contains_text("tar --sort=name"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.png", jpeg}, {"a.cls", "1"}}),
             contains_text("sample 'a': has several images, a.jpg and a.png"));
  CHECK_THAT(refusal({{"a.cls", "1"}, {"a.jpg", jpeg}, {"a.cls", "2"}}), contains_text("has two files .cls"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"b.jpg", jpeg}, {"a.jpg", jpeg}}, Role::kUnlabeled),
             contains_text("sample 'a': its key stands in this shard twice"));
  for (const std::string bad : {"x", "-2", "1.5", "", "1 2", "99999999999999999999"})
    CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.cls", bad}}),
               contains_text("sample 'a': label '" + bad + "' is not a whole number of at least 0"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.cls", "-1"}}), contains_text("is not a whole number"));
  const auto json = [&](const std::string& text) {
    return refusal({{"a.jpg", jpeg}, {"a.json", text}}, Role::kLabeled, SampleLabel::kJson);
  };
  CHECK_THAT(json("{"), contains_text("its .json is no JSON object with a field 'label'"));
  CHECK_THAT(json(R"({"id": 1})"), contains_text("its .json has no field 'label'; `json_field` says"));
  CHECK_THAT(json(R"({"label": null})"), contains_text("label 'null' is not a whole number"));
  CHECK_THAT(json(R"({"label": 1.5})"), contains_text("label '1.5' is not a whole number"));
  CHECK_THAT(
      refusal(
          {{"a.jpg", jpeg}, {"a.json", R"({"label": 1})"}, {"b.jpg", jpeg}, {"b.json", R"({"label": "1"})"}},
          Role::kLabeled, SampleLabel::kJson),
      contains_text("sample 'b': label 1: some labels are numbers and some are names"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.txt", "two\nlines"}}, Role::kLabeled, SampleLabel::kTxt),
             contains_text("a control character"));
  CHECK_THAT(refusal({{"a.jpg", jpeg}, {"a.txt", " \n"}}, Role::kLabeled, SampleLabel::kTxt),
             contains_text("the label is empty"));
  const TempFolder folder;
  write_tar(folder / "a.tar", {{"x.heic", jpeg}});
  CHECK_THAT(build_error(folder, {shard_source(Role::kUnlabeled, folder / "a.tar")})->what(),
             contains_text("it has no images; left out: 1 file"));
  write_tar(folder / "a.tar", {{"x.jpg", jpeg}});
  write_tar(folder / "b.tar", {{"y.jpg", jpeg}, {"x.png", jpeg}});
  CHECK_THAT(
      build_error(folder, {shard_source(Role::kUnlabeled, folder / "?.tar")})->what(),
      contains_text("b.tar: sample 'x': its key stands in " + (folder / "a.tar").string() + " as well"));
}

TEST_CASE("Shards that change are noticed; those that stay are not read again", "[index]") {
  const TempFolder folder;
  const auto index_shards = [&] {
    return build(folder / "index", {shard_source(Role::kUnlabeled, folder / "s-*.tar")}).record;
  };
  write_tar(folder / "s-0.tar", {{"a.jpg", face(0, 0)}});
  write_tar(folder / "s-1.tar", {{"b.jpg", face(1, 0)}});
  CHECK(index_shards().images_read == 2);
  CHECK(index_shards().images_reused == 2);
  write_tar(folder / "s-2.tar", {{"c.jpg", face(2, 0)}});
  const IndexingRecord more = index_shards();
  CHECK(more.images_read == 1);
  CHECK(more.images_reused == 2);

  const Index index = Index::open(folder / "index");
  // The same names, sizes and places, another picture.
  std::string other = face(1, 0);
  other[other.size() / 2] ^= 1;
  write_tar(folder / "s-1.tar", {{"b.jpg", other}});
  write(folder / "s-2.tar", "");
  const ImageSource images(index);
  CHECK_NOTHROW(images.encoded(0));
  CHECK_THAT(error_of([&] { images.encoded(1); })->what(),
             contains_text(
                 "source 'web': b.jpg: changed since it was indexed (other content); run uir-index again"));
  CHECK_THAT(error_of([&] { images.encoded(2); })->what(),
             contains_text("changed since it was indexed (its shard ends"));
  // One more in front: the numbers of all shards change.
  write_tar(folder / "s-2.tar", {{"c.jpg", face(2, 0)}});
  write_tar(folder / "s-00.tar", {{"d.jpg", face(3, 0)}});
  CHECK(index_shards().images_read == 4);
  CHECK(ImageSource(Index::open(folder / "index")).encoded(3) == jpeg_face(2, 0));
}
