#include <fstream>

#include "support/catch.h"
#include "uir/eval/ijb_meta.h"
#include "unit/eval/ijb_support.h"

namespace uir {
namespace {

const std::string kFaces = "1.jpg 7 100\n2.jpg 7 100\n3.jpg 3 5\n4.jpg 90000000000 5\n";
const std::string kPoints =
    "1.jpg 1 2 3 4 5 6 7 8 9 10 0.5\n2.jpg 1 2 3 4 5 6 7 8 9 1.5e1 1\n3.jpg 1 2 3 4 5 6 7 8 9 10 0\n"
    "4.jpg -1 2 3 4 5 6 7 8 9 10 0.25\n";

class Meta {
 public:
  Meta() : files_(ijb_files(folder_.path(), IjbBenchmark::kIjbc)) {
    write(files_.faces, kFaces);
    write(files_.points, kPoints);
  }
  static void write(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  const IjbFiles& files() const { return files_; }
  IjbImages images(int threads = 1) const { return read_ijb_images(files_, threads); }
  std::string refusal_of_faces(const std::string& text) const {
    write(files_.faces, text);
    return brute::error_of(ErrorKind::kData, [&] { images(); });
  }
  std::string refusal_of_points(const std::string& text) const {
    write(files_.points, text);
    return brute::error_of(ErrorKind::kData, [&] { images(); });
  }
  std::string refusal_of_pairs(const std::string& text) const {
    write(files_.pairs, text);
    return brute::error_of(ErrorKind::kData, [&] { read_ijb_pairs(files_.pairs, images().templates); });
  }
  IjbSearch search(const std::string& gallery1, const std::string& gallery2,
                   const std::string& probes) const {
    write(files_.galleries[0], gallery1);
    write(files_.galleries[1], gallery2);
    write(files_.probes, probes);
    return read_ijb_search(files_, images().templates);
  }
  std::string refusal_of_search(const std::string& gallery1, const std::string& gallery2,
                                const std::string& probes) const {
    return brute::error_of(ErrorKind::kData, [&] { search(gallery1, gallery2, probes); });
  }

 private:
  TempFolder folder_;
  IjbFiles files_;
};

}  // namespace

TEST_CASE("names of the meta files") {
  const IjbFiles c = ijb_files("m", IjbBenchmark::kIjbc), b = ijb_files("m", IjbBenchmark::kIjbb);
  CHECK(c.faces == "m/ijbc_face_tid_mid.txt");
  CHECK(c.points == "m/ijbc_name_5pts_score.txt");
  CHECK(c.pairs == "m/ijbc_template_pair_label.txt");
  CHECK(c.galleries[1] == "m/ijbc_1N_gallery_G2.csv");
  CHECK(c.probes == "m/ijbc_1N_probe_mixed.csv");
  CHECK(b.faces == "m/ijbb_face_tid_mid.txt");
  CHECK(b.galleries[0] == "m/ijbb_1N_gallery_S1.csv");
}

TEST_CASE("images, their templates, media and detector scores") {
  const Meta meta;
  const IjbImages images = meta.images();
  CHECK(images.size() == 4);
  CHECK(images.templates.size() == 3);
  CHECK(images.templates.id(2) == 90000000000);  // too large for a table
  CHECK(images.template_of == std::vector<int32_t>{1, 1, 0, 2});
  CHECK(images.media == std::vector<int64_t>{100, 100, 5, 5});
  CHECK(images.detector_score == std::vector<double>{0.5, 1, 0, 0.25});
  CHECK(images.names[3] == "4.jpg");
  Meta::write(meta.files().faces,
              "\xef\xbb\xbf"
              "1.jpg\t7  100\r\n2.jpg 7 100\r\n3.jpg 3 5\n4.jpg 8 5 \n\n");
  CHECK(meta.images().template_of == std::vector<int32_t>{1, 1, 0, 2});
  CHECK(meta.images().templates.number(8) == 2);
  CHECK(meta.images().templates.number(4) == -1);
  CHECK(meta.images().templates.number(9) == -1);
}

TEST_CASE("malformed lists of images are refused with file and line") {
  const Meta meta;
  const std::string expected = "expected 'name template media' with whole numbers";
  for (const char* line : {"1.jpg 7", "1.jpg 7 1 1", "1.jpg x 1", "1.jpg 7 1.5", "1.jpg -7 1", "",
                           "1.jpg 7 1x", "1.jpg 7777777777777777777 1"}) {
    CHECK_THAT(meta.refusal_of_faces(concat("0.jpg 1 1\n", line, "\n2.jpg 7 1\n")),
               contains_text("ijbc_face_tid_mid.txt: line 2: found '") && contains_text(expected));
  }
  CHECK_THAT(meta.refusal_of_faces(""), contains_text("ijbc_face_tid_mid.txt: no lines"));
  CHECK_THAT(meta.refusal_of_faces("1.jpg 7 100\n"),
             contains_text("ijbc_name_5pts_score.txt: 4 lines, but ") && contains_text("has 1;"));
}

TEST_CASE("malformed landmark lists are refused with file and line") {
  const Meta meta;
  const auto with_second = [](const std::string& line) {
    return kPoints.substr(0, kPoints.find('\n') + 1) + line + kPoints.substr(kPoints.find("\n3.jpg"));
  };
  for (const char* line :
       {"2.jpg 1 2 3 4 5 6 7 8 9 10", "2.jpg 1 2 3 4 5 6 7 8 9 10 1 1", "2.jpg 1 2 3 4 5 6 7 8 9 10 -0.1",
        "2.jpg 1 2 3 4 5 6 7 8 9 10 nan", "2.jpg 1 2 3 x 5 6 7 8 9 10 1", "2.jpg 1 2 3 inf 5 6 7 8 9 10 1"}) {
    CHECK_THAT(meta.refusal_of_points(with_second(line)),
               contains_text("ijbc_name_5pts_score.txt: line 2: found '") &&
                   contains_text("'name x1 y1 ... x5 y5 score'"));
  }
  CHECK_THAT(meta.refusal_of_points(with_second("5.jpg 1 2 3 4 5 6 7 8 9 10 1")),
             contains_text("line 2: found '5.jpg', expected '2.jpg', the image of ") &&
                 contains_text("ijbc_face_tid_mid.txt: line 2"));
  CHECK_THAT(meta.refusal_of_points(kPoints + "5.jpg 1 2 3 4 5 6 7 8 9 10 1\n"),
             contains_text("5 lines, but "));
}

TEST_CASE("pairs of templates") {
  const Meta meta;
  Meta::write(meta.files().pairs, "7 3 1\n3 90000000000 0\n7\t7  1\r\n");
  const std::vector<IjbPair> pairs = read_ijb_pairs(meta.files().pairs, meta.images().templates);
  REQUIRE(pairs.size() == 3);
  CHECK((pairs[0].first == 1 && pairs[0].second == 0 && pairs[0].genuine));
  CHECK((pairs[1].first == 0 && pairs[1].second == 2 && !pairs[1].genuine));
  CHECK((pairs[2].first == 1 && pairs[2].second == 1 && pairs[2].genuine));
  for (const char* line : {"7 3", "7 3 2", "7 3 1 1", "7 3 01x", "7 x 1", "-7 3 1", "", "7,3,1"}) {
    CHECK_THAT(meta.refusal_of_pairs(concat("7 3 1\n7 3 0\n", line, "\n7 3 1\n")),
               contains_text("ijbc_template_pair_label.txt: line 3: found '") &&
                   contains_text("expected 'template template 0|1'"));
  }
  CHECK_THAT(meta.refusal_of_pairs("7 4 1\n"),
             contains_text("line 1: found '4', expected a template that has images"));
  CHECK_THAT(meta.refusal_of_pairs("7 3 1\n5 3 1\n"), contains_text("line 2: found '5'"));
  CHECK_THAT(meta.refusal_of_pairs("\n"), contains_text("no lines"));
}

TEST_CASE("the first malformed line is named, whatever the number of threads") {
  const Meta meta;
  std::string text;
  for (int i = 0; i < 400000; ++i) text += i == 123456 || i == 399999 ? "7 3 5\n" : "7 3 1\n";
  Meta::write(meta.files().pairs, text);
  for (int threads : {1, 4}) {
    CHECK_THAT(brute::error_of(ErrorKind::kData,
                               [&] { read_ijb_pairs(meta.files().pairs, meta.images().templates, threads); }),
               contains_text("line 123457: found '7 3 5'"));
  }
}

TEST_CASE("galleries and probes list a template once per image") {
  const Meta meta;
  const std::string head = "TEMPLATE_ID,SUBJECT_ID,FILENAME\n";
  Meta::write(meta.files().faces, kFaces + "5.jpg 8 5\n");
  Meta::write(meta.files().points, kPoints + "5.jpg 1 2 3 4 5 6 7 8 9 10 1\n");
  const IjbSearch search =
      meta.search(head + "7,1,a\n3,2,b\n7,1,c\n", head + "90000000000,4\r\n", "t,s\n8,2,x,y\n8,2\n");
  CHECK(search.galleries[0] == std::vector<IjbEntry>{{0, 2}, {1, 1}});
  CHECK(search.galleries[1] == std::vector<IjbEntry>{{3, 4}});
  CHECK(search.probes == std::vector<IjbEntry>{{2, 2}});

  const std::string good = head + "7,1,a\n", other = head + "3,2,b\n";
  CHECK_THAT(meta.refusal_of_search(head, other, other),
             contains_text("ijbc_1N_gallery_G1.csv: expected a header and at least one line"));
  CHECK_THAT(meta.refusal_of_search("7,1\n3,2\n", other, other),
             contains_text("line 1: found '7,1', expected a header"));
  for (const char* line : {"7", "x,1", "7,x", "7,", "7 1", "-7,1", "7,1.5"}) {
    CHECK_THAT(
        meta.refusal_of_search(good, head + line, other),
        contains_text("ijbc_1N_gallery_G2.csv: line 2: found '") && contains_text("'template,subject,...'"));
  }
  CHECK_THAT(
      meta.refusal_of_search(good, other, other + "4,1,a\n"),
      contains_text("ijbc_1N_probe_mixed.csv: line 3: found '4', expected a template that has images"));
  CHECK_THAT(meta.refusal_of_search(good + "7,2,a\n", other, other),
             contains_text("line 3: found 'subject 2', expected subject 1, which template 7 has"));
  CHECK_THAT(meta.refusal_of_search(good, head + "3,1,b\n", other),
             contains_text("ijbc_1N_gallery_G2.csv: subject 1 (template 3) is in ") &&
                 contains_text("gallery_G1.csv too"));
  CHECK_THAT(
      meta.refusal_of_search(good, other, head + "7,1,a\n"),
      contains_text("ijbc_1N_probe_mixed.csv: template 7 is in ") && contains_text("gallery_G1.csv too"));
  CHECK_THAT(meta.refusal_of_search(good, other, other),
             contains_text("template 3 is in ") && contains_text("gallery_G2.csv too"));
}

TEST_CASE("embeddings are the list's images in order, or found by name") {
  const Meta meta;
  TempFolder folder;
  const auto rows = [&](const std::string& items) {
    const auto n = static_cast<int64_t>(std::ranges::count(items, '\n'));
    Meta::write(folder / "items.txt", items);
    std::string features = npy_header(n, 1) + std::string(static_cast<size_t>(n) * 4, '\0');
    Meta::write(folder / "f.npy", features);
    return ijb_rows(meta.images(),
                    EmbeddingStore::open(EmbeddingFiles{folder / "f.npy", {}, folder / "items.txt", {}}));
  };
  const auto refusal = [&](const std::string& items) {
    return brute::error_of(ErrorKind::kData, [&] { rows(items); });
  };
  CHECK(rows(kPoints) == std::vector<int64_t>{0, 1, 2, 3});
  CHECK(rows("4.jpg\n3.jpg\n2.jpg\nother.jpg\n1.jpg\n") == std::vector<int64_t>{4, 2, 1, 0});
  CHECK_THAT(refusal("1.jpg\n2.jpg\n3.jpg\n"),
             contains_text("ijbc_face_tid_mid.txt: line 4: image '4.jpg' is not in the embedding set of 3") &&
                 contains_text("name_5pts_score.txt"));
  CHECK_THAT(refusal("0\n1\n2\n3\n"), contains_text("line 1: image '1.jpg'"));
  CHECK_THAT(refusal("1.jpg\n2.jpg\n3.jpg\n4.jpg\n4.jpg\n"), contains_text("more than once"));
  // An image that stands in two templates has two lines of its name; the order then says which row is whose.
  Meta::write(meta.files().faces, "1.jpg 7 100\n1.jpg 8 100\n");
  Meta::write(meta.files().points, "1.jpg 1 2 3 4 5 6 7 8 9 10 1\n1.jpg 1 2 3 4 5 6 7 8 9 10 1\n");
  CHECK(rows("1.jpg\n1.jpg\n") == std::vector<int64_t>{0, 1});
  CHECK(rows("2.jpg\n1.jpg\n") == std::vector<int64_t>{1, 1});
}

}  // namespace uir
