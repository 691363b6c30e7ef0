#include "uir/identify/track_groups.h"

#include <optional>
#include <utility>

#include "support/catch.h"
#include "uir/base/random.h"
#include "uir/identify/unit_vectors.h"

using namespace uir;

namespace {

using Groups = std::vector<std::vector<size_t>>;

// By the definition: the two groups of the highest mean cosine, over and over.
std::vector<int64_t> by_definition(const std::vector<std::vector<float>>& vectors, double least,
                                   const std::function<bool(size_t, size_t)>& excluded) {
  Groups groups;
  for (size_t i = 0; i < vectors.size(); ++i) groups.push_back({i});
  while (true) {
    double best = least;
    std::optional<std::pair<size_t, size_t>> pair;
    for (size_t a = 0; a < groups.size(); ++a) {
      for (size_t b = a + 1; b < groups.size(); ++b) {
        double sum = 0;
        bool never = false;
        for (const size_t i : groups[a]) {
          for (const size_t j : groups[b]) {
            sum += dot_of(vectors[i], vectors[j]);
            never = never || excluded(i, j);
          }
        }
        const double mean = sum / static_cast<double>(groups[a].size() * groups[b].size());
        if (never || mean < best) continue;
        best = mean;
        pair = {a, b};
      }
    }
    if (!pair) break;
    groups[pair->first].insert(groups[pair->first].end(), groups[pair->second].begin(),
                               groups[pair->second].end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(pair->second));
  }
  std::vector<int64_t> group_of(vectors.size(), -1), number(groups.size(), -1), result;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const size_t i : groups[g]) group_of[i] = static_cast<int64_t>(g);
  }
  int64_t next = 0;
  for (const int64_t g : group_of) {
    auto& own = number[static_cast<size_t>(g)];
    if (own < 0) own = next++;
    result.push_back(own);
  }
  return result;
}

}  // namespace

TEST_CASE("Tracks are grouped by average linkage, those seen together never", "[groups]") {
  for (uint64_t round = 0; round < 60; ++round) {
    ItemRandom random(3, RandomPurpose::kTest, 0, round);
    const size_t n = static_cast<size_t>(random.uniform(0, 24)), dim = 6;
    const int people = 1 + static_cast<int>(random.uniform(0, 5));
    std::vector<std::vector<float>> vectors;
    std::vector<float> rows;
    for (size_t i = 0; i < n; ++i) {
      const int person = static_cast<int>(random.uniform(0, people));
      ItemRandom center(4, RandomPurpose::kTest, 0, static_cast<uint64_t>(person));
      std::vector<double> v(dim);
      for (double& x : v) x = center.uniform(-1, 1) + random.uniform(-0.5, 0.5);
      vectors.push_back(unit_vector(v));
      rows.insert(rows.end(), vectors.back().begin(), vectors.back().end());
    }
    std::vector<char> never(n * n, 0);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i + 1; j < n; ++j) never[i * n + j] = never[j * n + i] = random.uniform(0, 1) < 0.1;
    }
    const auto excluded = [&](size_t i, size_t j) { return never[i * n + j] != 0; };
    const double least = random.uniform(0.2, 0.9);
    CHECK(group_tracks(rows, n, least, excluded) == by_definition(vectors, least, excluded));
  }
}
