#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "support/brute_force.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/error.h"
#include "uir/eval/pairs.h"

namespace uir {
namespace {

const std::vector<std::string_view> kItems{
    "Ann/Ann_0001.jpg",     "Ann/Ann_0002.png", "Bob_B/Bob_B_0001.jpeg",
    "Bob_B/Bob_B_0010.bmp", "Cy/Cy_0001",       "Ann/Ann_12345.jpg"};

fs::path write(const TempFolder& folder, const std::string& text) {
  std::ofstream(folder / "pairs.txt", std::ios::binary) << text;
  return folder / "pairs.txt";
}

std::string refusal(const TempFolder& folder, const std::string& text,
                    PairsFormat format = PairsFormat::kLfw) {
  return brute::error_of(ErrorKind::kData, [&] { read_pairs(write(folder, text), format, kItems); });
}

std::string padded(int number, int digits) {
  const std::string text = std::to_string(number);
  return std::string(static_cast<size_t>(digits) - text.size(), '0') + text;
}

// Items that own their text.
struct Items {
  std::vector<std::string> texts;
  std::vector<std::string_view> views() const { return {texts.begin(), texts.end()}; }
};

}  // namespace

TEST_CASE("pairs with folds") {
  TempFolder folder;
  const std::string text = "2\t1\nAnn\t1\t2\nAnn\t1\tCy\t1\nBob_B\t1\t10\nBob_B\t10\tAnn\t12345\n";
  for (const std::string& variant : {text, text.substr(0, text.size() - 1), text + "\n\n"}) {
    const PairList list = read_pairs(write(folder, variant), PairsFormat::kLfw, kItems);
    CHECK(list.pairs == std::vector<Pair>{{0, 1, true}, {0, 4, false}, {2, 3, true}, {3, 5, false}});
    CHECK(list.folds == std::vector<int>{0, 0, 1, 1});
    CHECK(list.num_folds == 2);
    CHECK(list.folds_from == Folds::kListed);
  }
}

TEST_CASE("pairs without folds: genuine first, fold k holds the k-th tenth of each kind") {
  TempFolder folder;
  std::string text = "12\r\n";
  for (int i = 0; i < 12; ++i) text += "Ann\t1\t2\r\n";
  for (int i = 0; i < 12; ++i) text += "Ann\t1\tCy\t1\r\n";
  const PairList list = read_pairs(write(folder, text), PairsFormat::kLfw, kItems);
  const std::vector<int> tenths{0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<int> expected = tenths;
  expected.insert(expected.end(), tenths.begin(), tenths.end());
  CHECK(list.folds == expected);
  CHECK(list.num_folds == 10);
  CHECK(list.folds_from == Folds::kByKind);
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
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t2\nAnn\t1\tAnn\t2\n"),
             contains_text("line 3") && contains_text("'Ann' twice"));
  CHECK_THAT(refusal(folder, "1\nAnn\tx\t2\nAnn\t1\tCy\t1\n"), contains_text("line 2: found 'x'"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t3\nAnn\t1\tCy\t1\n"),
             contains_text("line 2") && contains_text("'Ann/Ann_0003'"));
  CHECK_THAT(refusal(folder, "1\nAnn\t1\t2\nAnn\t1\tDan\t1\n"),
             contains_text("line 3") && contains_text("'Dan/Dan_0001'"));
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput,
                             [&] { read_pairs(folder / "none.txt", PairsFormat::kLfw, kItems); }),
             contains_text("none.txt"));
}

