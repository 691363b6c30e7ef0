#include "uir/eval/pairs.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "uir/base/error.h"
#include "uir/eval/items.h"

namespace uir {
namespace {

constexpr int64_t kMostPairs = int64_t{1} << 30;  // keeps products of header numbers far from overflow

// What the header promises: the pairs of each kind per fold; one "fold" in a list without folds.
struct Header {
  int64_t folds = 1, per_kind = 0;
  bool has_folds = false;
  int64_t num_pairs() const { return 2 * folds * per_kind; }
};

Header read_header(ListReader& list) {
  const bool any = list.next();
  const size_t fields = any ? list.fields().size() : 0;
  if (fields != 1 && fields != 2) {
    list.refuse(any ? concat(fields, " fields") : "no line", "the header 'folds<TAB>pairs' or 'pairs'");
  }
  Header header{1, list.integer(fields - 1, 1), fields == 2};
  if (header.has_folds) header.folds = list.integer(0, 2);
  if (header.per_kind > kMostPairs || header.folds > kMostPairs / header.per_kind) {
    list.refuse("a header with more than 2^30 pairs", "a count that the file can hold");
  }
  return header;
}

// "Name", 7 -> "Name/Name_0007".
std::string image_name(std::string_view person, int64_t number) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "_%04lld", static_cast<long long>(number));
  return concat(person, "/", person, digits);
}

Pair read_pair(const ListReader& list, ListedRows& rows, bool same) {
  const auto& fields = list.fields();
  if (fields.size() != (same ? 3U : 4U)) {
    list.refuse(concat(fields.size(), " tab-separated fields"),
                same ? "'name i j' (a pair of the same person)" : "'name1 i name2 j' (a pair of two people)");
  }
  if (!same && fields[0] == fields[2]) list.refuse(concat("'", fields[0], "' twice"), "a pair of two people");
  const auto row = [&](size_t name, size_t number) {
    return rows.row_of(image_name(fields[name], list.integer(number, 0)), list.place());
  };
  return same ? Pair{row(0, 1), row(0, 2), true} : Pair{row(0, 1), row(2, 3), false};
}

// Folds of a list: its own, or the k-th tenth of each kind.
std::vector<int> list_folds(const Header& header) {
  std::vector<int> folds;
  if (!header.has_folds) {
    const std::vector<int> tenths = contiguous_folds(header.per_kind, 10);
    for (int kind = 0; kind < 2; ++kind) folds.insert(folds.end(), tenths.begin(), tenths.end());
    return folds;
  }
  for (int64_t fold = 0; fold < header.folds; ++fold) {
    folds.insert(folds.end(), static_cast<size_t>(2 * header.per_kind), static_cast<int>(fold));
  }
  return folds;
}

PairList read_lfw(const fs::path& path, ListedRows& rows) {
  ListReader list(path, ListReader::Separator::kTab);
  const Header header = read_header(list);
  PairList result;
  while (list.next()) {
    const auto i = static_cast<int64_t>(result.pairs.size());
    if (i == header.num_pairs())
      list.refuse("one more line", concat(header.num_pairs(), " pairs, as the header says"));
    result.pairs.push_back(read_pair(list, rows, i % (2 * header.per_kind) < header.per_kind));
  }
  if (static_cast<int64_t>(result.pairs.size()) != header.num_pairs()) {
    list.refuse(concat("the end after ", result.pairs.size(), " pairs"),
                concat(header.num_pairs(), ", as the header says"));
  }
  result.folds = list_folds(header);
  result.num_folds = header.has_folds ? static_cast<int>(header.folds) : 10;
  result.folds_from = header.has_folds ? Folds::kListed : Folds::kByKind;
  return result;
}

// Contiguous folds.
void fold_by_order(PairList& list) {
  list.folds = contiguous_folds(std::ssize(list.pairs), list.num_folds);
  list.folds_from = Folds::kContiguous;
}

