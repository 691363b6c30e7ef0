#include "uir/eval/uncertainty_example.h"

#include <array>
#include <cmath>
#include <numeric>

namespace uir {
namespace {

using Vector = std::array<double, 8>;

Vector image(int64_t person, int64_t number) {
  Vector x{};
  for (size_t k = 0; k < x.size(); ++k) {
    const auto i = static_cast<double>(person + 1), j = static_cast<double>(number + 1),
               d = static_cast<double>(k + 1);
    x[k] = (person % 4 == 0 ? 1 : 0) + std::cos(1.7 * i * d) + 0.9 * std::sin(2.3 * i + 3.1 * j * d);
  }
  return x;
}

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

ScoredPairs uncertainty_example() {
  std::vector<Vector> images;
  std::vector<int64_t> people;
  constexpr int64_t kPeople = 16;
  for (int64_t person = 0; person < kPeople; ++person) {
    for (int64_t number = 0; number < 2 + person % 3; ++number) {
      images.push_back(image(person, number));
      people.push_back(person);
    }
  }
  ScoredPairs pairs{{}, kPeople};
  for (size_t a = 0; a < images.size(); ++a) {
    for (size_t b = a + 1; b < images.size(); ++b) {
      const double norms = std::sqrt(dot(images[a], images[a]) * dot(images[b], images[b]));
      pairs.pairs.push_back({people[a], people[b], dot(images[a], images[b]) / norms});
    }
  }
  return pairs;
}

}  // namespace uir
