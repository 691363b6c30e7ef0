// Reads video files: every frame as a player shows it, with its exact time.
//
// A picture is turned and mirrored by the whole display matrix, has square pixels, and colours by the
// stream's tags (video/display.h); its size may change from frame to frame. Times are whole ticks, 1 /
// ticks_per_second each, from the container's start, and strictly increase: a frame without a usable stamp
// comes one frame (or one tick) after the one before it. Nothing that a file announces (rate, number of
// frames, duration) is used.
//
// Frames are identified by their times. seek() gives the same frames and bytes as reading from the front:
// in MP4, MOV and Matroska it decodes from the key picture before, and is checked against the container's
// list of pictures; elsewhere, and where that is not exact, it decodes from the front.
// Cost: next() decodes one frame; picture() converts it, about 1 ms for 1280x720. The first jump of seek()
// reads the file once without decoding. Threads: a reader belongs to one thread at a time; it decodes on
// `threads` more if that is above 1, which changes no byte.
// Errors: kMissingInput for a missing file, kData naming the file for one that is no video, has no track of
// pictures or one that cannot be decoded here; kIo. Frames that cannot be decoded are lost(), no error.
// What a decoder conceals without saying so cannot be seen.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "uir/base/file.h"
#include "uir/images/decode.h"
#include "uir/video/video_frame.h"

namespace uir {

class VideoReader {
 public:
  explicit VideoReader(const fs::path& path, int threads = 1);
  ~VideoReader();
  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;

  int64_t ticks_per_second() const;
  // What the container says of its own start, which all times here count from.
  int64_t container_start() const;
  // What the file announces, for progress only; 0: nothing.
  int64_t announced_ticks() const;
  // Goes to the next frame in the order shown; false at the end.
  bool next();
  // Goes to the first frame at `ticks` or later, forwards or backwards; false if there is none.
  bool seek(int64_t ticks);
  // Of the frame at hand. kData for frames beyond the limits of images/decode.h.
  FrameFacts facts() const;
  const RgbImage& picture();  // valid until the next call of next() or seek()
  // The frame at hand, to be looked at later. kData as picture().
  VideoFrame keep() const;
  // Frames that are damaged or missing: those of which the decoder said so, and, once the video was read
  // to its end from the front, those that the tables of an MP4, MOV or AVI list and that are not there.
  int64_t lost() const;
  bool saw_all() const;  // the video was read to its end from the front

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Of the libraries that read them: what they decode may differ.
std::string ffmpeg_version();

// The frames of a video, in the order shown; a frame's number is its place here.
struct FrameList {
  int64_t ticks_per_second = 1;
  std::vector<FrameFacts> frames;
  int64_t lost = 0;  // besides these
};
// Decodes the whole video. kData if it gives not one frame.
FrameList decode_frame_list(const fs::path& path, int threads = 1);
// From the container's list, without decoding and without sizes; none where that is not exact. `lost` counts
// what the file lacks of that list. A frame may still turn out to be undecodable.
std::optional<FrameList> read_frame_list(const fs::path& path);

}  // namespace uir
