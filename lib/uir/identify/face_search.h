// In which films is this face? A face against the vectors that timelines keep.
// Cost: one product per track. Errors: kData for vectors that do not fit the timeline; kMissingInput.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "uir/timeline/timeline.h"

namespace uir {

// Rows of vectors.f32 in a timeline's folder.
std::vector<float> read_vectors(const fs::path& folder, const Timeline& timeline);

struct FoundInFilm {
  std::string who;   // as shown; "?" for tracks that are nobody's
  double score = 0;  // the highest of the person's tracks
  int64_t tracks = 0;
  int64_t length = 0;  // seen so long [ticks], of a person all appearances
  Span best;           // the track with that score
};
// Those with a score of at least `least`, the highest first. face: of length 1.
std::vector<FoundInFilm> find_face(std::span<const float> face, const Timeline& timeline,
                                   std::span<const float> vectors, double least);

}  // namespace uir
