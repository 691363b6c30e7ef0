// Random changes to a training image: mirroring, and what AugmentConfig turns on.
//
// Shapes: [112, 112, 3] RGB, in place. A pure function of (config, seed, epoch, row).
// Order: mirror, crop, color, low resolution, blur, JPEG, occlusion; each with the probability of its field.
// Errors: none of its own. Threads: thread-safe.
#pragma once

#include <cstdint>

#include "uir/data/config.h"

namespace uir {

void augment_face(const AugmentConfig& config, uint64_t seed, uint64_t epoch, int64_t row, uint8_t* rgb);
// Left to right.
void mirror_face(uint8_t* rgb);

}  // namespace uir
