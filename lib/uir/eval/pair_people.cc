#include "uir/eval/pair_people.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace uir {
namespace {

bool stands_in_one_pair_each(const PairList& pairs, size_t rows) {
  std::vector<uint8_t> seen(rows);
  for (const Pair& pair : pairs.pairs) {
    for (const int64_t row : {pair.a, pair.b}) {
      if (seen[static_cast<size_t>(row)]++ > 0) return false;
    }
  }
  return true;
}

PairPeople folds_of(const PairList& pairs, size_t rows) {
  PairPeople folds{std::vector<int64_t>(rows, -1), pairs.num_folds,
                   "the people are not known, the units are the folds: at least this wide"};
  for (size_t i = 0; i < pairs.pairs.size(); ++i) {
    for (const int64_t row : {pairs.pairs[i].a, pairs.pairs[i].b})
      folds.unit[static_cast<size_t>(row)] = pairs.folds[i];
  }
  return folds;
}

}  // namespace

JoinedRows::JoinedRows(int64_t rows) : parent_(static_cast<size_t>(rows)), named_(static_cast<size_t>(rows)) {
  std::iota(parent_.begin(), parent_.end(), 0);
}

int64_t JoinedRows::root_of(int64_t row) {
  while (parent_[static_cast<size_t>(row)] != row) {
    int64_t& up = parent_[static_cast<size_t>(row)];
    up = parent_[static_cast<size_t>(up)];  // halves the way for the next
    row = up;
  }
  return row;
}

void JoinedRows::join(int64_t a, int64_t b) {
  named_[static_cast<size_t>(a)] = named_[static_cast<size_t>(b)] = true;
  const int64_t root_a = root_of(a), root_b = root_of(b);
  parent_[static_cast<size_t>(std::max(root_a, root_b))] = std::min(root_a, root_b);
}

PairPeople JoinedRows::people() {
  PairPeople people{std::vector<int64_t>(parent_.size(), -1)};
  for (size_t row = 0; row < parent_.size(); ++row) {
    if (!named_[row]) continue;
    const auto root = static_cast<size_t>(root_of(static_cast<int64_t>(row)));  // not after the row
    if (people.unit[root] < 0) people.unit[root] = people.size++;
    people.unit[row] = people.unit[root];
  }
  return people;
}

PairPeople people_of(const PairList& pairs, std::span<const int64_t> labels) {
  JoinedRows rows(std::ssize(labels));
  std::unordered_map<int64_t, int64_t> first_of;  // a row of each label
  bool all_labeled = true;
  for (const Pair& pair : pairs.pairs) {
    if (pair.same) rows.join(pair.a, pair.b);
    for (const int64_t row : {pair.a, pair.b}) {
      const int64_t label = labels[static_cast<size_t>(row)];
      all_labeled = all_labeled && label >= 0;
      rows.join(row, label < 0 ? row : first_of.try_emplace(label, row).first->second);
    }
  }
  if (!all_labeled && stands_in_one_pair_each(pairs, labels.size())) return folds_of(pairs, labels.size());
  PairPeople people = rows.people();
  if (!all_labeled) people.caveat = "the people are those whom genuine pairs join: at least this wide";
  return people;
}

}  // namespace uir
