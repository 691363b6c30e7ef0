// One photo or video becomes aligned faces on the disk and the lines of the tables.
//
// Errors: a picture that cannot be read or shows no face is a line of not_found, no error; others pass.
// Threads: an object belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "uir/align/align_input.h"
#include "uir/align/align_output.h"
#include "uir/images/face_aligner.h"
#include "uir/images/image_folder.h"

namespace uir {

// How faces are stored.
struct FaceEncoding {
  bool png = false;  // instead of JPEG
  int quality = 95;  // of JPEG
};

class AlignWorker {
 public:
  // Faces are written into `out`, which outlives this.
  AlignWorker(const FaceAlignerConfig& aligner, FaceEncoding encoding, const AlignOutput& out);

  AlignedUnit photo(const ImageFolder& folder, const AlignUnit& unit);
  // kData of the whole video, too, is a line of not_found.
  AlignedUnit video(const VideosSource& sampling, const AlignUnit& unit);

 private:
  template <class Align>
  void add_picture(const std::string& name, const std::string& stem, AlignedUnit& result, Align&& align);
  std::vector<std::byte> encoded(const AlignedFace& face) const;
  void count(const AlignedFace& face, AlignCounts& counts) const;

  const FaceAlignerConfig config_;
  const FaceEncoding encoding_;
  const AlignOutput& out_;
  FaceAligner aligner_;
  std::vector<std::byte> bytes_;
  RgbImage image_;
};

}  // namespace uir