// Fold k holds the k-th tenth of each kind.
void fold_by_kind(PairList& list) {
  const auto genuine = std::ranges::count(list.pairs, true, &Pair::same);
  list.folds.clear();
  const std::vector<int> folds_of_same = contiguous_folds(genuine, 10);
  const std::vector<int> folds_of_different = contiguous_folds(std::ssize(list.pairs) - genuine, 10);
  size_t same = 0, different = 0;
  for (const Pair& pair : list.pairs) {
    list.folds.push_back(pair.same ? folds_of_same[same++] : folds_of_different[different++]);
  }
  list.num_folds = 10;
  list.folds_from = Folds::kByKind;
}

void refuse_empty(const ListReader& list, const PairList& pairs) {
  if (pairs.pairs.empty()) list.refuse("no line", "at least one pair");
}

struct FlaggedImage {
  int64_t row, flag;
};

FlaggedImage read_flagged_image(const ListReader& list, ListedRows& rows) {
  if (list.fields().size() != 2) list.refuse(concat(list.fields().size(), " fields"), "'image flag'");
  return {rows.row_of(list.fields()[0], list.place()), list.integer(1, 0)};
}

PairList read_calfw(const fs::path& path, ListedRows& rows) {
  ListReader list(path, ListReader::Separator::kSpace);
  PairList result;
  while (list.next()) {
    const FlaggedImage first = read_flagged_image(list, rows);
    if (!list.next()) list.refuse("the end", "the second image of the last pair");
    const FlaggedImage second = read_flagged_image(list, rows);
    if (first.flag != second.flag) {
      list.refuse(concat("flag ", second.flag), concat("that of the line before, ", first.flag));
    }
    result.pairs.push_back({first.row, second.row, first.flag != 0});
  }
  refuse_empty(list, result);
  fold_by_kind(result);
  return result;
}

PairList read_path_pairs(const fs::path& path, ListedRows& rows) {
  ListReader list(path, ListReader::Separator::kSpace);
  PairList result;
  while (list.next()) {
    const auto& fields = list.fields();
    if (fields.size() != 3) list.refuse(concat(fields.size(), " fields"), "'path path flag'");
    if (fields[2] != "0" && fields[2] != "1") list.refuse(fields[2], "the flag 0 or 1");
    result.pairs.push_back(
        {rows.row_of(fields[0], list.place()), rows.row_of(fields[1], list.place()), fields[2] == "1"});
  }
  refuse_empty(list, result);
  fold_by_order(result);
  return result;
}

// Lines "number path", numbered from 1; the row of each.
std::vector<int64_t> read_cfp_images(const fs::path& path, ListedRows& rows) {
  ListReader list(path, ListReader::Separator::kSpace);
  std::vector<int64_t> images;
  while (list.next()) {
    if (list.fields().size() != 2) list.refuse(concat(list.fields().size(), " fields"), "'number path'");
    if (list.integer(0, 1) != std::ssize(images) + 1)
      list.refuse(list.fields()[0], "the next number, from 1");
    images.push_back(rows.row_of(list.fields()[1], list.place()));
  }
  return images;
}

// Lines "i,j": the i-th image of the first list and the j-th of the second.
void read_cfp_pairs(const fs::path& path, const std::vector<int64_t>& first,
                    const std::vector<int64_t>& second, bool same, PairList& result) {
  ListReader list(path, ListReader::Separator::kComma);
  const auto image = [&](size_t field, const std::vector<int64_t>& images) {
    const int64_t number = list.integer(field, 1);
    if (number > std::ssize(images)) {
      list.refuse(list.fields()[field], concat("at most ", images.size(), ", the images of its list"));
    }
    return images[static_cast<size_t>(number - 1)];
  };
  const size_t before = result.pairs.size();
  while (list.next()) {
    if (list.fields().size() != 2) list.refuse(concat(list.fields().size(), " fields"), "'number,number'");
    result.pairs.push_back({image(0, first), image(1, second), same});
  }
  if (result.pairs.size() == before) list.refuse("no line", "at least one pair");
}

PairList read_cfp(const fs::path& protocol, bool profile, ListedRows& rows) {
  const std::vector<int64_t> frontal = read_cfp_images(protocol / "Pair_list_F.txt", rows);
  const std::vector<int64_t> other = profile ? read_cfp_images(protocol / "Pair_list_P.txt", rows) : frontal;
  PairList result;
  for (int fold = 0; fold < result.num_folds; ++fold) {
    const fs::path folder =
        protocol / "Split" / (profile ? "FP" : "FF") / concat(fold + 1 < 10 ? "0" : "", fold + 1);
    read_cfp_pairs(folder / "same.txt", frontal, other, true, result);
    read_cfp_pairs(folder / "diff.txt", frontal, other, false, result);
    result.folds.resize(result.pairs.size(), fold);
  }
  return result;
}

