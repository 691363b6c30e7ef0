// Canonical vectors: the unit vectors that every exact score is computed from.
//
// Of a row: e = f, or f + f(mirrored) where both are there (the flip test), summed and normalised to length 1
// in float64, then rounded to float32. Scores are float64 and summed in index order, so that they are the
// same to the last bit on every machine and for any number of threads; the product of two float32 values is
// exact in float64, so fused multiply-add does not matter.
// Shapes: [N, D] -> [N, D]. Cost: one pass; memory 4·N·D bytes. Threads: all functions may run at once.
// Errors: a row whose length is zero or not finite, or arrays of different shapes: kData, naming the row.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "uir/store/embedding_store.h"

namespace uir {

// Unit vectors [rows, cols], row-major.
struct CanonicalVectors {
  std::vector<float> values;
  int64_t rows = 0, cols = 0;
  MatrixView view() const { return {values.data(), rows, cols}; }
  std::span<const float> row(int64_t i) const { return view().row(i); }
};

// row_name(i) names row i in errors; without it they say "row i". Called on any thread.
using RowName = std::function<std::string(int64_t)>;
CanonicalVectors canonical_vectors(MatrixView embeddings, std::optional<MatrixView> mirrored = std::nullopt,
                                   int threads = 1, const RowName& row_name = nullptr);
// With the flip test when the store holds mirrored embeddings.
CanonicalVectors canonical_vectors(const EmbeddingStore& store, int threads = 1);
// A sentence for the report: whether the vectors of the store's images are made with the flip test.
std::string describe_flip_test(const EmbeddingStore& store);
// Of some rows only, in the given order.
CanonicalVectors canonical_rows(const EmbeddingStore& store, std::span<const int64_t> rows, int threads = 1);

// Writes the canonical vector of one row to out (as many values as the embedding), of f alone where
// `mirrored` is empty; `row` is for the error.
void canonical_row(std::span<const float> embedding, std::span<const float> mirrored, int64_t row,
                   const RowName& row_name, float* out);
// kData unless both matrices have one shape.
void check_mirrored_shape(MatrixView embeddings, std::optional<MatrixView> mirrored);
// "<folder>: row 7 (item)". The store must outlive it.
RowName row_names_of(const EmbeddingStore& store);

// Cosine of two canonical vectors of one length, in [-1, 1] up to rounding. The score that every exact result
// is made of.
double score(std::span<const float> a, std::span<const float> b);
// The same of one vector with each of several, to the bit: out[i] of others[i]. A few at a time is several
// times as fast as one after the other.
void scores(std::span<const float> a, std::span<const float* const> others, std::span<double> out);
// Squared Euclidean distance of two canonical vectors, in [0, 4] up to rounding.
double squared_distance(std::span<const float> a, std::span<const float> b);

}  // namespace uir
