// Who are the people of a list of pairs? The units that its intervals are made of (eval/pair_uncertainty.h).
//
// Rows of one label are one person's, and so are rows that genuine pairs join. Where neither says anything
// and every image stands in one pair only (.bin sets), nobody knows the people, and a unit is a fold:
// intervals over fewer, larger units are true, but less exact.
// Cost: O(rows + pairs). Threads: plain functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/pairs.h"

namespace uir {

struct PairPeople {
  std::vector<int64_t> unit;  // of each row, numbered by first occurrence; −1: in no pair
  int64_t size = 0;
  std::string caveat{};  // what is not known of them; empty: nothing
};

// Puts rows together.
class JoinedRows {
 public:
  explicit JoinedRows(int64_t rows);
  void join(int64_t a, int64_t b);
  // Of the rows that were joined with anything, themselves included.
  PairPeople people();

 private:
  int64_t root_of(int64_t row);

  std::vector<int64_t> parent_;
  std::vector<bool> named_;
};

// labels: of the set's rows; −1: unknown.
PairPeople people_of(const PairList& pairs, std::span<const int64_t> labels);

}  // namespace uir
