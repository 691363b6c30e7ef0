// A few faces as the network sees them: drawn ones, or images of an index.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "uir/data/index.h"

namespace uir {

at::Tensor drawn_faces(int64_t count);                                           // uint8 [count, 112, 112, 3]
at::Tensor faces_of_rows(const Index& index, const std::vector<int64_t>& rows);  // uint8 [rows, 112, 112, 3]

// Rows of two images each of so many people, or as many as there are, spread evenly over those people of the
// rows who have two: [a1, a2, b1, b2, …].
std::vector<int64_t> genuine_pairs(const Index& index, const std::vector<int64_t>& rows, int64_t pairs);

}  // namespace uir
