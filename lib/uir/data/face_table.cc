#include "uir/data/face_table.h"

#include <algorithm>
#include <cmath>

#include "uir/data/list_file.h"

namespace uir {

FaceTable::FaceTable(const fs::path& csv) : lines_(csv) {
  constexpr std::string_view kHeader = "video,frame,x1,y1,x2,y2";
  if (!lines_.next() || !lines_.line().starts_with(kHeader)) {
    lines_.refuse("expected the header '", kHeader, "', with ten more columns where points are given");
  }
  split(lines_.line(), ',', false, fields_);
  columns_ = fields_.size();
  if (columns_ != 6 && columns_ != 16) lines_.refuse(columns_, " columns, expected 6 or 16");
  while (lines_.next()) rows_.add(lines_.line().substr(0, lines_.line().find(',')), lines_.begin());
  rows_.finish();
}

std::vector<VideoFace> FaceTable::faces_of(std::string_view video) {
  std::vector<VideoFace> faces;
  for (const NameLookup::Entry& row : rows_.find(video)) {
    split(lines_.line_at(row.number), ',', false, fields_);
    if (fields_[0] == video) faces.push_back(parse());
  }
  std::ranges::stable_sort(faces, {}, &VideoFace::frame);
  for (size_t i = 1; i < faces.size(); ++i) {
    if (faces[i].frame == faces[i - 1].frame) faces[i].number = faces[i - 1].number + 1;
  }
  return faces;
}

template <class Array>
Array FaceTable::numbers(size_t first) const {
  Array values;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = parse_number<float>(fields_[first + i]);
    if (!value || !std::isfinite(*value)) lines_.refuse("'", fields_[first + i], "' is not a coordinate");
    values[i] = *value;
  }
  return values;
}

VideoFace FaceTable::parse() {
  if (fields_.size() != columns_) lines_.refuse(fields_.size(), " fields, the header has ", columns_);
  VideoFace face;
  face.line = lines_.begin();
  face.frame = parse_label(lines_, fields_[1], 0);
  face.box = numbers<FaceBox>(2);
  const FaceBox& box = *face.box;
  if (!(box[0] < box[2] && box[1] < box[3])) lines_.refuse("the box is empty; expected x1 < x2 and y1 < y2");
  if (columns_ == 16 && !std::all_of(fields_.begin() + 6, fields_.end(), [](auto f) { return f.empty(); })) {
    face.landmarks = numbers<Landmarks>(6);
  }
  return face;
}

}  // namespace uir