TEST_CASE("images that the set lacks are named all at once") {
  TempFolder folder;
  CHECK_THAT(
      refusal(folder, "1\nAnn\t1\t3\nAnn\t1\tCy\t1\n"),
      contains_text("pairs.txt: line 2: image 'Ann/Ann_0003' is not in the embedding set of 6 images") &&
          contains_text("allow_missing: true leaves out the 1 of 2 pairs"));
  const std::string two = refusal(folder, "1\nAnn\t3\t1\nDan\t7\tAnn\t3\n");
  CHECK_THAT(two, contains_text("2 listed images are not in the embedding set of 6 images") &&
                      contains_text("line 2: image 'Ann/Ann_0003'") &&
                      contains_text("line 3: image 'Dan/Dan_0007'") && contains_text("2 of 2 pairs"));
  CHECK(std::ranges::count(two, '\n') == 2);
  std::string many = "30\n";
  for (int i = 100; i < 130; ++i) many += concat("Ann\t", i, "\t1\n");
  for (int i = 0; i < 30; ++i) many += "Ann\t1\tCy\t1\n";
  CHECK_THAT(refusal(folder, many), contains_text("30 listed images") && contains_text("Ann_0119") &&
                                        contains_text("  and 10 more"));
  // The rest of the list is checked all the same.
  CHECK_THAT(refusal(folder, "1\nAnn\t9\t1\nAnn\tx\tCy\t1\n"), contains_text("line 3: found 'x'"));
}

