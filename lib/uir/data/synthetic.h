// Drawn faces for demonstrations, tests and benchmarks, with nothing to download.
//
// A person is a vector of proportions, colors and styles drawn from (seed, person); an image of the person
// varies pose, expression, light, background and noise, drawn from (seed, person, image). People differ
// enough for a small network to tell them apart after a minute of training, images of one person enough that
// pixels alone do not.
//
// Shapes: [112, 112, 3] RGB, aligned to kFaceTemplate like real crops. Cost: about 0.1 ms per face.
// Threads: thread-safe; a pure function of its arguments on one machine (libm may differ in the last bit
// between machines).
#pragma once

#include <cstdint>

#include "uir/data/config.h"

namespace uir {

// identity: 0 … source.identities - 1, counted from source.first_identity; image: 0 … images_per_identity -
// 1.
void render_synthetic_face(const SyntheticSource& source, int64_t identity, int64_t image, uint8_t* rgb);

}  // namespace uir
