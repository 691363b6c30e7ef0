// Pairs of a verification set, with their folds: from the lists that benchmarks publish, or from the booleans
// of a .bin set. docs/formats.md ("Lists of pairs") defines each format.
//
//   lfw         pairs.txt: the header "10<TAB>300" gives folds and pairs of each kind per fold, the header
//               "500" the pairs of each kind of a list without folds (genuine first); lines "name i j" (same)
//               and "name1 i name2 j" (different). "Name i" is the item Name/Name_000i with any image
//               extension
//   calfw       CALFW, CPLFW: two lines "image flag" a pair, flag 0: different; no folds
//   cfp_fp/_ff  CFP's folder Protocol: Pair_list_F.txt, Pair_list_P.txt, Split/FP/01 … 10/{same,diff}.txt;
//               items are told by their last three path components ("001/frontal/01")
//   path_pairs  lines "item item flag", flag 1: same; ten contiguous folds
// Errors: a malformed line, an item that two rows have or a wrong number of lines is kData with file and
// line; items that the set lacks are kData naming the first twenty and how many there are, or their pairs
// are left out.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/file.h"
#include "uir/config/rules.h"

namespace uir {

// The lists of pairs that benchmarks publish; docs/formats.md has an example of each.
enum class PairsFormat { kLfw, kCalfw, kCfpFp, kCfpFf, kPathPairs };
template <>
struct EnumNames<PairsFormat> {
  static constexpr std::array<EnumName<PairsFormat>, 5> value{{{PairsFormat::kLfw, "lfw"},
                                                               {PairsFormat::kCalfw, "calfw"},
                                                               {PairsFormat::kCfpFp, "cfp_fp"},
                                                               {PairsFormat::kCfpFf, "cfp_ff"},
                                                               {PairsFormat::kPathPairs, "path_pairs"}}};
};

struct Pair {
  int64_t a = 0, b = 0;  // rows of the embedding set
  bool same = false;
  bool operator==(const Pair&) const = default;
};

// Where the folds of a list come from.
enum class Folds {
  kListed,      // the list says so
  kContiguous,  // ten, cut from the list's order
  kByKind       // fold k holds the k-th tenth of the genuine and the k-th tenth of the impostor pairs
};

struct PairList {
  std::vector<Pair> pairs;
  std::vector<int> folds;  // fold of each pair, in [0, num_folds)
  int num_folds = 10;
  Folds folds_from = Folds::kListed;
  // Pairs of the list that are not among `pairs`, since the set lacks an image of theirs; the others keep the
  // folds that they have in the whole list.
  int64_t left_out = 0;
  int64_t num_missing = 0;             // images that the set lacks …
  std::vector<std::string> missing{};  // … and the first of them, as the list names them
  std::vector<int64_t> places{};       // of each pair in the whole list, from 0; empty: they are all of it

  int64_t whole_size() const { return std::ssize(pairs) + left_out; }
  int64_t place(size_t pair) const { return places.empty() ? static_cast<int64_t>(pair) : places[pair]; }
};

enum class MissingImages { kRefuse, kLeaveOut };

// items[row] names the rows of the embedding set (EmbeddingStore::items, or the index's). kData where no pair
// is left.
PairList read_pairs(const fs::path& path, PairsFormat format, std::span<const std::string_view> items,
                    MissingImages missing = MissingImages::kRefuse);

// Pair i is rows 2i and 2i + 1; ten contiguous folds, the first (P mod 10) of which hold one pair more.
PairList pairs_of_consecutive_rows(const std::vector<bool>& issame);

// Some pairs of a list (their numbers, ascending), as a list of these alone would give them: listed folds
// stay, others are cut anew.
PairList pairs_alone(const PairList& list, std::span<const int64_t> chosen);

// Fold of each of n items cut into `folds` contiguous pieces, the first (n mod folds) one longer.
std::vector<int> contiguous_folds(int64_t n, int folds);

}  // namespace uir
