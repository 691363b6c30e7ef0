// Tracks get their vectors: the best faces of each, embedded, and divided where the face becomes another one.
//
// Of a track up to kMostFaces faces count, the best one of each of as many equal parts of its time. A face's
// weight is its quality (face_finder.h) times the length of its embedding, which networks with a margin loss
// make small for faces they cannot tell; a track's vector is the weighted mean of unit vectors, normalised.
// Divided is a track where the means of the faces before and behind have a cosine below `other_person`: a
// missed cut, a dissolve, people who cross.
// Cost: one embedding per face that counts. Threads: one. Errors: those of the embedder.
#pragma once

#include <memory>
#include <vector>

#include "uir/identify/shot_tracker.h"

namespace uir {

inline constexpr size_t kMostFaces = 16;

struct VectorTrack {
  Track track;                 // time, sights, faces; `vector` counts the rows of `vectors` here
  std::vector<float> vectors;  // [faces, dim], of length 1
  std::shared_ptr<const FacePixels> picture;  // of the best face
  double largest = 0;                         // shorter side of the largest box [pixels]
};

struct TrackRules {
  double other_person = 0.3;
};

// In the order of their begin; tracks that are more likely no faces are left out (a single sighting that the
// detector is not sure of).
std::vector<VectorTrack> vector_tracks(const std::vector<std::shared_ptr<FaceTrack>>& tracks,
                                       const TrackRules& rules, const FaceEmbedder& embedder);

// The weighted mean of a track's rows of vectors [rows, dim], of length 1; zero if it has none.
std::vector<float> mean_vector(const Track& track, std::span<const float> vectors, int64_t dim);

}  // namespace uir