ItemRows::Key key_of(PairsFormat format) {
  switch (format) {
    case PairsFormat::kLfw:
      return ItemRows::Key::kWithoutExtension;
    case PairsFormat::kCalfw:
    case PairsFormat::kPathPairs:
      return ItemRows::Key::kItem;
    case PairsFormat::kCfpFp:
    case PairsFormat::kCfpFf:
      return ItemRows::Key::kLastThreeParts;
  }
  fail(ErrorKind::kInternal, "a format of pairs without a key");
}

PairList read_whole(const fs::path& path, PairsFormat format, ListedRows& images) {
  switch (format) {
    case PairsFormat::kLfw:
      return read_lfw(path, images);
    case PairsFormat::kCalfw:
      return read_calfw(path, images);
    case PairsFormat::kCfpFp:
      return read_cfp(path, true, images);
    case PairsFormat::kCfpFf:
      return read_cfp(path, false, images);
    case PairsFormat::kPathPairs:
      return read_path_pairs(path, images);
  }
  fail(ErrorKind::kInternal, "a format of pairs without a reader");
}

bool is_missing(const Pair& pair) { return pair.a < 0 || pair.b < 0; }

// Folds are given before, so that a pair's fold does not depend on which images were found.
void leave_out_missing(PairList& list) {
  size_t kept = 0;
  for (size_t i = 0; i < list.pairs.size(); ++i) {
    if (is_missing(list.pairs[i])) continue;
    list.places.push_back(static_cast<int64_t>(i));
    list.pairs[kept] = list.pairs[i];
    list.folds[kept++] = list.folds[i];
  }
  list.left_out = std::ssize(list.pairs) - static_cast<int64_t>(kept);
  list.pairs.resize(kept);
  list.folds.resize(kept);
}

}  // namespace

PairList read_pairs(const fs::path& path, PairsFormat format, std::span<const std::string_view> items,
                    MissingImages missing) {
  ListedRows images(items, key_of(format));
  PairList list = read_whole(path, format, images);
  if (images.complete()) return list;
  if (missing == MissingImages::kRefuse) {
    images.refuse(concat("if no face was found there, allow_missing: true leaves out the ",
                         std::ranges::count_if(list.pairs, is_missing), " of ", list.pairs.size(),
                         " pairs that need them"));
  }
  leave_out_missing(list);
  list.num_missing = images.num_missing();
  list.missing = images.missing();
  if (list.pairs.empty()) {
    fail(ErrorKind::kData, path.string(), ": the set lacks an image of every one of its ", list.left_out,
         " pairs, such as '", list.missing.front(), "'; are its images named differently?");
  }
  return list;
}

PairList pairs_of_consecutive_rows(const std::vector<bool>& issame) {
  PairList result;
  for (size_t i = 0; i < issame.size(); ++i) {
    const auto row = static_cast<int64_t>(2 * i);
    result.pairs.push_back({row, row + 1, issame[i]});
  }
  fold_by_order(result);
  return result;
}

PairList pairs_alone(const PairList& list, std::span<const int64_t> chosen) {
  PairList alone{{}, {}, list.num_folds, list.folds_from};
  for (const int64_t pair : chosen) {
    alone.pairs.push_back(list.pairs[static_cast<size_t>(pair)]);
    alone.folds.push_back(list.folds[static_cast<size_t>(pair)]);
  }
  if (list.folds_from == Folds::kContiguous) fold_by_order(alone);
  if (list.folds_from == Folds::kByKind) fold_by_kind(alone);
  return alone;
}

std::vector<int> contiguous_folds(int64_t n, int folds) {
  std::vector<int> result;
  for (int fold = 0; fold < folds; ++fold) {
    result.insert(result.end(), static_cast<size_t>(n / folds + (fold < n % folds ? 1 : 0)), fold);
  }
  return result;
}

}  // namespace uir
