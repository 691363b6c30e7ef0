#include "uir/search/canonical.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "uir/base/error.h"
#include "uir/base/parallel.h"
#include "uir/search/exact_scores.h"

namespace uir {
namespace {

std::string name_of(const RowName& row_name, int64_t row) {
  return row_name ? row_name(row) : concat("row ", row);
}

std::string name_of(const EmbeddingStore& store, int64_t row) {
  return concat(store.folder().string(), ": row ", row, " (", store.item(row), ")");
}

// Writes the unit vector of a (+ b) to out; false if its length is zero or not finite.
bool normalise_sum(std::span<const float> a, std::span<const float> b, float* out) {
  const auto sum = [&](size_t d) { return b.empty() ? double{a[d]} : double{a[d]} + double{b[d]}; };
  double squares = 0;
  for (size_t d = 0; d < a.size(); ++d) squares += sum(d) * sum(d);
  const double length = std::sqrt(squares);
  if (!std::isfinite(length) || length == 0) return false;
  for (size_t d = 0; d < a.size(); ++d) out[d] = static_cast<float>(sum(d) / length);
  return true;
}

}  // namespace

void canonical_row(std::span<const float> embedding, std::span<const float> mirrored, int64_t row,
                   const RowName& row_name, float* out) {
  if (normalise_sum(embedding, mirrored, out)) return;
  fail(ErrorKind::kData, name_of(row_name, row),
       ": the embedding has zero length or is not finite; it has no direction");
}

void check_mirrored_shape(MatrixView embeddings, std::optional<MatrixView> mirrored) {
  if (!mirrored || (mirrored->rows == embeddings.rows && mirrored->cols == embeddings.cols)) return;
  fail(ErrorKind::kData, "embeddings are (", embeddings.rows, ", ", embeddings.cols,
       "), those of the mirror images (", mirrored->rows, ", ", mirrored->cols, ")");
}

RowName row_names_of(const EmbeddingStore& store) {
  return [&store](int64_t row) { return name_of(store, row); };
}

CanonicalVectors canonical_vectors(MatrixView embeddings, std::optional<MatrixView> mirrored, int threads,
                                   const RowName& row_name) {
  check_mirrored_shape(embeddings, mirrored);
  CanonicalVectors unit{{}, embeddings.rows, embeddings.cols};
  unit.values.resize(static_cast<size_t>(unit.rows * unit.cols));
  parallel_blocks(unit.rows, 1024, threads, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const std::span<const float> other = mirrored ? mirrored->row(i) : std::span<const float>();
      canonical_row(embeddings.row(i), other, i, row_name, unit.values.data() + i * unit.cols);
    }
  });
  return unit;
}

CanonicalVectors canonical_vectors(const EmbeddingStore& store, int threads) {
  return canonical_vectors(store.embeddings(), store.mirrored(), threads, row_names_of(store));
}

CanonicalVectors canonical_rows(const EmbeddingStore& store, std::span<const int64_t> rows, int threads) {
  const auto gather = [&](MatrixView matrix) {
    std::vector<float> values;
    values.reserve(rows.size() * static_cast<size_t>(matrix.cols));
    for (const int64_t row : rows) {
      const std::span<const float> source = matrix.row(row);
      values.insert(values.end(), source.begin(), source.end());
    }
    return values;
  };
  const auto view = [&](const std::vector<float>& values) {
    return MatrixView{values.data(), static_cast<int64_t>(rows.size()), store.embeddings().cols};
  };
  const std::vector<float> embeddings = gather(store.embeddings());
  const std::vector<float> mirrored = store.mirrored() ? gather(*store.mirrored()) : std::vector<float>();
  return canonical_vectors(view(embeddings), store.mirrored() ? std::optional(view(mirrored)) : std::nullopt,
                           threads, [&](int64_t i) { return name_of(store, rows[static_cast<size_t>(i)]); });
}

// Products of two float32 are exact in float64: whether they are fused with the addition changes nothing.
double score(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d) sum += double{a[d]} * double{b[d]};
  return sum;
}

void scores(std::span<const float> a, std::span<const float* const> others, std::span<double> out) {
  static const auto kernel = spread_kernels().front().run;
  for (size_t first = 0; first < others.size(); first += kSpread) {
    const size_t n = std::min<size_t>(kSpread, others.size() - first);
    std::array<const float*, kSpread> vectors;
    for (size_t k = 0; k < kSpread; ++k) vectors[k] = others[first + std::min(k, n - 1)];
    std::array<double, kSpread> sums;
    kernel(a.data(), vectors.data(), static_cast<int64_t>(a.size()), sums.data());
    std::copy_n(sums.data(), n, out.data() + first);
  }
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d) {
    const double difference = double{a[d]} - double{b[d]};
    sum += difference * difference;
  }
  return sum;
}

}  // namespace uir
