#include "uir/eval/concatenated_store.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/parallel.h"

namespace uir {
namespace {

// What two parts must agree on.
void check_alike(const EmbeddingStore& first, const std::string& first_name, const EmbeddingStore& part,
                 const std::string& name) {
  const auto differ = [&](const auto&... what) {
    fail(ErrorKind::kData, "models ", first_name, " and ", name, " cannot be concatenated: ", what..., " (",
         first.folder().string(), ", ", part.folder().string(), ")");
  };
  if (first.size() != part.size()) differ("they have ", first.size(), " and ", part.size(), " images");
  if (first.mirrored().has_value() != part.mirrored().has_value())
    differ("only one of them has mirrored embeddings");
  for (int64_t row = 0; row < first.size(); ++row) {
    const auto i = static_cast<size_t>(row);
    if (first.item(row) != part.item(row))
      differ("row ", row, " is '", first.item(row), "' and '", part.item(row), "'");
    if (first.labels()[i] != part.labels()[i])
      differ("row ", row, " has label ", first.labels()[i], " and ", part.labels()[i]);
  }
}

double length_of(const EmbeddingStore& part, int64_t row) {
  const std::span<const float> f = part.embeddings().row(row);
  const auto mirrored = part.mirrored();
  double sum = 0;
  for (size_t d = 0; d < f.size(); ++d) {
    const double value = f[d] + (mirrored ? static_cast<double>(mirrored->row(row)[d]) : 0);
    sum += value * value;
  }
  if (sum > 0 && std::isfinite(sum)) return std::sqrt(sum);
  fail(ErrorKind::kData, part.folder().string(), ": row ", row, " (", part.item(row),
       "): the vector has no direction");
}

Json manifest_of(std::span<const EmbeddingStore> parts, std::span<const std::string> names) {
  Json manifest{{"weights", Json::array()}, {"parts", Json::object()}};
  for (size_t p = 0; p < parts.size(); ++p) {
    manifest["weights"].push_back(parts[p].manifest().value("weights", Json()));
    manifest["parts"][names[p]] = parts[p].manifest();
  }
  if (std::ranges::any_of(manifest["weights"], [](const Json& weights) { return weights.is_null(); }))
    manifest.erase("weights");
  return manifest;
}

}  // namespace

EmbeddingStore concatenated_store(std::span<const EmbeddingStore> parts, std::span<const std::string> names,
                                  int threads) {
  ensure(!parts.empty(), "something to concatenate");
  const EmbeddingStore& first = parts.front();
  int64_t dim = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    check_alike(first, names.front(), parts[p], names[p]);
    dim += parts[p].embeddings().cols;
  }
  const bool flip = first.mirrored().has_value();
  std::vector<float> embeddings(static_cast<size_t>(first.size() * dim)),
      mirrored(flip ? embeddings.size() : 0);
  parallel_blocks(first.size(), 256, threads, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      auto at = static_cast<size_t>(row * dim);
      for (const EmbeddingStore& part : parts) {
        const double length = length_of(part, row);
        const MatrixView f = part.embeddings();
        for (int64_t d = 0; d < f.cols; ++d, ++at) {
          const auto i = static_cast<size_t>(d);
          embeddings[at] = static_cast<float>(f.row(row)[i] / length);
          if (flip) mirrored[at] = static_cast<float>(part.mirrored()->row(row)[i] / length);
        }
      }
    }
  });
  return first.with_embeddings(std::move(embeddings), std::move(mirrored), dim, manifest_of(parts, names));
}

}  // namespace uir
