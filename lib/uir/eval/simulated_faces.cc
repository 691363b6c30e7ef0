#include "uir/eval/simulated_faces.h"

#include <cmath>
#include <utility>

namespace uir {
namespace {

void normalise(std::vector<double>& x) {
  double norm = 0;
  for (const double value : x) norm += value * value;
  for (double& value : x) value /= std::sqrt(norm);
}

}  // namespace

double SimulatedFaces::score(size_t a, size_t b) const {
  double sum = 0;
  for (size_t d = 0; d < images[a].size(); ++d) sum += images[a][d] * images[b][d];
  return sum;
}

std::array<SimulatedFaces, 2> simulate_faces(ItemRandom& random, int64_t people) {
  constexpr size_t kDim = 20;
  constexpr double kCorrelation = 0.9, kNoise = 0.62, kSpreadOfPeople = 0.25;
  std::array<double, kDim> deviation{};
  double sum = 0;
  for (size_t d = 0; d < kDim; ++d) sum += deviation[d] = std::pow(static_cast<double>(d + 1), -0.7);
  for (double& value : deviation) value = std::sqrt(value * static_cast<double>(kDim) / sum);
  std::array<SimulatedFaces, 2> faces;
  for (SimulatedFaces& of : faces) of.people = people;
  for (int64_t person = 0; person < people; ++person) {
    std::array<double, kDim> center{};
    for (size_t d = 0; d < kDim; ++d) center[d] = deviation[d] * random.normal();
    const double noise = kNoise * std::exp(kSpreadOfPeople * random.normal());
    const auto count = static_cast<int64_t>(2 + random.below(5));
    for (int64_t image = 0; image < count; ++image) {
      std::array<std::vector<double>, 2> x{std::vector<double>(kDim), std::vector<double>(kDim)};
      for (size_t d = 0; d < kDim; ++d) {
        const double first = random.normal();
        const double second =
            kCorrelation * first + std::sqrt(1 - kCorrelation * kCorrelation) * random.normal();
        x[0][d] = center[d] + noise * first;
        x[1][d] = center[d] + noise * second;
      }
      for (size_t model = 0; model < 2; ++model) {
        normalise(x[model]);
        faces[model].images.push_back(std::move(x[model]));
        faces[model].person.push_back(person);
      }
    }
  }
  return faces;
}

ScoredPairs all_pairs_of(const SimulatedFaces& faces) {
  ScoredPairs pairs{{}, faces.people};
  for (size_t a = 0; a < faces.images.size(); ++a) {
    for (size_t b = a + 1; b < faces.images.size(); ++b)
      pairs.pairs.push_back({faces.person[a], faces.person[b], faces.score(a, b)});
  }
  return pairs;
}

}  // namespace uir
