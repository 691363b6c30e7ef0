// What speaks against training on an index although it can be done: a single identity, a single image
// of nearly everybody, and people among the strangers who are none.
#pragma once

#include <string>
#include <vector>

#include "uir/data/shared_images.h"

namespace uir {

// A sentence each, with its remedy; none for an index without labeled images. Cost: a pass over the labels, a
// number for each class.
std::vector<std::string> training_warnings(const Index& index, const ContentComparison& contents);

}  // namespace uir
