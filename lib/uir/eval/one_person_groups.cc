#include "uir/eval/one_person_groups.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "uir/eval/people.h"

namespace uir {
namespace {

// Sums of cosines between groups on their way to fewer ones.
class AverageLinkage {
 public:
  // sums[a·n + b]: of all cosines between groups a and b, of sizes[a] and sizes[b] images.
  AverageLinkage(std::vector<double> sums, std::vector<double> sizes)
      : sums_(std::move(sums)), sizes_(std::move(sizes)), parent_(sizes_.size()) {
    std::iota(parent_.begin(), parent_.end(), size_t{0});
  }

  // Of each group the number of the group that it ends in.
  std::vector<size_t> join(double threshold) {
    std::vector<size_t> active(sizes_.size()), chain;
    std::iota(active.begin(), active.end(), size_t{0});
    while (!active.empty()) {
      if (chain.empty()) chain.push_back(active.front());
      const size_t last = chain.back();
      const size_t next = nearest(last, chain.size() > 1 ? chain[chain.size() - 2] : last, active);
      if (next == last || mean(last, next) < threshold) {  // nothing will ever reach it: it is done
        std::erase(active, last);
        chain.pop_back();
      } else if (chain.size() > 1 && next == chain[chain.size() - 2]) {
        merge(std::min(last, next), std::max(last, next), active);
        chain.resize(chain.size() - 2);
      } else {
        chain.push_back(next);
      }
    }
    for (size_t& group : parent_) {
      while (parent_[group] != group) group = parent_[group];
    }
    return parent_;
  }

 private:
  double mean(size_t a, size_t b) const { return sums_[a * sizes_.size() + b] / (sizes_[a] * sizes_[b]); }

  // The one with the highest mean; of equal ones the one before in the chain, so that a chain ends.
  size_t nearest(size_t group, size_t before, const std::vector<size_t>& active) const {
    size_t best = before;
    for (const size_t other : active) {
      if (other == group) continue;
      if (best == group || mean(group, other) > mean(group, best)) best = other;
    }
    return best;
  }

  void merge(size_t into, size_t gone, std::vector<size_t>& active) {
    const size_t n = sizes_.size();
    for (const size_t other : active) {
      sums_[into * n + other] += sums_[gone * n + other];
      sums_[other * n + into] = sums_[into * n + other];
    }
    sizes_[into] += sizes_[gone];
    parent_[gone] = into;
    std::erase(active, gone);
  }

  std::vector<double> sums_, sizes_;
  std::vector<size_t> parent_;
};

using Groups = std::vector<std::vector<int64_t>>;

Groups gathered(const Groups& parts, const std::vector<size_t>& group_of) {
  Groups groups(parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    std::vector<int64_t>& group = groups[group_of[i]];
    group.insert(group.end(), parts[i].begin(), parts[i].end());
  }
  std::erase_if(groups, [](const auto& group) { return group.empty(); });
  for (auto& group : groups) std::ranges::sort(group);
  std::ranges::sort(groups, [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a.front() < b.front();
  });
  return groups;
}

Groups group_images(const CanonicalVectors& images, std::span<const int64_t> rows, double threshold) {
  const size_t n = rows.size();
  std::vector<double> sums(n * n, 1.0), line(n);
  std::vector<const float*> others;
  for (const int64_t row : rows) others.push_back(images.row(row).data());
  for (size_t i = 0; i < n; ++i) {
    scores(images.row(rows[i]), std::span(others).first(i), std::span(line).first(i));
    for (size_t j = 0; j < i; ++j) sums[i * n + j] = sums[j * n + i] = line[j];
  }
  Groups single;
  for (const int64_t row : rows) single.push_back({row});
  return gathered(single, AverageLinkage(std::move(sums), std::vector<double>(n, 1.0)).join(threshold));
}

Groups group_groups(const CanonicalVectors& images, Groups parts, double threshold) {
  std::ranges::stable_sort(parts, std::ranges::greater(), &std::vector<int64_t>::size);
  Groups apart;
  if (parts.size() > kTogether) {
    apart.assign(parts.begin() + kTogether, parts.end());
    parts.resize(kTogether);
  }
  const size_t n = parts.size();
  std::vector<double> sums(n * n), sizes;
  std::vector<std::vector<double>> vectors;
  for (const auto& part : parts) {
    vectors.push_back(sum_of(images, part));
    sizes.push_back(static_cast<double>(part.size()));
  }
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j)
      sums[i * n + j] = sums[j * n + i] =
          std::inner_product(vectors[i].begin(), vectors[i].end(), vectors[j].begin(), 0.0);
  }
  std::vector<size_t> group_of = AverageLinkage(std::move(sums), std::move(sizes)).join(threshold);
  for (auto& part : apart) {
    group_of.push_back(parts.size());
    parts.push_back(std::move(part));
  }
  return gathered(parts, group_of);
}

}  // namespace

std::vector<std::vector<int64_t>> one_person_groups(const CanonicalVectors& images,
                                                    std::span<const int64_t> rows, double threshold) {
  if (rows.size() <= kTogether) return group_images(images, rows, threshold);
  Groups parts;
  for (size_t begin = 0; begin < rows.size(); begin += kTogether) {
    for (auto& group :
         group_images(images, rows.subspan(begin, std::min(kTogether, rows.size() - begin)), threshold))
      parts.push_back(std::move(group));
  }
  return group_groups(images, std::move(parts), threshold);
}

}  // namespace uir
