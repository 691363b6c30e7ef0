// Sources whose rows are frames of videos: folders of frames, and video files.
//
// Rows stand video by video in the order of the list, frames of a video in their own order; items are 'video/frame'.
// Errors: kData naming the video and the line of the list; a video without frames is one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "uir/data/sources.h"

namespace uir {

std::unique_ptr<Source> make_frames_source(const FramesSource& config, Role role);
std::unique_ptr<Source> make_videos_source(const VideosSource& config, Role role);

// The names of a source's videos, in the order of its rows. kData for a list that names one twice, or is empty.
std::vector<std::string> list_videos(const FramesSource& config);
std::vector<std::string> list_videos(const VideosSource& config);

// Order of file names in which runs of digits count as numbers ("2.jpg" before "10.jpg"), all else by bytes; names that
// differ in leading zeros only stand in byte order.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace uir
