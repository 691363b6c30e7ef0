#include "uir/data/list_file.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_folder.h"

using namespace uir;

namespace {

fs::path write(const TempFolder& folder, std::string_view content) {
  const fs::path path = folder / "list.txt";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

struct Line {
  std::string path, label;
  std::optional<Landmarks> landmarks;
};

std::vector<Line> read(std::string_view content, ListFormat format) {
  const TempFolder folder;
  ListFile list(write(folder, content), format);
  std::vector<Line> lines;
  ListEntry entry;
  while (list.next(entry))
    lines.push_back({std::string(entry.path), std::string(entry.label), entry.landmarks});
  return lines;
}

std::string refusal(std::string_view content, ListFormat format) {
  const auto error = error_of([&] { read(content, format); });
  if (!error) return "accepted";
  CHECK(error->kind() == ErrorKind::kData);
  return error->what();
}

const Landmarks kPoints{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

}  // namespace

TEST_CASE("Lists of paths and labels", "[list]") {
  const auto tab = read("Ann/1.jpg\t0\nBob B/2 a.jpg\t12\n", ListFormat::kPathLabel);
  REQUIRE(tab.size() == 2);
  CHECK(tab[1].path == "Bob B/2 a.jpg");
  CHECK(tab[1].label == "12");
  CHECK_FALSE(tab[1].landmarks);

  const auto space = read("Bob B/2 a.jpg 12", ListFormat::kPathSpaceLabel);
  REQUIRE(space.size() == 1);
  CHECK(space[0].path == "Bob B/2 a.jpg");
  CHECK(space[0].label == "12");

  const auto plain = read(
      "\xef\xbb\xbf"
      "a b.jpg\r\n\r\nc.jpg\r\n\n",
      ListFormat::kPath);
  REQUIRE(plain.size() == 2);
  CHECK(plain[0].path == "a b.jpg");
  CHECK(plain[1].path == "c.jpg");
  CHECK(plain[1].label.empty());
}

TEST_CASE("Lists of im2rec have the path last", "[list]") {
  const auto lines = read("4\t1.000000\twoman/woman_1.jpg\n7\t3\t0.5\t0.25\tx.jpg\n", ListFormat::kIm2rec);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].path == "woman/woman_1.jpg");
  CHECK(lines[0].label == "1.000000");
  CHECK(lines[1].label == "3");
  CHECK(lines[1].path == "x.jpg");
}

TEST_CASE("InsightFace's lists give x first, then y", "[list]") {
  const std::string box = "\t9\t9\t90\t99", points = "\t1\t3\t5\t7\t9\t2\t4\t6\t8\t10\n";
  const auto lines =
      read("0\ta.jpg\t3\n0\tb.jpg\t4" + box + "\n0\tc.jpg\t5" + box + points + "1\td.jpg\t6" + box + points,
           ListFormat::kInsightFace);
  REQUIRE(lines.size() == 4);
  CHECK_FALSE(lines[0].landmarks);
  CHECK_FALSE(lines[1].landmarks);
  CHECK(lines[2].landmarks == kPoints);
  CHECK(lines[2].label == "5");
  CHECK_FALSE(lines[3].landmarks);  // aligned already
}

TEST_CASE("Trillion-Pairs' lists: training with labels, testing without", "[list]") {
  const auto train = read("m.01/1.jpg 7 1,2 3,4 5,6 7,8 9,10\nm.01/2.jpg 7\n", ListFormat::kTrillionPairs);
  REQUIRE(train.size() == 2);
  CHECK(train[0].landmarks == kPoints);
  CHECK(train[0].label == "7");
  CHECK_FALSE(train[1].landmarks);

  const auto test = read("testdata/1.jpg 1 2 3 4 5 6 7 8 9 10\n", ListFormat::kPathPoints);
  REQUIRE(test.size() == 1);
  CHECK(test[0].landmarks == kPoints);
  CHECK(test[0].label.empty());

  // As published: fractions, and paths of several folders; left eye, right eye, nose, left and right mouth
  // corner.
  const auto published = read("testdata/0/0.jpg 68.21 113.5 125.04 112.97 96 145.3 72.5 180.25 122.1 181\r\n",
                              ListFormat::kPathPoints);
  REQUIRE(published.size() == 1);
  CHECK(published[0].path == "testdata/0/0.jpg");
  CHECK(published[0].landmarks ==
        Landmarks{68.21f, 113.5f, 125.04f, 112.97f, 96, 145.3f, 72.5f, 180.25f, 122.1f, 181});
}

