#include "uir/pipeline/sample_faces.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <utility>

#include "uir/data/image_source.h"
#include "uir/data/synthetic.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

at::Tensor empty_faces(int64_t count) { return at::empty({count, kImageSize, kImageSize, 3}, at::kByte); }

}  // namespace

at::Tensor drawn_faces(int64_t count) {
  const at::Tensor faces = empty_faces(count);
  const SyntheticSource source;
  for (int64_t i = 0; i < count; ++i) render_synthetic_face(source, i, 0, faces[i].data_ptr<uint8_t>());
  return faces;
}

at::Tensor faces_of_rows(const Index& index, const std::vector<int64_t>& rows) {
  const ImageSource source(index);
  const at::Tensor faces = empty_faces(static_cast<int64_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i)
    source.load(rows[i], faces[static_cast<int64_t>(i)].data_ptr<uint8_t>());
  return faces;
}

std::vector<int64_t> genuine_pairs(const Index& index, const std::vector<int64_t>& rows, int64_t pairs) {
  std::map<std::pair<Role, int64_t>, std::vector<int64_t>> people;  // labels of different roles are different
  for (const int64_t row : rows) {
    const int64_t label = index.labels()[static_cast<size_t>(row)];
    if (label >= 0) people[{index.source_of_row(row).role, label}].push_back(row);
  }
  std::erase_if(people, [](const auto& person) { return person.second.size() < 2; });
  std::vector<std::vector<int64_t>> found;
  for (auto& [person, images] : people) found.push_back(std::move(images));
  const auto count = static_cast<int64_t>(found.size());
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < std::min(pairs, count); ++i) {
    const auto& images = found[static_cast<size_t>(i * count / std::min(pairs, count))];
    chosen.insert(chosen.end(), images.begin(), images.begin() + 2);
  }
  return chosen;
}

}  // namespace uir
