// JPEG through jpeglib.h, the API of libjpeg that every distribution's libjpeg-turbo has (TurboJPEG, its
// other one, refuses chroma at uncommon ratios).
//
// Shapes: pixels as in decode.h; chroma of any ratio is brought to full resolution as libjpeg does by default
// (triangle filter for halves, else repeated), colours by JFIF's and Adobe's markers.
// Errors: kData for what is not a whole JPEG: libjpeg's warnings are errors here, but for bytes between
// segments or before the end that belong to nothing: they are skipped. By name: CMYK, 12 bits, lossless and
// what else libjpeg cannot decode. kInternal where it cannot start or encode; std::bad_alloc. Threads: an
// object belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "uir/base/file.h"
#include "uir/images/decode.h"

namespace uir {

// One JPEG being decoded, never a second one: libjpeg keeps tables and half-read headers of an earlier image,
// and a damaged JPEG would be decoded with them. To make it anew costs well under 1 %.
class JpegDecoder {
 public:
  // Reads the header. It refuses what can be told without decoding, a missing end among it.
  explicit JpegDecoder(Bytes encoded);
  ~JpegDecoder();
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  ImageSize size() const { return size_; }
  // Writes size().num_bytes() bytes. Once.
  void decode(uint8_t* rgb);

 private:
  struct State;
  std::unique_ptr<State> state_;
  ImageSize size_;
};

}  // namespace uir
