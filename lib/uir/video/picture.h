// A decoded frame becomes the RGB picture that a player shows: colours by its coding, square pixels, upright.
//
// Interlaced frames are shown as they are stored, high dynamic range is not mapped to a smaller one, alpha is
// dropped. What libswscale does is done with its exact arithmetic (no processor's own), and most 8-bit
// frames go through yuv.h instead: the same bytes everywhere.
// Errors: kData, without the file's name, for frames beyond the limits of images/decode.h or of a pixel
// format that libswscale cannot read. Threads: an object belongs to one thread at a time.
#pragma once

#include <memory>

#include "uir/images/decode.h"
#include "uir/images/orientation.h"

struct AVFrame;
struct AVFormatContext;
struct AVStream;

namespace uir {

class PictureConverter {
 public:
  PictureConverter();
  ~PictureConverter();

  // The frames that follow are of this track.
  void begin(AVFormatContext& context, AVStream& stream);
  // The size that the frame is shown at. kData.
  ImageSize size_of(const AVFrame& frame) const;
  void convert(const AVFrame& frame, RgbImage& picture);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace uir
