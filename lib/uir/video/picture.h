// A decoded frame becomes the RGB picture that a player shows: colours by its coding, square pixels, upright.
//
// Interlaced frames are shown as they are stored, high dynamic range is not mapped to a smaller one, alpha is
// dropped. What libswscale does is done with its exact arithmetic (no processor's own), and most 8-bit
// frames go through yuv.h instead: the same bytes everywhere.
// Errors: kData, without the file's name, for frames beyond the limits of images/decode.h or of a pixel
// format that libswscale cannot read. Threads: an object belongs to one thread at a time.
#pragma once

#include <memory>
#include <optional>

#include "uir/images/decode.h"
#include "uir/images/orientation.h"
#include "uir/video/yuv.h"

struct AVFrame;
struct AVFormatContext;
struct AVStream;

namespace uir {

// The frame's planes, if it has 8 bits of luma and chroma, or of luma alone.
std::optional<YuvPlanes> planes_of(const AVFrame& frame);

// How a frame of a track is to be shown.
struct ShownAs {
  ImageSize square;  // with square pixels, not yet turned
  Orientation orientation = Orientation::kAsStored;
  ImageSize size() const;  // turned
};

class PictureConverter {
 public:
  PictureConverter();
  ~PictureConverter();

  // The frames that follow are of this track.
  void begin(AVFormatContext& context, AVStream& stream);
  // kData.
  ShownAs shown_as(const AVFrame& frame) const;
  // Needs no begin().
  void convert(const AVFrame& frame, const ShownAs& shown, RgbImage& picture);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
