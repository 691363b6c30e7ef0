// What an index keeps of video files, and of the faces in their frames.
//
// Errors: kMissingInput and kData as video/video_reader.h, naming the file. Threads: thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "uir/base/file.h"
#include "uir/data/config.h"
#include "uir/video/frame_choice.h"
#include "uir/video/video_reader.h"

namespace uir {

// What the index keeps of a video file, so that an unchanged one is not decoded again.
struct VideoFacts {
  uint64_t bytes = 0;
  int64_t mtime = 0;
  ContentHash hash;       // of the file
  int64_t announced = 0;  // frames that it should have: those and what is damaged or missing
  int64_t frames = 0;     // that can be decoded
  int64_t ticks_per_second = 1;
  std::array<int32_t, 2> pixels{0, 0};  // of the first frame
};
static_assert(sizeof(VideoFacts) == 64, "a row of the file");

struct SurveyedVideo {
  VideoFacts facts;
  std::vector<FrameFacts> frames;
};

// A video that an index knows.
struct KnownVideo {
  VideoFacts facts;
  std::span<const FrameFacts> frames;
};

// Decodes the whole video, unless `known` (may be null) is of a file of this size and time stamp.
SurveyedVideo survey_video(const fs::path& path, const KnownVideo* known);
// kData if more than missing_frames frames are damaged or missing.
void check_complete(int64_t frames, int64_t lost, const fs::path& path, int64_t missing_frames);

inline FrameSampling sampling_of(const VideosSource& source) {
  return {source.every, source.frames_per_second, source.max_frames};
}

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
