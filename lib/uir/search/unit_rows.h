// Rows of an embedding matrix, or some of them, as canonical vectors that are made when they are read: what
// lets a search over millions of mapped rows do without a float copy of them.
//
// Shapes: position i of n is row i, or rows[i] where a list of rows is given. Cost: one normalisation per row
// read; memory: the list. The bits are those of canonical_vectors().
// Errors: a row without a direction is kData, naming it. Threads: all functions are const and may run at
// once; what the views point to must outlive this.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "uir/search/canonical.h"
#include "uir/store/embedding_store.h"

namespace uir {

class UnitRows {
 public:
  // All rows of embeddings, with the flip test where mirrored ones are given.
  explicit UnitRows(MatrixView embeddings, std::optional<MatrixView> mirrored = std::nullopt,
                    RowName row_name = nullptr);
  // Vectors that are canonical already; they are not normalised again.
  explicit UnitRows(const CanonicalVectors& vectors);
  // The rows of a store. The store must outlive this.
  explicit UnitRows(const EmbeddingStore& store);
  // Of the same matrix only the given rows, in their order.
  UnitRows subset(std::vector<int64_t> rows) const;

  int64_t size() const { return whole_ ? embeddings_.rows : static_cast<int64_t>(rows_.size()); }
  int64_t dim() const { return embeddings_.cols; }
  int64_t row_of(int64_t i) const { return whole_ ? i : rows_[static_cast<size_t>(i)]; }
  // Writes the canonical vector of position i to out (dim values).
  void read(int64_t i, std::span<float> out) const;
  // Reads all rows once: the checksum of what the vectors are made from, and the error that a later read()
  // would throw.
  uint64_t fingerprint(int threads) const;

 private:
  MatrixView embeddings_;
  std::optional<MatrixView> mirrored_;
  bool canonical_ = false, whole_ = true;
  std::vector<int64_t> rows_;
  RowName row_name_;
};

}  // namespace uir
