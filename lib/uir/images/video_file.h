// Decodes video files from front to back, through OpenCV's videoio.
//
// A frame is only ever reached by decoding all frames before it: seeking gives other pixels or other frames
// with some containers and codecs. So frame n is the same picture whatever was read before; going back starts
// the file over.
// Shapes: frames are counted from 0; RGB, turned upright as the file says.
// Cost: one decode per frame passed, without colour conversion for those that are skipped.
// Errors: kMissingInput for a missing file, kData for one that is no video or ends early, naming the file.
// What a decoder conceals within a frame cannot be seen. Threads: a reader belongs to one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "uir/base/file.h"
#include "uir/images/decode.h"

namespace uir {

class VideoReader {
 public:
  explicit VideoReader(const fs::path& path);  // kData, too, for frames beyond the limits of decode.h
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  // Frame `number` (from 0). kData if the video ends before. Valid until the next call.
  const RgbImage& frame(int64_t number);
  // The number of the frame that frame() gave last; −1 before the first.
  int64_t position() const;
  ImageSize size() const;
  double frames_per_second() const;  // 0: unknown
  int64_t announced_frames() const;  // what the file says; 0: unknown
  // Decodes all there is: how many frames there are. frame() starts the file over afterwards.
  int64_t count_frames();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
