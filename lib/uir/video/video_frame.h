// A decoded frame that outlives its reader's next step: a film is looked at in more than one place at a time.
//
// It holds the decoder's own memory (a 1280x720 frame 1.4 MB), without a copy. Threads: const functions are
// thread-safe. Errors: kData naming the file for frames that cannot be converted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "uir/images/decode.h"

namespace uir {

// A frame's time and the size at which it is shown.
struct FrameFacts {
  int64_t ticks = 0;  // from the container's start; may be negative
  int32_t width = 0, height = 0;
  bool operator==(const FrameFacts&) const = default;
};
static_assert(sizeof(FrameFacts) == 16, "a row of the index's file");

// Mean brightness and two colour differences of the cells of a grid over the stored frame, [3, 18, 32].
inline constexpr int kThumbnailWidth = 32, kThumbnailHeight = 18;
using Thumbnail = std::array<uint8_t, size_t{3} * kThumbnailWidth * kThumbnailHeight>;

class VideoFrame {
 public:
  struct Kept;  // kept_frame.h
  VideoFrame() = default;
  explicit VideoFrame(std::shared_ptr<const Kept> kept) : kept_(std::move(kept)) {}

  bool empty() const { return kept_ == nullptr; }
  FrameFacts facts() const;
  int64_t duration() const;  // in ticks, as the file has it; 0: it has none
  // About 1 ms for 1280x720, as VideoReader::picture().
  void picture(RgbImage& image) const;
  // Some 20 µs for most frames with 8 bits; a picture's conversion for others.
  Thumbnail thumbnail() const;

 private:
  std::shared_ptr<const Kept> kept_;
};

}  // namespace uir
