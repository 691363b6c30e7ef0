#include "uir/identify/track_groups.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

#include "uir/identify/unit_vectors.h"

namespace uir {
namespace {

constexpr float kExcluded = -2;  // below every cosine

class Linkage {
 public:
  Linkage(std::span<const float> vectors, size_t n, const std::function<bool(size_t, size_t)>& excluded)
      : n_(n), likeness_(n * n, kExcluded), sizes_(n, 1), versions_(n, 0), group_(n) {
    std::iota(group_.begin(), group_.end(), size_t{0});
    const size_t dim = n == 0 ? 0 : vectors.size() / n;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = i + 1; j < n; ++j) {
        if (excluded(i, j)) continue;
        set(i, j, static_cast<float>(dot_of(vectors.subspan(i * dim, dim), vectors.subspan(j * dim, dim))));
      }
    }
  }

  void join_down_to(double least) {
    for (size_t i = 0; i < n_; ++i) {
      for (size_t j = i + 1; j < n_; ++j) offer(i, j, least);
    }
    while (!offers_.empty()) {
      const Offer best = offers_.top();
      offers_.pop();
      if (versions_[best.a] == best.version_a && versions_[best.b] == best.version_b)
        join(best.a, best.b, least);
    }
  }

  std::vector<int64_t> numbers() const {
    std::vector<int64_t> number(n_, -1), result;
    int64_t next = 0;
    for (size_t i = 0; i < n_; ++i) {
      size_t root = i;
      while (group_[root] != root) root = group_[root];
      if (number[root] < 0) number[root] = next++;
      result.push_back(number[root]);
    }
    return result;
  }

 private:
  struct Offer {
    float likeness;
    size_t a, b;  // a < b
    uint32_t version_a, version_b;
    // Of equal ones the first.
    bool operator<(const Offer& other) const {
      return std::tuple(likeness, other.a, other.b) < std::tuple(other.likeness, a, b);
    }
  };

  float at(size_t i, size_t j) const { return likeness_[i * n_ + j]; }
  void set(size_t i, size_t j, float value) { likeness_[i * n_ + j] = likeness_[j * n_ + i] = value; }

  void offer(size_t i, size_t j, double least) {
    if (const float likeness = at(i, j); likeness > kExcluded && likeness >= least)
      offers_.push(
          {likeness, std::min(i, j), std::max(i, j), versions_[std::min(i, j)], versions_[std::max(i, j)]});
  }

  // b goes into a.
  void join(size_t a, size_t b, double least) {
    const double size_a = sizes_[a], size_b = sizes_[b];
    group_[b] = a;
    ++versions_[b];
    ++versions_[a];
    sizes_[a] = size_a + size_b;
    for (size_t k = 0; k < n_; ++k) {
      if (k == a || group_[k] != k) continue;
      const bool never = at(a, k) == kExcluded || at(b, k) == kExcluded;
      const double mean = (size_a * at(a, k) + size_b * at(b, k)) / sizes_[a];
      set(a, k, never ? kExcluded : static_cast<float>(mean));
      offer(a, k, least);
    }
  }

  size_t n_;
  std::vector<float> likeness_;
  std::vector<double> sizes_;
  std::vector<uint32_t> versions_;  // of the groups; an offer of another version is none any more
  std::vector<size_t> group_;       // the track whose group it went into
  std::priority_queue<Offer> offers_;
};

}  // namespace

std::vector<int64_t> group_tracks(std::span<const float> vectors, size_t n, double same_person,
                                  const std::function<bool(size_t, size_t)>& excluded) {
  Linkage linkage(vectors, n, excluded);
  linkage.join_down_to(same_person);
  return linkage.numbers();
}

}  // namespace uir
