// The set of the Trillion-Pairs protocol, taken apart: the gallery with its people, and the distractors.
//
// Rows with a label are the gallery, rows with label −1 the distractors; positions are those within either.
// Cost: sorting the labels; genuine pairs are scored one by one, in float64. Errors: no gallery: kData.
// Threads: visit_genuine() uses several.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "uir/base/parallel.h"
#include "uir/base/progress.h"
#include "uir/search/canonical.h"
#include "uir/search/unit_rows.h"

namespace uir {

struct TrillionParts {
  UnitRows gallery, distractors;
  std::vector<int64_t> people;               // of the gallery's rows, numbered by label
  std::vector<std::vector<int64_t>> images;  // of each person: positions in the gallery

  int64_t gallery_pairs() const { return gallery.size() * (gallery.size() - 1) / 2; }
  // Of one person, of all.
  int64_t genuine_pairs(size_t person) const {
    const int64_t own = std::ssize(images[person]);
    return own * (own - 1) / 2;
  }
  int64_t genuine_pairs() const;
};

TrillionParts take_apart(const UnitRows& vectors, std::span<const int64_t> labels);

// Calls visit(i, j, score) for all genuine pairs i < j, on several threads; those of one person come from
// one.
template <class Visit>
void visit_genuine(const TrillionParts& parts, int threads, Visit&& visit) {
  Progress progress("scoring genuine pairs", "pairs", parts.genuine_pairs());
  const auto dim = static_cast<size_t>(parts.gallery.dim());
  parallel_blocks(std::ssize(parts.images), 1, threads, [&](int64_t person, int64_t) {
    const std::vector<int64_t>& images = parts.images[static_cast<size_t>(person)];
    if (images.size() < 2) return;
    std::vector<float> vectors(images.size() * dim);
    const auto vector = [&](size_t k) { return std::span(vectors).subspan(k * dim, dim); };
    for (size_t k = 0; k < images.size(); ++k) parts.gallery.read(images[k], vector(k));
    for (size_t a = 0; a < images.size(); ++a) {
      for (size_t b = a + 1; b < images.size(); ++b) visit(images[a], images[b], score(vector(a), vector(b)));
    }
    progress.add(parts.genuine_pairs(static_cast<size_t>(person)));
  });
}

}  // namespace uir
