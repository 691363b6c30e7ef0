// Seeded embeddings like those of a face network on a set like Trillion-Pairs: a gallery of identities with
// several images each, and distractors, every one another person. For tests, benchmarks and trial runs at
// full size.
//
// An image is its person's direction plus noise of the image's own strength; the directions have a spectrum
// and a part that some thousandth of all people share (look-alikes: a heavy tail of impostor scores). Values
// are a pure function of (seed, row), without the math library: the same on every machine. Cost: about 5 ns
// per value. Threads: const.
#pragma once

#include <cstdint>
#include <span>

namespace uir {

enum class Spectrum {
  kFalling,  // deviations fall linearly: impostor scores spread like those of about 0.6·D dimensions
  kFace,  // variances fall by e in 84 dimensions: as those of y1.onnx on LFW do in its 128, and on from there
  kFlat
};

struct SyntheticFeatures {
  int64_t gallery = 0, identities = 0, distractors = 0;  // identities <= gallery
  int64_t dim = 512;
  uint64_t seed = 1;
  Spectrum spectrum = Spectrum::kFalling;

  int64_t rows() const { return gallery + distractors; }  // the gallery first
  int64_t label(int64_t row) const;                       // −1: a distractor
  void write(int64_t row, std::span<float> out) const;    // unnormalised
};

}  // namespace uir