TEST_CASE("pairs that the set lacks an image of are left out, and the others keep their folds") {
  TempFolder folder;
  const auto read = [&](const std::string& text, PairsFormat format) {
    return read_pairs(write(folder, text), format, kItems, MissingImages::kLeaveOut);
  };
  const PairList folds =
      read("2\t1\nAnn\t1\t3\nAnn\t1\tCy\t1\nBob_B\t1\t10\nDan\t1\tAnn\t3\n", PairsFormat::kLfw);
  CHECK(folds.pairs == std::vector<Pair>{{0, 4, false}, {2, 3, true}});
  CHECK(folds.folds == std::vector<int>{0, 1});
  CHECK(folds.num_folds == 2);
  CHECK(folds.left_out == 2);
  CHECK(folds.num_missing == 2);
  CHECK(folds.missing == std::vector<std::string>{"Ann/Ann_0003", "Dan/Dan_0001"});

  // Twelve pairs: folds of 2, 2, 1 … whether or not the third is there.
  std::string flat, flags;
  for (int i = 0; i < 12; ++i) {
    const char* other = i == 2 ? "Eve/1.jpg" : "Cy/Cy_0001";
    flat += concat("Ann/Ann_0001.jpg ", other, " 0\n");
    flags += concat("Ann/Ann_0001.jpg 0\n", other, " 0\n");
  }
  const std::vector<int> rest{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (const auto& [text, format] :
       {std::pair{flat, PairsFormat::kPathPairs}, {flags, PairsFormat::kCalfw}}) {
    const PairList list = read(text, format);
    CHECK(list.pairs.size() == 11);
    CHECK(list.folds == rest);
    CHECK(list.left_out == 1);
  }
  CHECK(read("1\nAnn\t1\t2\nAnn\t1\tCy\t1\n", PairsFormat::kLfw).left_out == 0);
  CHECK_THAT(brute::error_of(ErrorKind::kData, [&] { read("1\nX\t1\t2\nX\t1\tCy\t1\n", PairsFormat::kLfw); }),
             contains_text("an image of every one of its 2 pairs, such as 'X/X_0001'"));
}

TEST_CASE("an image that is there with two extensions is ambiguous only when a pair names it") {
  TempFolder folder;
  const std::vector<std::string_view> items{"A/A_0001.jpg", "A/A_0001.png", "A/A_0002.jpg", "A/A_0003.jpg",
                                            "B/B_0001.jpg"};
  CHECK_THAT(brute::error_of(
                 ErrorKind::kData,
                 [&] { read_pairs(write(folder, "1\nA\t1\t2\nA\t2\tB\t1\n"), PairsFormat::kLfw, items); }),
             contains_text("more than once"));
  CHECK(read_pairs(write(folder, "1\nA\t2\t3\nA\t2\tB\t1\n"), PairsFormat::kLfw, items).pairs[0] ==
        Pair{2, 3, true});
}

TEST_CASE("calfw: two lines a pair, genuine where the flag is not 0") {
  TempFolder folder;
  const PairList list = read_pairs(
      write(folder, "Ann/Ann_0001.jpg 3\r\nAnn/Ann_0002.png 3\r\nCy/Cy_0001 0\r\nAnn/Ann_0001.jpg 0\r\n"),
      PairsFormat::kCalfw, kItems);
  CHECK(list.pairs == std::vector<Pair>{{0, 1, true}, {4, 0, false}});
  CHECK(list.folds_from == Folds::kByKind);
  CHECK(list.num_folds == 10);

  const auto refused = [&](const std::string& text) { return refusal(folder, text, PairsFormat::kCalfw); };
  CHECK_THAT(refused(""), contains_text("no line"));
  CHECK_THAT(refused("Cy/Cy_0001 0\n"), contains_text("line 1") && contains_text("second image"));
  CHECK_THAT(refused("Cy/Cy_0001 0\nAnn/Ann_0001.jpg 1\n"),
             contains_text("line 2: found 'flag 1', expected that of the line before, 0"));
  CHECK_THAT(refused("Cy/Cy_0001\nAnn/Ann_0001.jpg 1\n"), contains_text("line 1: found '1 fields'"));
  CHECK_THAT(refused("Cy/Cy_0001 -1\nAnn/Ann_0001.jpg -1\n"), contains_text("line 1: found '-1'"));
  CHECK_THAT(refused("Cy/Cy_0001 0\nAnn/Ann_0001 0\n"), contains_text("line 2: image 'Ann/Ann_0001'"));
}

TEST_CASE("CALFW's and CPLFW's whole list: 300 pairs of each kind in every fold") {
  TempFolder folder;
  Items items;
  std::string text;
  for (int pair = 0; pair < 6000; ++pair) {
    const int flag = pair < 3000 ? pair / 300 + 1 : 0;  // as in CALFW; CPLFW has 1 and 0
    for (int side = 0; side < 2; ++side) {
      items.texts.push_back("P_" + padded(2 * pair + side, 5) + ".jpg");
      text += items.texts.back() + " " + std::to_string(flag) + "\n";
    }
  }
  const PairList list = read_pairs(write(folder, text), PairsFormat::kCalfw, items.views());
  REQUIRE(list.pairs.size() == 6000);
  std::map<std::pair<int, bool>, int> of_fold;
  for (size_t i = 0; i < 6000; ++i) {
    CHECK(list.pairs[i] == Pair{static_cast<int64_t>(2 * i), static_cast<int64_t>(2 * i + 1), i < 3000});
    ++of_fold[{list.folds[i], list.pairs[i].same}];
    if (i < 3000) CHECK(list.folds[i] == static_cast<int>(i / 300));
  }
  CHECK(of_fold.size() == 20);
  for (const auto& [kind, count] : of_fold) CHECK(count == 300);
}

TEST_CASE("path_pairs: ten contiguous folds") {
  TempFolder folder;
  std::string text;
  for (int i = 0; i < 12; ++i)
    text += i % 3 == 0 ? "Ann/Ann_0001.jpg Cy/Cy_0001 0\n" : "Cy/Cy_0001 Cy/Cy_0001 1\n";
  const PairList list = read_pairs(write(folder, text), PairsFormat::kPathPairs, kItems);
  CHECK(list.pairs[0] == Pair{0, 4, false});
  CHECK(list.pairs[1] == Pair{4, 4, true});
  CHECK(list.folds == std::vector<int>{0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto refused = [&](const std::string& line) {
    return refusal(folder, line, PairsFormat::kPathPairs);
  };
  CHECK_THAT(refused("\n"), contains_text("no line"));
  CHECK_THAT(refused("Cy/Cy_0001 Cy/Cy_0001 -1\n"),
             contains_text("line 1: found '-1', expected the flag 0 or 1"));
  CHECK_THAT(refused("Cy/Cy_0001 Cy/Cy_0001\n"), contains_text("2 fields"));
  CHECK_THAT(refused("Cy/Cy_0001 Di 1\n"), contains_text("image 'Di'"));
}

TEST_CASE("CFP's folder Protocol: 7000 pairs in ten folds of 350 and 350") {
  // 500 people, 10 frontal and 4 profile images each, as the data set names them.
  TempFolder folder;
  Items items;
  std::map<std::string, int64_t> rows;
  std::string frontal, profile;
  int frontals = 0, profiles = 0;
  for (int person = 1; person <= 500; ++person) {
    for (int image = 1; image <= 14; ++image) {
      const bool front = image <= 10;
      const std::string name =
          padded(person, 3) + (front ? "/frontal/" : "/profile/") + padded(front ? image : image - 10, 2);
      (front ? frontal : profile) +=
          std::to_string(front ? ++frontals : ++profiles) + " ../Data/Images/" + name + ".jpg\n";
      rows[name] = static_cast<int64_t>(items.texts.size());
      items.texts.push_back("aligned/112x112/" + name + ".png");
    }
  }
  const auto write_at = [&](const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  write_at("Pair_list_F.txt", frontal);
  write_at("Pair_list_P.txt", profile);
  for (const std::string kind : {"FP", "FF"}) {
    for (int fold = 0; fold < 10; ++fold) {
      std::string same, different;
      for (int i = 0; i < 350; ++i) {
        const int person = fold * 50 + i / 7, image = i % 7;  // from 0
        const int other = kind == "FP" ? 4 * person + image % 4 + 1 : 10 * person + image + 2;
        const int stranger = kind == "FP" ? 4 * ((person + 1) % 500) + 2 : 10 * ((person + 1) % 500) + 2;
        same += std::to_string(10 * person + image + 1) + "," + std::to_string(other) + "\n";
        different += std::to_string(10 * person + image + 1) + "," + std::to_string(stranger) + "\n";
      }
      write_at("Split/" + kind + "/" + padded(fold + 1, 2) + "/same.txt", same);
      write_at("Split/" + kind + "/" + padded(fold + 1, 2) + "/diff.txt", different);
    }
  }
  const PairList fp = read_pairs(folder.path(), PairsFormat::kCfpFp, items.views());
  const PairList ff = read_pairs(folder.path(), PairsFormat::kCfpFf, items.views());
  for (const PairList* list : {&fp, &ff}) {
    REQUIRE(list->pairs.size() == 7000);
    CHECK(list->num_folds == 10);
    CHECK(list->folds_from == Folds::kListed);
    for (size_t i = 0; i < 7000; ++i) {
      CHECK(list->folds[i] == static_cast<int>(i / 700));
      CHECK(list->pairs[i].same == (i % 700 < 350));
    }
  }
  CHECK(fp.pairs[0] == Pair{rows.at("001/frontal/01"), rows.at("001/profile/01"), true});
  CHECK(fp.pairs[350] == Pair{rows.at("001/frontal/01"), rows.at("002/profile/02"), false});
  CHECK(fp.pairs[6301] == Pair{rows.at("451/frontal/02"), rows.at("451/profile/02"), true});
  CHECK(ff.pairs[0] == Pair{rows.at("001/frontal/01"), rows.at("001/frontal/02"), true});

  const auto refused = [&] {
    return brute::error_of(ErrorKind::kData,
                           [&] { read_pairs(folder.path(), PairsFormat::kCfpFp, items.views()); });
  };
  write_at("Split/FP/03/diff.txt", "1,2001\n");
  CHECK_THAT(refused(), contains_text("diff.txt: line 1: found '2001', expected at most 2000"));
  write_at("Split/FP/03/diff.txt", "1 2\n");
  CHECK_THAT(refused(), contains_text("'number,number'"));
  write_at("Split/FP/03/diff.txt", "");
  CHECK_THAT(refused(), contains_text("no line"));
  write_at("Pair_list_P.txt", "1 ../Data/Images/001/profile/01.jpg\n3 ../Data/Images/001/profile/02.jpg\n");
  CHECK_THAT(refused(), contains_text("Pair_list_P.txt: line 2: found '3'"));
  std::filesystem::remove(folder / "Pair_list_P.txt");
  CHECK_THAT(brute::error_of(ErrorKind::kMissingInput,
                             [&] { read_pairs(folder.path(), PairsFormat::kCfpFp, items.views()); }),
             contains_text("Pair_list_P.txt"));
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
