#include "uir/search/unit_rows.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/base/file.h"
#include "uir/base/parallel.h"

namespace uir {

UnitRows::UnitRows(MatrixView embeddings, std::optional<MatrixView> mirrored, RowName row_name)
    : embeddings_(embeddings), mirrored_(mirrored), row_name_(std::move(row_name)) {
  check_mirrored_shape(embeddings, mirrored);
}

UnitRows::UnitRows(const CanonicalVectors& vectors) : embeddings_(vectors.view()), canonical_(true) {}

UnitRows::UnitRows(const EmbeddingStore& store)
    : UnitRows(store.embeddings(), store.mirrored(), row_names_of(store)) {}

UnitRows UnitRows::subset(std::vector<int64_t> rows) const {
  UnitRows some = *this;
  for (int64_t& row : rows) {
    ensure(row >= 0 && row < size(), "a subset's rows are rows of the set");
    row = row_of(row);
  }
  some.rows_ = std::move(rows);
  some.whole_ = false;
  return some;
}

void UnitRows::read(int64_t i, std::span<float> out) const {
  const int64_t row = row_of(i);
  if (canonical_) {
    std::ranges::copy(embeddings_.row(row), out.begin());
    return;
  }
  const std::span<const float> other = mirrored_ ? mirrored_->row(row) : std::span<const float>();
  canonical_row(embeddings_.row(row), other, row, row_name_, out.data());
}

uint64_t UnitRows::fingerprint(int threads) const {
  constexpr int64_t kBlock = 1024;
  std::vector<uint64_t> blocks(static_cast<size_t>((size() + kBlock - 1) / kBlock));
  parallel_blocks(size(), kBlock, threads, [&](int64_t begin, int64_t end) {
    Checksum checksum;
    std::vector<float> unit(static_cast<size_t>(dim()));
    for (int64_t i = begin; i < end; ++i) {
      read(i, unit);
      checksum.add(std::as_bytes(std::span(unit)));
    }
    blocks[static_cast<size_t>(begin / kBlock)] = checksum.value();
  });
  blocks.push_back(static_cast<uint64_t>(size()));
  blocks.push_back(static_cast<uint64_t>(dim()));
  return checksum64(std::as_bytes(std::span(blocks)));
}

}  // namespace uir
