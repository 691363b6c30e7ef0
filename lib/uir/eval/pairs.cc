#include "uir/eval/pairs.h"

#include <cstdio>

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

Pair read_pair(const ListReader& list, const ItemRows& rows, bool same) {
  const auto& fields = list.fields();
  if (fields.size() != (same ? 3U : 4U)) {
    list.refuse(concat(fields.size(), " tab-separated fields"),
                same ? "'name i j' (a pair of the same person)" : "'name1 i name2 j' (a pair of two people)");
  }
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

}  // namespace

PairList read_pairs(const fs::path& path, std::span<const std::string_view> items) {
  ListReader list(path, ListReader::Separator::kTab);
  const ItemRows rows(items, ItemRows::Key::kWithoutExtension);
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
  result.own_folds = header.has_folds;
  return result;
}

PairList pairs_of_consecutive_rows(const std::vector<bool>& issame) {
  PairList result;
  for (size_t i = 0; i < issame.size(); ++i) {
    const auto row = static_cast<int64_t>(2 * i);
    result.pairs.push_back({row, row + 1, issame[i]});
  }
  result.folds = contiguous_folds(static_cast<int64_t>(issame.size()), result.num_folds);
  return result;
}

std::vector<int> contiguous_folds(int64_t n, int folds) {
  std::vector<int> result;
  for (int fold = 0; fold < folds; ++fold) {
    result.insert(result.end(), static_cast<size_t>(n / folds + (fold < n % folds ? 1 : 0)), fold);
  }
  return result;
}

}  // namespace uir
