// Prints the bits of what must be the same on processors with and without fused multiply-add: canonical
// vectors, squared distances, vectors of videos. Built twice (tests/CMakeLists.txt), the outputs are
// compared.
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "uir/base/random.h"
#include "uir/eval/video.h"
#include "uir/search/canonical.h"

namespace {

constexpr int64_t kRows = 64, kDim = 512;

std::vector<float> random_rows(uint64_t seed) {
  std::vector<float> values(kRows * kDim);
  uir::ItemRandom random(seed, uir::RandomPurpose::kTest, 0, 0);
  for (float& value : values) value = static_cast<float>(random.normal() * std::exp(random.normal()));
  return values;
}

void print(const char* what, const std::vector<double>& values) {
  for (const double value : values) std::printf("%s %a\n", what, value);
}

void print(const char* what, const uir::CanonicalVectors& vectors) {
  print(what, {vectors.values.begin(), vectors.values.end()});
}

void print_distances(uir::MatrixView rows) {
  std::vector<double> distances;
  for (int64_t i = 1; i < rows.rows; ++i)
    distances.push_back(uir::squared_distance(rows.row(0), rows.row(i)));
  print("squared distance", distances);
}

void print_videos(uir::MatrixView embeddings, uir::MatrixView mirrored) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < kRows; ++i) names.push_back("v" + std::to_string(i / 8) + "/" + std::to_string(i));
  const std::vector<std::string_view> items(names.begin(), names.end());
  const uir::VideoFrames videos(items);
  uir::FrameFeatures features{embeddings, mirrored, uir::Aggregation::kMean, std::vector<double>(kRows, 0.3)};
  for (const auto aggregation :
       {uir::Aggregation::kMean, uir::Aggregation::kNormWeighted, uir::Aggregation::kQualityWeighted}) {
    features.aggregation = aggregation;
    print("video", uir::video_vectors(features, videos));
  }
}

}  // namespace

int main() {
  const std::vector<float> first = random_rows(1), second = random_rows(2);
  const uir::MatrixView embeddings{first.data(), kRows, kDim}, mirrored{second.data(), kRows, kDim};
  print("canonical", uir::canonical_vectors(embeddings, mirrored, 1, {}));
  print_distances(embeddings);
  print_videos(embeddings, mirrored);
}
