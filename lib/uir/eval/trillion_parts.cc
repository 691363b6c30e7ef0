#include "uir/eval/trillion_parts.h"

#include <algorithm>
#include <numeric>

#include "uir/base/error.h"

namespace uir {

int64_t TrillionParts::genuine_pairs() const {
  int64_t pairs = 0;
  for (size_t person = 0; person < images.size(); ++person) pairs += genuine_pairs(person);
  return pairs;
}

TrillionParts take_apart(const UnitRows& vectors, std::span<const int64_t> labels) {
  ensure(static_cast<int64_t>(labels.size()) == vectors.size(), "one label per row");
  std::vector<int64_t> gallery, distractors, gallery_labels;
  for (int64_t row = 0; row < vectors.size(); ++row)
    (labels[row] >= 0 ? gallery : distractors).push_back(row);
  if (gallery.empty()) {
    fail(ErrorKind::kData,
         "no row has a label, so there is no gallery; expected labels >= 0 for the gallery and -1 for "
         "distractors: from the set, or from a list 'image label' that the protocol names (labels)");
  }
  for (int64_t row : gallery) gallery_labels.push_back(labels[row]);

  std::vector<int64_t> order(gallery.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int64_t i) { return gallery_labels[i]; });
  std::vector<int64_t> people(gallery.size());
  std::vector<std::vector<int64_t>> images;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    for (; end < order.size() && gallery_labels[order[end]] == gallery_labels[order[begin]]; ++end)
      people[order[end]] = std::ssize(images);
    images.emplace_back(order.begin() + begin, order.begin() + end);
  }
  return {vectors.subset(std::move(gallery)), vectors.subset(std::move(distractors)), std::move(people),
          std::move(images)};
}

}  // namespace uir
