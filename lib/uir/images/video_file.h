// Decodes video files from front to back, through OpenCV's videoio.
//
// A frame is only ever reached by decoding all frames before it: seeking gives other pixels or other frames with some
// containers and codecs. So frame n is the same picture whatever was read before; going back starts the file over.
// Shapes: frames are counted from 0; RGB, turned upright as the file says.
// Cost: one decode per frame passed, without colour conversion for those that are skipped.
// Errors: kMissingInput for a missing file, kData for one that is no video or ends early, naming the file. What a
// decoder conceals within a frame cannot be seen. Threads: a reader belongs to one thread at a time.
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
  explicit VideoReader(const fs::path& path);
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  // kData if the video ends before. Valid until the next call.
  const RgbImage& frame(int64_t number);
  // The number of the frame that frame() gave last; −1 before the first.
  int64_t position() const;
  ImageSize size() const;
  double frames_per_second() const;  // 0: unknown
  int64_t announced_frames() const;  // what the file says; 0: unknown
  // Decodes all there is: how many frames there are.
  int64_t count_frames();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What the index keeps of a video file, so that an unchanged one is not decoded again.
struct VideoFacts {
  uint64_t bytes = 0;
  int64_t mtime = 0;
  ContentHash hash;              // of the file
  int64_t announced = 0;         // frames that the file says it has; 0: unknown
  int64_t frames = 0;            // that can be decoded
  double frames_per_second = 0;  // 0: unknown
  std::array<int32_t, 2> pixels{0, 0};
};
static_assert(sizeof(VideoFacts) == 64, "a row of the file");

// Reads the whole video, unless `known` (may be null) is of a file of this size and time stamp.
VideoFacts survey_video(const fs::path& path, const VideoFacts* known);
// kData if it gives more than missing_frames fewer frames than it announces.
void check_complete(const VideoFacts& video, const fs::path& path, int64_t missing_frames);

// What stands in for the content hash of face number `face` in a frame: no decoder's rounding is in it.
ContentHash frame_hash(const ContentHash& video, int64_t frame, int64_t face);

// The column `offset` of a video's row (docs/formats.md): frame · 2^16 + face.
inline constexpr int64_t kMaxFacesPerFrame = 1 << 16;
inline uint64_t frame_offset(int64_t frame, int64_t face) {
  return static_cast<uint64_t>(frame * kMaxFacesPerFrame + face);
}
inline int64_t frame_of_offset(uint64_t offset) { return static_cast<int64_t>(offset) / kMaxFacesPerFrame; }
inline int64_t face_of_offset(uint64_t offset) { return static_cast<int64_t>(offset) % kMaxFacesPerFrame; }

}  // namespace uir
