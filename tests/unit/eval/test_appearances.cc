#include "uir/eval/appearances.h"

#include <map>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"

namespace uir {
namespace {

// What is said of a list with this text.
std::string refusal_of(const std::string& text) {
  TempFolder folder;
  const std::vector<fs::path> files{folder / "reference.csv"};
  write_file_atomically(files[0], text);
  return brute::error_of(ErrorKind::kData, [&] { read_appearances(files); });
}

}  // namespace

TEST_CASE("sets of time") {
  CHECK(united({{5, 7}, {0, 2}, {2, 3}, {6, 6 + 3}, {0, 1}}) == TimeSet{{0, 3}, {5, 9}});
  CHECK(united({}).empty());
  CHECK(intersection({{0, 3}, {5, 9}}, {{1, 6}, {8, 20}}) == TimeSet{{1, 3}, {5, 6}, {8, 9}});
  CHECK(length({{0, 3}, {5, 9}}) == 7);
  CHECK(common_length({2, 6}, {{0, 3}, {5, 9}}) == 2);
  CHECK(common_length({3, 5}, {{0, 3}, {5, 9}}) == 0);
}

TEST_CASE("labels: names, people of no gallery, and those who are not told") {
  for (const char* label : {"?", "unsure", "too small"}) CHECK(kind_of(label) == WhoKind::kNotTold);
  for (const char* label : {"?anna", "??", "stranger 1", "stranger 20", "?unsure"})
    CHECK(kind_of(label) == WhoKind::kToldApart);
  for (const char* label : {"Anna", "stranger", "stranger ", "stranger x", "stranger 1b", "Stranger 1", "a?"})
    CHECK(kind_of(label) == WhoKind::kNamed);
}

TEST_CASE("lists: columns by name, names with commas and quotes, several files, times to the microsecond") {
  TempFolder folder;
  write_file_atomically(folder / "a.csv",
                        "score,person,end,video,start\n.9,\"Bond, \"\"007\"\"\",2.5,\"x,y.mp4\",1\n");
  write_file_atomically(folder / "b.csv",
                        "video,start,end,person\n\"x,y.mp4\",2.5,1e1,\"Bond, \"\"007\"\"\"\n");
  const std::vector<fs::path> files{folder / "a.csv", folder / "b.csv"};
  const AppearancesOfVideos videos = read_appearances(files);
  REQUIRE(videos.size() == 1);
  CHECK(videos.at("x,y.mp4").named.at("Bond, \"007\"") == TimeSet{{1'000'000, 10'000'000}});
  CHECK(videos.at("x,y.mp4").extent() == TimeInterval{1'000'000, 10'000'000});

  write_file_atomically(folder / "s.csv", "video,start,end\nv,0.0000014,1\nv,.5,2\nw,-1,0\n");
  CHECK(read_spans(folder / "s.csv") ==
        std::map<std::string, TimeSet>{{"v", {{1, 2'000'000}}}, {"w", {{-1'000'000, 0}}}});
  write_file_atomically(folder / "s.uem", ";; NIST\nv 1 0.5 2\n\nv 1\t3  4 ;; end\n");
  CHECK(read_spans(folder / "s.uem") ==
        std::map<std::string, TimeSet>{{"v", {{500'000, 2'000'000}, {3'000'000, 4'000'000}}}});
}

TEST_CASE("what lists do not hold is refused with file and line") {
  const auto says = [](const std::string& lines) { return refusal_of("video,start,end,person\n" + lines); };
  CHECK_THAT(says("a,0,1,x\na,2,2,x\n"), contains_text("reference.csv:3: from 2 to 2 is no time at all"));
  CHECK_THAT(says("a,3,2,x\n"), contains_text("an end after the start"));
  CHECK_THAT(says("a,0,1e-9,x\n"), contains_text("microseconds count"));
  for (const char* time : {"nan", "inf", "1e9", "0:01", "", " 1", "1s", "0x1"})
    CHECK_THAT(says(concat("a,0,", time, ",x\n")),
               contains_text(concat("reference.csv:2: '", time, "' is no time; expected seconds")));
  CHECK_THAT(says("a,0,1\n"), contains_text("reference.csv:2: 3 fields, the header has 4"));
  CHECK_THAT(says("a,0,1,\n"), contains_text("no person; expected a name, or ?"));
  CHECK_THAT(says(",0,1,x\n"), contains_text("no video"));
  CHECK_THAT(refusal_of("video,start,person\n"),
             contains_text("reference.csv:1: the header 'video,start,person' has no column 'end'"));

  TempFolder folder;
  write_file_atomically(folder / "s.uem", "v 1 0 1\nv 0 1\n");
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { read_spans(folder / "s.uem"); }),
             contains_text("s.uem:2: 3 fields, expected 'video channel start end'"));
  write_file_atomically(folder / "s.csv", "video,start,end\n");
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { read_spans(folder / "s.csv"); }),
             contains_text("no spans"));
}

}  // namespace uir
