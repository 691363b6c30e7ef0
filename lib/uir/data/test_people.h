// People of the labeled sources who are in a test source as well: measured on them, a network that was
// trained on them looks better than it is.
//
// Taken for one: a labeled person of whom an image lies in a test source byte for byte, and one whose name a
// person of a test source bears (numbers are no names: every list has a 0).
// Cost: a pass over the identities and one over the rows; memory grows with the number of identities.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/shared_images.h"

namespace uir {

struct TestPeople {
  std::string source;  // the labeled one
  int64_t people = 0, of_people = 0;
  std::vector<int64_t> rows;  // all of their images there, but excluded ones
  std::string example;        // a name
};

// One for each labeled source that has any.
std::vector<TestPeople> find_test_people(const Index& index, const ContentComparison& contents);

// Writes the list of their images for the source's `exclude`; the sentence that says so.
std::string exclude_test_people(const Index& index, const TestPeople& people, const fs::path& list);

}  // namespace uir
