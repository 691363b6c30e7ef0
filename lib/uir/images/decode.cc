#include "uir/images/decode.h"

#include "uir/base/error.h"
#include "uir/images/image_format.h"
#include "uir/images/jpeg.h"
#include "uir/images/opencv_formats.h"
#include "uir/images/pnm.h"

namespace uir {
namespace {

// Reads the header, asks `place` where an image of that size goes, and decodes it there unless that is
// nullptr.
template <class Place>
void decode_to(Bytes encoded, Place&& place) {
  const ImageFormat format = format_of(encoded);
  if (format == ImageFormat::kJpeg) {
    JpegDecoder decoder(encoded);
    if (uint8_t* rgb = place(decoder.size())) decoder.decode(rgb);
  } else if (format == ImageFormat::kPnm) {
    const PnmHeader header = read_pnm_header(encoded);
    if (uint8_t* rgb = place(header.size)) decode_pnm(encoded, header, rgb);
  } else {
    const ImageSize size = probe_with_opencv(encoded, format);
    if (uint8_t* rgb = place(size)) decode_with_opencv(encoded, format, size, rgb);
  }
}

}  // namespace

bool is_jpeg(Bytes encoded) {
  return encoded.size() >= 2 && encoded[0] == std::byte{0xff} && encoded[1] == std::byte{0xd8};
}

ImageSize probe_image(Bytes encoded) {
  ImageSize found;
  decode_to(encoded, [&](ImageSize size) -> uint8_t* {
    found = size;
    return nullptr;
  });
  return found;
}

void decode_image(Bytes encoded, RgbImage& image) {
  decode_to(encoded, [&](ImageSize size) {
    image.size = size;
    image.pixels.resize(size.num_bytes());
    return image.pixels.data();
  });
}

RgbImage decode_image(Bytes encoded) {
  RgbImage image;
  decode_image(encoded, image);
  return image;
}

bool decode_image_of_size(Bytes encoded, ImageSize expected, uint8_t* rgb) {
  bool fits = false;
  decode_to(encoded, [&](ImageSize size) {
    fits = size == expected;
    return fits ? rgb : nullptr;
  });
  return fits;
}

bool concerns_image(const Error& error) {
  return error.kind() == ErrorKind::kData || error.kind() == ErrorKind::kMissingInput;
}

}  // namespace uir
