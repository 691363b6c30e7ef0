#include "uir/pipeline/own_faces.h"

#include <algorithm>

#include "uir/pipeline/sample_faces.h"

namespace uir {

OwnFaces own_faces(const Index& index, const std::vector<std::string>& sets) {
  const auto pairs = [&index, sets](int64_t most) {
    std::vector<int64_t> rows;
    for (const std::string& set : sets) {
      const std::vector<int64_t> more = index.set_rows(set);
      rows.insert(rows.end(), more.begin(), more.end());
    }
    return faces_of_rows(index, genuine_pairs(index, rows, most));
  };
  const auto first = [&index, sets](int64_t most) {
    std::vector<int64_t> rows;
    if (!sets.empty()) rows = index.set_rows(sets.front());
    rows.resize(std::min(rows.size(), static_cast<size_t>(most)));
    return faces_of_rows(index, rows);
  };
  const auto spread = [&index, sets](int64_t most) {
    std::vector<int64_t> rows, chosen;
    if (!sets.empty()) rows = index.set_rows(sets.front());
    const auto all = static_cast<int64_t>(rows.size()), count = std::min(most, all);
    for (int64_t i = 0; i < count; ++i) chosen.push_back(rows[static_cast<size_t>(i * all / count)]);
    return faces_of_rows(index, chosen);
  };
  return {pairs, first, spread};
}

}  // namespace uir
