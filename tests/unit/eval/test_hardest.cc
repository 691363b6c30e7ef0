#include "uir/eval/hardest.h"

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include "support/catch.h"

namespace uir {

TEST_CASE("the hardest pairs are those of a sorted list, ties by rows, in any order of adding and merging") {
  std::mt19937 random(7);
  for (const Hardest end : {Hardest::kLowest, Hardest::kHighest}) {
    for (const int size : {0, 5, 12, 13, 400}) {
      std::vector<HardPair> all;
      for (int i = 0; i < size; ++i)
        all.push_back({static_cast<double>(random() % 20), static_cast<int64_t>(random() % 5), i});
      std::vector<HardPair> expected = all;
      std::ranges::sort(expected, [&](const HardPair& a, const HardPair& b) {
        const double sign = end == Hardest::kLowest ? 1 : -1;
        return std::tuple(sign * a.score, a.left, a.right) < std::tuple(sign * b.score, b.left, b.right);
      });
      expected.resize(std::min(expected.size(), kHardestShown));
      std::ranges::shuffle(all, random);
      HardestPairs whole(end), first(end), second(end);
      for (size_t i = 0; i < all.size(); ++i) {
        whole.add(all[i]);
        (i % 3 == 0 ? first : second).add(all[i]);
      }
      second.merge(first);
      CHECK(whole.pairs() == expected);
      CHECK(second.pairs() == expected);
    }
  }
}

}  // namespace uir
