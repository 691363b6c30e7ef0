// Whether the images of a source seem to have red and blue swapped: the skin of faces, whatever its tone, is
// more red than blue in nearly every picture.
//
// Looks at the middle of the face in some hundred images of each source that has encoded ones, as they are
// loaded (color_order.h is applied). Says nothing of grey images, of few coloured ones, and of
// sources in which the colours are not all but always the wrong way round.
// Cost: a decode per image looked at, at most 128 a source; large photos are left out. Errors: none; images
// that cannot be read say nothing. Threads: thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/data/index.h"

namespace uir {

// How the middles of some faces are coloured.
struct FaceColors {
  int64_t images = 0;
  int64_t coloured = 0;  // red and blue differ clearly
  int64_t blue = 0;      // … of these, more blue than red
  // At least 20 coloured images and a quarter of all, at least nine tenths of them blue.
  bool swapped() const;
};

// Adds a face of 112x112 RGB pixels.
void add_face(FaceColors& colors, const uint8_t* rgb);

// A sentence for each source whose colours seem to be swapped, with the line of the config that helps.
std::vector<std::string> color_warnings(const Index& index);

}  // namespace uir
