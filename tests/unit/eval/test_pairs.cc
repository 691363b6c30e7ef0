#include <fstream>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/eval/pairs.h"
#include "unit/eval/brute_force.h"

namespace uir {
namespace {

const std::vector<std::string_view> kItems{
    "Ann/Ann_0001.jpg",     "Ann/Ann_0002.png", "Bob_B/Bob_B_0001.jpeg",
    "Bob_B/Bob_B_0010.bmp", "Cy/Cy_0001",       "Ann/Ann_12345.jpg"};

fs::path write(const TempFolder& folder, const std::string& text) {
  std::ofstream(folder / "pairs.txt", std::ios::binary) << text;
  return folder / "pairs.txt";
}

std::string refusal(const TempFolder& folder, const std::string& text) {
  return brute::error_of(ErrorKind::kData, [&] { read_pairs(write(folder, text), kItems); });
}

}  // namespace

TEST_CASE("pairs with folds") {
  TempFolder folder;
  const std::string text = "2\t1\nAnn\t1\t2\nAnn\t1\tCy\t1\nBob_B\t1\t10\nBob_B\t10\tAnn\t12345\n";
  for (const std::string& variant : {text, text.substr(0, text.size() - 1), text + "\n\n"}) {
    const PairList list = read_pairs(write(folder, variant), kItems);
    CHECK(list.pairs == std::vector<Pair>{{0, 1, true}, {0, 4, false}, {2, 3, true}, {3, 5, false}});
    CHECK(list.folds == std::vector<int>{0, 0, 1, 1});
    CHECK(list.num_folds == 2);
    CHECK(list.own_folds);
  }
}

TEST_CASE("pairs without folds: genuine first, fold k holds the k-th tenth of each kind") {
  TempFolder folder;
  std::string text = "12\r\n";
  for (int i = 0; i < 12; ++i) text += "Ann\t1\t2\r\n";
  for (int i = 0; i < 12; ++i) text += "Ann\t1\tCy\t1\r\n";
  const PairList list = read_pairs(write(folder, text), kItems);
  const std::vector<int> tenths{0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<int> expected = tenths;
  expected.insert(expected.end(), tenths.begin(), tenths.end());
  CHECK(list.folds == expected);
  CHECK(list.num_folds == 10);
  CHECK_FALSE(list.own_folds);
  CHECK(list.pairs[11].same);
  CHECK_FALSE(list.pairs[12].same);
}

TEST_CASE("malformed lists are refused with their line") {
  TempFolder folder;
  CHECK_THAT(refusal(folder, ""), contains_text("header"));
  CHECK_THAT(refusal(folder, "1 1\nAnn\t1\t2\n"), contains_text("line 1") && contains_text("'1 1'"));
  CHECK_THAT(refusal(folder, "0\n"), contains_text("line 1"));
  CHECK_THAT(refusal(folder, "-1\n"), contains_text("line 1"));
  CHECK_THAT(refusal(folder, "1\t1\t1\n"), contains_text("3 fields"));
  CHECK_THAT(refusal(folder, "99999999999999999999\n"), contains_text("line 1"));
  CHECK_THAT(refusal(folder, "1000000000\t1000000000\nAnn\t1\t2\n"), contains_text("2^30"));
  CHECK_THAT(refusal(folder, "1000000\nAnn\t1\t2\n"),
             contains_text("after 1 pairs") && contains_text("2000000"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t2\nAnn\t1\tCy\t1\nAnn\t1\tCy\t1\n"), contains_text("line 4"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t2\n"), contains_text("after 1 pairs"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\tCy\t1\nAnn\t1\t2\n"),
             contains_text("line 2") && contains_text("same person"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t2\nAnn\t1\t2\n"),
             contains_text("line 3") && contains_text("two people"));
  CHECK_THAT(refusal(folder, "1\nAnn 1 2\nAnn\t1\tCy\t1\n"),
             contains_text("line 2") && contains_text("tab-separated"));
  CHECK_THAT(refusal(folder, "1\n\nAnn\t1\t2\nAnn\t1\tCy\t1\n"), contains_text("line 2"));
  CHECK_THAT(refusal(folder, "1\nAnn\tx\t2\nAnn\t1\tCy\t1\n"), contains_text("line 2: found 'x'"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t3\nAnn\t1\tCy\t1\n"),
             contains_text("line 2") && contains_text("'Ann/Ann_0003'"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t2\nAnn\t1\tDan\t1\n"),
             contains_text("line 3") && contains_text("'Dan/Dan_0001'"));
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput, [&] { read_pairs(folder / "none.txt", kItems); }),
             contains_text("none.txt"));
}

TEST_CASE("an image that is there with two extensions is ambiguous only when a pair names it") {
  TempFolder folder;
  const std::vector<std::string_view> items{"A/A_0001.jpg", "A/A_0001.png", "A/A_0002.jpg", "A/A_0003.jpg",
                                            "B/B_0001.jpg"};
  CHECK_THAT(brute::error_of(ErrorKind::kData,
                             [&] { read_pairs(write(folder, "1\nA\t1\t2\nA\t2\tB\t1\n"), items); }),
             contains_text("more than once"));
  CHECK(read_pairs(write(folder, "1\nA\t2\t3\nA\t2\tB\t1\n"), items).pairs[0] == Pair{2, 3, true});
}

TEST_CASE("a .bin set pairs neighbours, in contiguous folds of which the first are longer") {
  std::vector<bool> issame(23, false);
  issame[4] = true;
  const PairList list = pairs_of_consecutive_rows(issame);
  CHECK(list.pairs[4] == Pair{8, 9, true});
  CHECK(list.pairs[22] == Pair{44, 45, false});
  const std::vector<int> sizes{3, 3, 3, 2, 2, 2, 2, 2, 2, 2};  // scikit-learn's KFold(10) of 23
  for (int fold = 0; fold < 10; ++fold)
    CHECK(std::count(list.folds.begin(), list.folds.end(), fold) == sizes[fold]);
  CHECK(std::is_sorted(list.folds.begin(), list.folds.end()));
}

}  // namespace uir