TEST_CASE("IJB's lists: points and a detector score; a name may come twice", "[list]") {
  const auto lines =
      read("1.jpg 1 2 3 4 5 6 7 8 9 10 0.998\n1.jpg 1 2 3 4 5 6 7 8 9 10 1\n", ListFormat::kIjb);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].path == "1.jpg");
  CHECK(lines[1].path == "1.jpg");
  CHECK(lines[0].landmarks == kPoints);
  CHECK(lines[0].label.empty());
  CHECK_FALSE(ListFile::has_labels(ListFormat::kIjb));
}

TEST_CASE("Of 68 points, five are taken", "[list]") {
  std::string line = "a.jpg 0";
  for (int i = 0; i < 68; ++i) line += concat(" ", i, ",", 100 + i);
  const auto lines = read(line, ListFormat::kTrillionPairs);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].landmarks == Landmarks{37.5, 137.5, 43.5, 143.5, 30, 130, 48, 148, 54, 154});
}

TEST_CASE("A landmark CSV names its columns", "[list]") {
  const std::string mine =
      "file,score,eyeL_x,eyeL_y,eyeR_x,eyeR_y,nose_x,nose_y,mouthL_x,mouthL_y,mouthR_x,mouthR_y\n";
  const std::string celeba =
      "image_id,lefteye_x,lefteye_y,righteye_x,righteye_y,nose_x,nose_y,leftmouth_x,leftmouth_y,rightmouth_x,"
      "rightmouth_y\n";
  const auto first =
      read(mine + "a.jpg,0.5,1,2,3,4,5,6,7,8,9,10\nb.jpg,0,,,,,,,,,,\n", ListFormat::kLandmarkCsv);
  REQUIRE(first.size() == 2);
  CHECK(first[0].landmarks == kPoints);
  CHECK_FALSE(first[1].landmarks);
  CHECK(read(celeba + "a.jpg,1,2,3,4,5,6,7,8,9,10\n", ListFormat::kLandmarkCsv)[0].landmarks == kPoints);
  const auto numbered = read("path,label,y1,x1,x2,y2,x3,y3,x4,y4,x5,y5\na.jpg,Ann,2,1,3,4,5,6,7,8,9,10",
                             ListFormat::kLandmarkCsv);
  CHECK(numbered[0].landmarks == kPoints);
  CHECK(numbered[0].label == "Ann");
}

TEST_CASE("A landmark table is read by path", "[list]") {
  const TempFolder folder;
  const std::string header = "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\r\n";
  LandmarkTable table(write(folder, header + "b.jpg,1,2,3,4,5,6,7,8,9,10\r\na.jpg,2,2,3,4,5,6,7,8,9,11\r\nc."
                                             "jpg,,,,,,,,,,\r\nc.jpg,,,,,,,,,,\r\n"));
  CHECK(kind_of([&] { table.check_used(); }) == ErrorKind::kData);
  CHECK_FALSE(table.find("z.jpg"));
  CHECK(kind_of([&] { table.check_used(); }) == ErrorKind::kData);
  CHECK(table.find("b.jpg") == kPoints);
  CHECK(table.find("a.jpg")->back() == 11);
  CHECK(table.find("b.jpg") == kPoints);
  table.check_used();
  CHECK_THAT(error_of([&] { table.find("c.jpg"); })->what(), contains_text("'c.jpg' stands there twice"));
}

