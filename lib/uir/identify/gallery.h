// The people who are looked for: a folder with a folder of photos a person, or photos that bear the names.
//
//   people/Anna/1.jpg, people/Anna/at the sea.png, people/Ben.jpg
//
// Every photo gives one face, found and aligned as uir-index align does it. Left out with a warning are
// photos that cannot be read or show no face, and a second copy of one photo of a person.
// Errors: kMissingInput; kData for a photo with two faces of comparable size (which is it?), a photo that
// stands under two names, a name that outputs could mistake for their own ("stranger 3", "?"), and a folder
// in which nobody is left. Threads: as many as wanted; the result does not depend on them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "uir/identify/face_finder.h"
#include "uir/images/face_aligner.h"

namespace uir {

struct GalleryFace {
  std::string file;  // below the folder
  std::shared_ptr<const FacePixels> pixels;
};

struct GalleryFaces {
  std::string name;
  std::vector<GalleryFace> faces;
};

struct Gallery {
  std::vector<GalleryFaces> people;  // by name
  std::string checksum;              // of names and photos
};

// One photo of somebody without a name.
Gallery gallery_of_photo(const fs::path& file, FaceAligner& aligner);

Gallery read_gallery(const fs::path& folder, const FaceAlignerConfig& aligner, int threads);

// A photo's faces, largest first, by its bytes; kData, without its name, if it has none.
std::vector<AlignedFace> faces_of_photo(Bytes encoded, FaceAligner& aligner);

}  // namespace uir
