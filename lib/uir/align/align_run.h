// Raw photos or videos become a folder of aligned faces, in the tree of their names (align_output.h has its
// files).
//
// Photos: a/b.png becomes a/b.jpg; where photos differ in their extension only, a/b.png.jpg; with
// FaceChoice::kAll a/b_0.jpg, a/b_1.jpg …, largest first. Videos: <video>/000123.jpg per frame, and
// filelist.txt: iQIYI-VID-FACE's layout, which a `frames` source reads.
// Cost: one decode and one detection per picture, on all threads; memory grows with the number of names. The
// result does not depend on the number of threads, nor on interruptions.
// Files of other kinds are counted. Errors: a picture that cannot be read or shows no face is listed with
// the reason, not an error; kData if there is no picture, or no face in any; names that do not fit into the
// tables kData; kStopped when stop() asked for it. Those of align_output.h and face_detector.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "uir/align/align_input.h"
#include "uir/align/align_output.h"
#include "uir/align/align_worker.h"
#include "uir/images/face_aligner.h"

namespace uir {

struct AlignRun {
  AlignInput input;
  FaceAlignerConfig aligner;
  fs::path out;
  bool resume = false;
  FaceEncoding encoding;
  int threads = 0;
  std::function<bool()> stop{};  // asked between batches
};

struct AlignReport {
  AlignCounts counts;
  bool videos = false;
  fs::path out;
  LeftOut left_out;  // what else lies in the folder
  std::vector<std::string> lines() const;
};

AlignReport align_faces(const AlignRun& run);

}  // namespace uir