TEST_CASE("Malformed lines are refused with file and line", "[list]") {
  CHECK_THAT(refusal("a.jpg\t0\nb.jpg 0\n", ListFormat::kPathLabel),
             contains_text("list.txt:2: expected a path, a tab"));
  CHECK_THAT(refusal("a.jpg\t\n", ListFormat::kPathLabel), contains_text("list.txt:1"));
  CHECK_THAT(refusal("\t0\n", ListFormat::kPathLabel), contains_text("the path is empty"));
  CHECK_THAT(refusal("a.jpg\n", ListFormat::kPathSpaceLabel), contains_text("a space"));
  CHECK_THAT(refusal("1\t2\n", ListFormat::kIm2rec), contains_text("2 fields"));
  CHECK_THAT(refusal("x\t2\ta.jpg\n", ListFormat::kIm2rec), contains_text("'x'"));
  CHECK_THAT(refusal("0\ta.jpg\n", ListFormat::kInsightFace), contains_text("2 fields"));
  CHECK_THAT(refusal("2\ta.jpg\t0\n", ListFormat::kInsightFace), contains_text("must be 0 or 1"));
  CHECK_THAT(refusal("0\ta.jpg\t0\t1\t2\t3\tx\n", ListFormat::kInsightFace),
             contains_text("'x' is not a coordinate"));
  CHECK_THAT(refusal("a.jpg 0 1,2\n", ListFormat::kTrillionPairs), contains_text("3 fields"));
  CHECK_THAT(refusal("a.jpg 0 1,2 3,4 5,6 7,8 9,nan\n", ListFormat::kTrillionPairs), contains_text("'nan'"));
  CHECK_THAT(refusal("a.jpg 0 1,2 3,4 5,6 7,8 9\n", ListFormat::kTrillionPairs),
             contains_text("not a point"));
  CHECK_THAT(refusal("1.jpg 1 2 3 4 5 6 7 8 9 10\n", ListFormat::kIjb), contains_text("11 fields"));
  CHECK_THAT(refusal("1.jpg 1 2 3 4 5 6 7 8 9 10 x\n", ListFormat::kIjb),
             contains_text("'x' is not a detector score"));
  CHECK_THAT(refusal("1.jpg 1 2 3 4 5 6 7 8 nan 10 1\n", ListFormat::kIjb),
             contains_text("'nan' is not a coordinate"));
  CHECK_THAT(refusal("a.jpg 1 2 3\n", ListFormat::kPathPoints), contains_text("4 fields"));
  CHECK_THAT(refusal(std::string("a\0b\n", 4), ListFormat::kPath), contains_text("zero byte"));
  CHECK_THAT(refusal(std::string(1 << 17, 'a'), ListFormat::kPath), contains_text("longer than"));
  CHECK_THAT(refusal("", ListFormat::kLandmarkCsv), contains_text("no header"));
  CHECK_THAT(refusal("path,x1,y1\n", ListFormat::kLandmarkCsv), contains_text("no column eyeR_x"));
  const std::string header = "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5";
  CHECK_THAT(refusal(header + ",nose_x\n", ListFormat::kLandmarkCsv),
             contains_text("two columns for nose_x"));
  CHECK_THAT(refusal(header + "\na.jpg,1\n", ListFormat::kLandmarkCsv),
             contains_text("list.txt:2: 2 fields, the header has 11"));
  CHECK_THAT(refusal(header + "\na.jpg,1,2,3,4,5,6,7,8,9,\n", ListFormat::kLandmarkCsv),
             contains_text("'' is not a coordinate"));
}

TEST_CASE("Labels are whole numbers", "[list]") {
  const TempFolder folder;
  TextLines lines(write(folder, "x\ny\n"));
  lines.next();
  lines.next();
  CHECK(parse_label(lines, "0", 0) == 0);
  CHECK(parse_label(lines, "17.0", 0) == 17);
  CHECK(parse_label(lines, "1e3", 0) == 1000);
  CHECK(parse_label(lines, "9007199254740993", 0) == 9007199254740993);
  CHECK(parse_label(lines, "-1", -1) == -1);
  for (const char* bad :
       {"-1", "-0.5", "1.5", "nan", "inf", "1e300", "99999999999999999999", "", "1 ", "0x10", "a"}) {
    INFO(bad);
    const auto error = error_of([&] { parse_label(lines, bad, 0); });
    REQUIRE(error);
    CHECK_THAT(error->what(), contains_text("list.txt:2: label '"));
  }
}

TEST_CASE("Which formats have labels and landmarks", "[list]") {
  const std::vector<ListFormat> without_labels{ListFormat::kPath, ListFormat::kPathPoints, ListFormat::kIjb};
  const std::vector<ListFormat> with_landmarks{ListFormat::kInsightFace, ListFormat::kTrillionPairs,
                                               ListFormat::kPathPoints, ListFormat::kLandmarkCsv,
                                               ListFormat::kIjb};
  for (const auto& [format, name] : EnumNames<ListFormat>::value) {
    CAPTURE(name);
    CHECK(ListFile::has_labels(format) == (std::ranges::count(without_labels, format) == 0));
    CHECK(ListFile::has_landmarks(format) == (std::ranges::count(with_landmarks, format) == 1));
  }
}
