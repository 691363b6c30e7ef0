// Templates of IJB-B and IJB-C: one unit vector per set of images and video frames of a person.
//
//   e = f + f(mirrored)         (flip) or f
//   e = e / |e|                 (norm removed) or as it is
//   e = e x detector score      (score) or as it is
//   t = Σ over media of the mean of e over the medium's images
//   template = float32(t / |t|)
// All in float64 in a fixed order: media by ascending id, images in the order of the list, |·| and sums in
// index order; rounded once, so that templates are canonical vectors (search/canonical.h), the same for any
// number of threads.
// Shapes: [N, D] -> [T, D] per variant. Cost: all variants in one pass over the arrays. Memory: 4·T·D bytes
// per variant and 16·D per variant and thread.
// Source: the public evaluations that published tables of IJB-B and IJB-C come from; B. Maze et al., IJB-C
// (2018).
// Errors: kData for an image of zero length where its norm is removed, and for a template of zero length, by
// name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uir/eval/ijb_meta.h"
#include "uir/search/canonical.h"

namespace uir {

struct TemplateVariant {
  bool flip = true, keep_norm = true, detector_score = true;
  std::string name() const;   // "flip,norm_kept,score"
  std::string words() const;  // a sentence for the report
  bool operator==(const TemplateVariant&) const = default;
};
// The variants that have all of the properties (none: all variants), those with flip only if there are
// mirrored embeddings. kConfig if none is left.
std::vector<TemplateVariant> template_variants(std::span<const TemplateProperty> properties, bool mirrored);

// rows[i]: the row of image i in the arrays. One [T, D] per variant.
std::vector<CanonicalVectors> build_templates(const IjbImages& images, std::span<const int64_t> rows,
                                              MatrixView embeddings, std::optional<MatrixView> mirrored,
                                              std::span<const TemplateVariant> variants, int threads = 1);

// The chosen templates, in the order of their numbers' list.
CanonicalVectors gather_templates(const CanonicalVectors& templates, std::span<const int32_t> numbers);

}  // namespace uir
