// What VideoReader puts into a VideoFrame.
#pragma once

#include "uir/base/file.h"
#include "uir/video/libav.h"
#include "uir/video/picture.h"
#include "uir/video/video_frame.h"

namespace uir {

struct VideoFrame::Kept {
  libav::Owner<AVFrame> frame;
  ShownAs shown;
  int64_t ticks = 0, duration = 0;
  fs::path path;
};

}  // namespace uir
