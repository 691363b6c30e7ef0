#include "uir/eval/pair_people.h"

#include <vector>

#include "support/catch.h"

using namespace uir;

namespace {

PairList list_of(std::vector<Pair> pairs, int folds = 2) {
  PairList list;
  list.num_folds = folds;
  list.folds = contiguous_folds(std::ssize(pairs), folds);
  list.pairs = std::move(pairs);
  return list;
}

}  // namespace

TEST_CASE("rows of one label and rows of genuine pairs are one person's") {
  const PairList list = list_of({{0, 1, true}, {1, 2, true}, {3, 4, false}, {4, 6, false}});
  const std::vector<int64_t> unknown(8, -1), labels{5, 5, 5, 9, 9, 1, 7, 1};
  const PairPeople joined = people_of(list, unknown);
  CHECK(joined.size == 4);
  CHECK(joined.unit == std::vector<int64_t>{0, 0, 0, 1, 2, -1, 3, -1});  // 5 and 7 stand in no pair
  CHECK(!joined.caveat.empty());
  const PairPeople labeled = people_of(list, labels);
  CHECK(labeled.size == 3);
  CHECK(labeled.unit == std::vector<int64_t>{0, 0, 0, 1, 1, -1, 2, -1});
  CHECK(labeled.caveat.empty());
}

TEST_CASE("where nobody knows the people, folds are the units") {
  const PairPeople folds =
      people_of(pairs_of_consecutive_rows({true, false, true, false}), std::vector<int64_t>(8, -1));
  CHECK(folds.size == 10);
  CHECK(folds.unit == std::vector<int64_t>{0, 0, 1, 1, 2, 2, 3, 3});
  CHECK(!folds.caveat.empty());
}
