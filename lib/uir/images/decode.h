// images/: a file, a record's bytes or a frame of a video becomes a checked picture, and a picture becomes an
// aligned face. It knows nothing of the index, of sources and roles (data/).
//
// Encoded images to RGB pixels: JPEG (jpeg.h), PNM (pnm.h), PNG, BMP and WebP (opencv_formats.h);
// docs/formats.md lists what is read and what is refused.
//
// Shapes: pixels are uint8 RGB, rows from top to bottom without padding: [height, width, 3]. Grey becomes
// RGB, more than 8 bits become 8, alpha is dropped, orientation tags are ignored (landmarks refer to the
// stored pixels).
// Cost: a 112x112 JPEG takes about 70 µs.
// Errors: kData for anything that is not a whole image of these formats: empty, truncated (never decoded in
// part: libjpeg's warnings are errors here), of another format, animated, CMYK, or larger than the limits,
// which are checked before allocation. The message has no file name: the caller knows the place (Error::at).
// Threads: all functions are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {

inline constexpr int64_t kMaxImageSide = 16384;
inline constexpr int64_t kMaxImagePixels = 100'000'000;

struct ImageSize {
  int width = 0, height = 0;
  bool operator==(const ImageSize&) const = default;
  size_t num_bytes() const { return static_cast<size_t>(width) * static_cast<size_t>(height) * 3; }
};

struct RgbImage {
  ImageSize size;
  std::vector<uint8_t> pixels;  // size.num_bytes()
};

bool is_jpeg(Bytes encoded);
// The size of an image, without decoding it. What it refuses, decode_image refuses in the same words; what
// follows the header may be damaged all the same, though a missing end is seen.
ImageSize probe_image(Bytes encoded);
RgbImage decode_image(Bytes encoded);
// The same, into the memory that `image` has already.
void decode_image(Bytes encoded, RgbImage& image);
// Decodes into `rgb` (expected.num_bytes() bytes) if the image has the expected size; false, with nothing
// written, if it has another.
bool decode_image_of_size(Bytes encoded, ImageSize expected, uint8_t* rgb);
// quality 1 … 100; chroma at half resolution (4:2:0), as most face crops have it.
std::vector<std::byte> encode_jpeg(const uint8_t* rgb, ImageSize size, int quality);
std::vector<std::byte> encode_png(const uint8_t* rgb, ImageSize size);

// True of errors that one picture is to blame for (it cannot be read, or is not there): others may go on
// without it.
bool concerns_image(const Error& error);

}  // namespace uir
