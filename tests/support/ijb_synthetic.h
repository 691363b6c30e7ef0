// Writes data in the layout of IJB-B and IJB-C, of any size, for tests and benchmarks: the meta files and the
// embeddings of the images and of their mirror images. Nothing in it comes from real faces.
//
// A subject is a random direction; a medium (a photograph, or a video of several frames) adds a deviation
// that its images share, an image one of its own. Low detector scores go with short, noisy embeddings, some
// images show a stranger: so the ROC has a tail as with real faces. Subjects fall into groups, and impostor
// pairs stay mostly within a group, as in IJB-C, whose pairs share sex and skin tone. A pure function of the
// config, for any number of threads. Memory: flat, but for the list of images.
#pragma once

#include <cstdint>

#include "uir/base/file.h"
#include "uir/eval/ijb_options.h"

namespace uir {

struct IjbSyntheticConfig {
  IjbBenchmark benchmark = IjbBenchmark::kIjbc;
  // The sizes of IJB-C. Templates: one per subject in its gallery, and the probes.
  int64_t images = 469375;
  int64_t gallery1 = 1772, gallery2 = 1759;  // subjects
  int64_t probes = 19593;
  int64_t pairs = 15658489, genuine_pairs = 19557;
  int64_t dim = 512;
  // Of an image, in lengths of its subject's direction; 4 gives TAR like the published IJB-C numbers.
  double noise = 4;
  uint64_t seed = 1;
  bool any_templates = false;  // impostor pairs of any two templates, instead of gallery and probe
};

// Writes folder/meta/…, folder/embeddings.npy and folder/embeddings_mirrored.npy. kConfig if the sizes
// contradict each other (more genuine pairs than probes, fewer images than templates, more pairs than there
// are).
void write_ijb_synthetic(const IjbSyntheticConfig& config, const fs::path& folder, int threads = 0);

}  // namespace uir
