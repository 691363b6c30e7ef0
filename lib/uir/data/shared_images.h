// Rows of an index that hold the same bytes: across roles, under two identities, among people who are said to
// be strangers.
//
// Cost: a pass over the rows and their hashes per 2^20 rows, so memory stays flat.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/data/index.h"

namespace uir {

// Rows of two groups that hold the same bytes. Groups: "labeled", "unlabeled", "test" and "held out".
struct SharedImages {
  std::string group_a, group_b;
  int64_t contents = 0;               // distinct images that occur in both
  std::vector<std::string> examples;  // "lfw: Ann/1.jpg = celeba: 7/2.jpg"
};

// Unlabeled images that are a labeled person's, too; held-out ones count on both sides.
struct KnownPeople {
  int64_t images = 0, identities = 0;
  std::vector<std::string> whole_sources;  // unlabeled ones that hold nothing else
  std::vector<std::string> examples;
};

struct ContentComparison {
  std::vector<SharedImages> shared;  // only the pairs of groups that share something
  int64_t repeated = 0;              // rows of one group whose bytes occurred in it before
  SharedImages conflicting;          // the same labeled image under two identities
  KnownPeople known_people;
  std::vector<int64_t> test_classes;  // labeled ones of which an image is in a test source as well, in order
};

// Of all rows but bad and excluded ones.
ContentComparison compare_contents(const Index& index);

}  // namespace uir
