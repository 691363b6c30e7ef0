// Lists of videos (docs/formats.md, "Video files"): names relative to a root, with labels or numbers of
// frames.
//
// Cost: one pass; memory grows with the number of videos. Errors: kData naming file and line for lines that
// are not of the format, names that stand there twice or lead out of the root, and lists without videos;
// kMissingInput.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/config.h"
#include "uir/data/left_out.h"

namespace uir {

// One video of a list.
struct ListedVideo {
  std::string name;
  uint64_t line = 0;    // where its line begins; 0 without a list
  int64_t frames = -1;  // −1: the list does not say
  int64_t label = -1;   // −1: none
};

// In the order of the list, which is that of the source's rows; without one all videos below the root, in
// byte order.
std::vector<ListedVideo> read_video_list(const FramesSource& config);
// left_out (may be null): without a list, the files below the root that are no videos.
std::vector<ListedVideo> read_video_list(const VideosSource& config, LeftOut* left_out = nullptr);
// Their names alone.
std::vector<std::string> list_videos(const FramesSource& config);
std::vector<std::string> list_videos(const VideosSource& config, LeftOut* left_out = nullptr);

// How messages name a video: "list.txt:7: video 'a.mp4'" or, without a list, the file itself.
std::string place_of_video(const DataPath& list, const ListedVideo& video, const fs::path& root);

}  // namespace uir
