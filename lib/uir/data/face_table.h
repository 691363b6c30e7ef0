// Faces in video files as a CSV gives them (docs/formats.md, "Video files"): the header
// video,frame,x1,y1,x2,y2, optionally with ten more columns, the five points.
//
// Cost: one pass when it is opened, then one search and the lines of the video per faces_of(); 16 bytes per
// line.
// Errors: kData naming file and line. Threads: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "uir/data/name_lookup.h"
#include "uir/formats/text_lines.h"
#include "uir/images/align.h"

namespace uir {

// One face in a frame; without a table, the whole frame.
struct VideoFace {
  int64_t frame = 0, number = 0;  // number: of the face in its frame
  std::optional<FaceBox> box;     // x1 < x2 and y1 < y2, finite
  std::optional<Landmarks> landmarks;
  uint64_t line = 0;  // where its line begins
};

class FaceTable {
 public:
  explicit FaceTable(const fs::path& csv);

  // Sorted by frame; faces of one frame in the order of the file. None for a video that is not named.
  std::vector<VideoFace> faces_of(std::string_view video);
  std::string place(const VideoFace& face) const { return lines_.place_at(face.line); }
  const fs::path& path() const { return lines_.path(); }

 private:
  VideoFace parse();
  template <class Array>
  Array numbers(size_t first) const;

  TextLines lines_;
  NameLookup rows_;
  std::vector<std::string_view> fields_;
  size_t columns_ = 0;
};

}  // namespace uir
