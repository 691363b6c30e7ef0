// What is found in folders and files, and what is left out.
#include "uir/survey/survey.h"

#include <algorithm>
#include <fstream>

#include "support/catch.h"
#include "support/errors.h"
#include "support/tar_archive.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/formats/bin_set.h"
#include "uir/formats/recordio.h"

using namespace uir;

namespace {

void write(const fs::path& path, const std::string& text = "no picture") {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// root/p<person>/<image>.jpg
void write_people(const fs::path& root, int people, int images) {
  for (int person = 0; person < people; ++person) {
    for (int image = 0; image < images; ++image)
      write(root / ("p" + std::to_string(person)) / (std::to_string(image) + ".jpg"));
  }
}

Survey survey(const std::vector<fs::path>& data, const std::vector<RoleOfPath>& said = {}) {
  return survey_data(data, said, nullptr);
}

const FoundSource& source_at(const Survey& survey, const fs::path& path) {
  const auto found = std::ranges::find(survey.sources, path, &FoundSource::path);
  REQUIRE(found != survey.sources.end());
  return *found;
}

bool leaves_out(const Survey& survey, const std::string& words) {
  return std::ranges::any_of(survey.left_out,
                             [&](const std::string& line) { return line.find(words) != std::string::npos; });
}

std::string message_of(const std::vector<fs::path>& data, ErrorKind kind,
                       const std::vector<RoleOfPath>& said = {}) {
  const auto error = error_of([&] { survey(data, said); });
  REQUIRE(error);
  CHECK(error->kind() == kind);
  return error->what();
}

}  // namespace

TEST_CASE("People, strangers and test data below one folder", "[survey]") {
  const TempFolder folder;
  write_people(folder / "faces", 5, 3);
  write(folder / "faces/p0/notes.txt");
  write_people(folder / "test", 4, 2);
  for (int i = 0; i < 30; ++i) write(folder / ("crowd/" + std::to_string(i) + ".png"));
  write(folder / "README.md");
  for (const char* file : {"align.json", "landmarks.tsv", "not_found.txt"}) write(folder / "faces" / file);
  const Survey found = survey({folder.path()});
  CHECK_FALSE(leaves_out(found, "not_found"));
  CHECK_FALSE(leaves_out(found, ".json"));
  REQUIRE(found.sources.size() == 3);
  const FoundSource& faces = source_at(found, folder / "faces");
  CHECK(faces.source.role == Role::kLabeled);
  CHECK(faces.people == 5);
  CHECK(faces.images == 15);
  CHECK(faces.people_of_two == 5);
  CHECK(faces.images_of_three == 15);
  CHECK(faces.in_folders.size() == 5);
  CHECK(source_at(found, folder / "test").source.role == Role::kTest);
  CHECK(source_at(found, folder / "crowd").source.role == Role::kUnlabeled);
  CHECK(source_at(found, folder / "crowd").images == 30);
  CHECK(leaves_out(found, "1 .md"));
  CHECK(leaves_out(found, "1 .txt"));
}

TEST_CASE("Folders of one image each: a name decides, else somebody must", "[survey]") {
  const TempFolder folder;
  write_people(folder / "web", 30, 1);
  write_people(folder / "others", 30, 1);
  CHECK(survey({folder / "web"}).sources.at(0).source.role == Role::kUnlabeled);
  const std::string message = message_of({folder / "others"}, ErrorKind::kConfig);
  CHECK(message.find("30 of 30 folders hold one image") != std::string::npos);
  CHECK(message.find("--as unlabeled " + (folder / "others").string()) != std::string::npos);
  CHECK(survey({folder / "others"}, {{Role::kLabeled, folder / "others"}}).sources.at(0).people == 30);
  CHECK(survey({folder / "web/"}, {{Role::kLabeled, folder / "web/"}}).sources.at(0).source.role ==
        Role::kLabeled);
  CHECK(survey_data({folder / "others"}, {}, [](const std::string&) { return Role::kTest; })
            .sources.at(0)
            .source.role == Role::kTest);
  message_of({folder / "web"}, ErrorKind::kUsage, {{Role::kLabeled, folder / "others"}});
}

TEST_CASE("Layouts that sources refuse are refused at once", "[survey]") {
  const TempFolder folder;
  write_people(folder / "faces", 12, 2);
  write(folder / "faces/stray.jpg");
  CHECK(message_of({folder / "faces"}, ErrorKind::kData).find("stray.jpg: lies outside") !=
        std::string::npos);
  fs::remove(folder / "faces/stray.jpg");
  write(folder / "faces/p3/old/1.jpg");
  CHECK(message_of({folder / "faces"}, ErrorKind::kData).find("p3: holds another folder") !=
        std::string::npos);
  message_of({folder / "absent"}, ErrorKind::kMissingInput);
}

TEST_CASE("A list that names its images otherwise says how it is rewritten", "[survey]") {
  const TempFolder folder;
  write_people(folder / "data/crops", 3, 2);
  const std::string crops = (folder / "data/crops/").string();
  write(folder / "faces.lst", crops + "p0/0.jpg\t0\n" + crops + "p1/0.jpg\t1\n");
  const Survey found = survey({folder / "faces.lst"});
  CHECK(found.sources.empty());
  CHECK(leaves_out(found, "faces.lst: a list whose images were not found: rewrite the list: sed 's#^/"));
  CHECK(leaves_out(found, "list: " + (folder / "faces.here.lst").string()));
  write(folder / "windows.lst", "C:\\data\\crops\\p0\\0.jpg\t0\n");
  CHECK(
      leaves_out(survey({folder / "windows.lst"}), "its paths are those of Windows: rewrite the list: sed"));
}

TEST_CASE("What is named twice is one; what is said of it must agree", "[survey]") {
  const TempFolder folder;
  write_people(folder / "faces", 5, 3);
  fs::create_directory_symlink(folder / "faces", folder / "link");
  CHECK(survey({folder / "faces", folder / "link", folder / "faces/"}).sources.size() == 1);
  message_of({folder / "faces"}, ErrorKind::kUsage,
             {{Role::kTest, folder / "faces"}, {Role::kLabeled, folder / "faces/"}});
}

TEST_CASE("Strangers at any depth count once each", "[survey]") {
  const TempFolder folder;
  for (const char* name : {"web/a/1.jpg", "web/a/b/2.jpg", "web/a/b/c/3.jpg", "web/4.jpg", "web/d/5.jpg"})
    write(folder / name);
  const Survey found = survey({folder / "web"});
  REQUIRE(found.sources.size() == 1);
  CHECK(found.sources[0].images == 5);
}

TEST_CASE("A list finds its format and its folder by its images", "[survey]") {
  const TempFolder folder;
  write_people(folder / "data/crops", 3, 2);
  write(folder / "data/lists/train.lst", "p0/0.jpg\tAnn\np0/1.jpg\tAnn\np1/0.jpg\tBob\n");
  write(folder / "data/lists/strangers.txt", "crops/p2/0.jpg\ncrops/p2/1.jpg\n");
  write(folder / "data/lists/elsewhere.txt", "gone/1.jpg 0\n");
  const Survey found = survey({folder / "data"});
  REQUIRE(found.sources.size() == 2);  // the folder is covered
  const auto& train = std::get<ListSource>(source_at(found, folder / "data/lists/train.lst").source.kind);
  CHECK(train.format == ListFormat::kPathLabel);
  CHECK(train.root.value == (folder / "data/crops").string());
  CHECK(source_at(found, folder / "data/lists/train.lst").people == 2);
  const FoundSource& strangers = source_at(found, folder / "data/lists/strangers.txt");
  CHECK(strangers.source.role == Role::kUnlabeled);
  CHECK(std::get<ListSource>(strangers.source.kind).root.value == (folder / "data").string());
  CHECK(leaves_out(found, "elsewhere.txt"));
  CHECK(leaves_out(found, "crops: its images are taken as the lists name them"));
}

TEST_CASE("What earlier commands wrote is no data", "[survey]") {
  const TempFolder folder;
  write_people(folder / "faces", 3, 2);
  write(folder / "exp.yaml");
  write(folder / "exp.faces.lst", "faces/p0/0.jpg\tp0\n");
  write(folder / "runs/exp/index_report.json");
  write(folder / "runs/exp/contact_sheet.png");
  const Survey found = survey({folder.path()});
  CHECK(found.sources.size() == 1);
  CHECK(leaves_out(found, "the folder of a run"));
  CHECK(leaves_out(found, "a list of the experiment beside it"));
}

TEST_CASE("Pairs make their images test data, unless these are trained on", "[survey]") {
  const TempFolder folder;
  for (const char* person : {"Ann_Lee", "Bob"}) {
    for (const char* image : {"_0001.jpg", "_0002.jpg"})
      write(folder / "lfw" / person / (person + std::string(image)));
  }
  write(folder / "pairs.txt", "1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBob\t2\n");
  const Survey found = survey({folder / "lfw", folder / "pairs.txt"});
  REQUIRE(found.sources.size() == 1);
  CHECK(found.sources[0].source.role == Role::kTest);
  REQUIRE(found.sources[0].protocols.size() == 1);
  CHECK(found.sources[0].protocols[0].options == "type: verification, format: lfw");
  write(folder / "train.lst", "Ann_Lee/Ann_Lee_0001.jpg 0\nBob/Bob_0001.jpg 1\n");
  const Survey trained = survey({folder / "lfw", folder / "pairs.txt", folder / "train.lst"});
  CHECK(trained.sources.size() == 1);
  CHECK(leaves_out(trained, "pairs.txt"));
}

TEST_CASE("Published trees: IJB, CFP, AgeDB", "[survey]") {
  const TempFolder folder;
  for (const char* list :
       {"name_5pts_score.txt", "face_tid_mid.txt", "template_pair_label.txt", "1N_probe_mixed.csv"})
    write(folder / "IJBC/meta" / ("ijbc_" + std::string(list)), "");
  write(folder / "IJBC/loose_crop/1.jpg");
  write(folder / "cfp/Data/Images/001/frontal/01.jpg");
  write(folder / "cfp/Protocol/Pair_list_P.txt", "");
  write(folder / "AgeDB/1_Ann_30_f.jpg");
  write(folder / "AgeDB/2_Ann_50_f.jpg");
  write(folder / "AgeDB/3_Bob_20_m.jpg");
  const Survey found = survey({folder.path()});
  REQUIRE(found.sources.size() == 3);
  const FoundSource& ijb = source_at(found, folder / "IJBC");
  CHECK(std::get<ListSource>(ijb.source.kind).format == ListFormat::kIjb);
  CHECK(ijb.protocols.size() == 2);
  const FoundSource& cfp = source_at(found, folder / "cfp/Data/Images");
  CHECK(cfp.to_write == ListToWrite::kImages);
  CHECK(cfp.protocols.size() == 2);
  const FoundSource& agedb = source_at(found, folder / "AgeDB");
  CHECK(agedb.people == 2);
  CHECK(agedb.people_of_two == 1);
  std::string list;
  for_each_line(agedb.to_write, agedb.path, {}, [&](const std::string& line) { list += line; });
  CHECK(list == "1_Ann_30_f.jpg\tAnn\n2_Ann_50_f.jpg\tAnn\n3_Bob_20_m.jpg\tBob\n");
}

TEST_CASE("InsightFace's folder: records, property, verification sets", "[survey]") {
  const TempFolder folder;
  const Bytes image = as_bytes("encoded");
  fs::create_directories(folder / "emore");
  RecordWriter writer(folder / "emore/train.rec", folder / "emore/train.idx");
  writer.write(0, std::array{6.f, 8.f}, {});
  for (uint64_t key = 1; key < 6; ++key) writer.write(key, key < 4 ? 0.f : 1.f, image);
  writer.close();
  write(folder / "emore/property", "2,112,112\n");
  BinSetWriter set(folder / "emore/lfw.bin");
  for (int i = 0; i < 4; ++i) set.add_image(image);
  set.commit(std::array<uint8_t, 2>{1, 0});
  write(folder / "emore/model.bin", "weights");
  const Survey found = survey({folder / "emore"});
  REQUIRE(found.sources.size() == 2);
  const FoundSource& records = source_at(found, folder / "emore/train.rec");
  CHECK(records.source.role == Role::kLabeled);
  CHECK(records.people == 2);
  CHECK(records.images == 5);
  CHECK(source_at(found, folder / "emore/lfw.bin").source.role == Role::kTest);
  CHECK(leaves_out(found, "model.bin"));
}

TEST_CASE("Tar shards of one name are one source", "[survey]") {
  const TempFolder folder;
  const auto shard = [&](const std::string& name, const std::string& label, const std::string& content) {
    TarArchive tar;
    for (const std::string key : {"a", "b", "c"}) {
      tar.add(name + key + ".jpg", "no picture");
      if (!label.empty()) tar.add(name + key + label, content);
    }
    tar.end();
    write(folder / (name + ".tar"), tar.text);
  };
  for (const std::string number : {"08", "09", "10"}) shard("faces-" + number, ".cls", number);
  shard("crowd", "", "");
  shard("named-1", ".json", R"({"width": 3, "identity": "Ann"})");
  shard("named-3", ".json", R"({"width": 3, "identity": "Ben"})");
  write(folder / "no.tar");
  const Survey found = survey({folder.path()});
  REQUIRE(found.sources.size() == 3);
  const FoundSource& faces = source_at(found, folder / "faces-08.tar");
  CHECK(faces.source.role == Role::kLabeled);
  CHECK(faces.people == 3);
  CHECK(faces.images == 9);
  CHECK(faces.people_of_two == 3);
  CHECK(std::get<WebdatasetSource>(faces.source.kind).shards.value == folder / "faces-{08..10}.tar");
  CHECK(source_at(found, folder / "crowd.tar").source.role == Role::kUnlabeled);
  CHECK(source_at(found, folder / "crowd.tar").images == 3);
  const auto& named = std::get<WebdatasetSource>(source_at(found, folder / "named-1.tar").source.kind);
  CHECK(named.shards.value == folder / "named-{1,3}.tar");
  CHECK(named.json_field == "identity");
  CHECK(source_at(found, folder / "named-1.tar").people == 2);
  CHECK(leaves_out(found, "no.tar"));
}
