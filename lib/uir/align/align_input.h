// What is to be aligned: photos of a folder or of a list, or videos, each with the stem of its faces' names.
//
// Errors: kData for nothing to align, names that stand there twice, faces that would have the same name, and
// names that the tables cannot hold; kMissingInput; kUsage for two video files of one name. Threads: one.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/data/config.h"
#include "uir/data/left_out.h"
#include "uir/images/align.h"

namespace uir {

// Video files by name: "a/clip.mp4" is called clip.mp4.
struct VideoFiles {
  std::vector<fs::path> files;
  VideosSource sampling;
};

using AlignInput = std::variant<FolderSource, ListSource, VideosSource, VideoFiles>;

// A photo or a video.
struct AlignUnit {
  std::string name;                    // as tables have it
  std::string stem;                    // of its faces: their names without number and extension
  fs::path path;                       // of a video
  std::optional<Landmarks> landmarks;  // of a photo, if they are given
};

// In the order in which they are aligned.
struct AlignUnits {
  std::vector<AlignUnit> units;
  LeftOut left_out;  // what else lies in the folder
};
AlignUnits list_units(const AlignInput& input);

// The folder that photos are read from; none for videos.
std::optional<fs::path> photo_root(const AlignInput& input);
// Which frames of videos are taken.
const VideosSource& video_sampling(const AlignInput& input);

// What must agree for a run to be continued; lists and landmarks by their checksums.
Json describe_input(const AlignInput& input);
// Of a file; empty for an empty path.
std::string checksum_of_input(const fs::path& path);

}  // namespace uir
