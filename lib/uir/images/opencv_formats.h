// PNG, BMP and WebP, decoded by OpenCV. Their headers are read here, so that no limit depends on OpenCV,
// which also takes some truncated files and writes to the standard error output about others.
//
// Shapes: pixels as in decode.h; of 16 bits the higher 8. Of an animated PNG its still image is read, as by
// every reader of PNG.
// Errors: kData for files that are not whole, and for animated WebP. Threads: thread-safe.
#pragma once

#include <cstdint>

#include "uir/base/file.h"
#include "uir/images/decode.h"
#include "uir/images/image_format.h"

namespace uir {

ImageSize probe_with_opencv(Bytes encoded, ImageFormat format);
// size: that of the probe.
void decode_with_opencv(Bytes encoded, ImageFormat format, ImageSize size, uint8_t* rgb);

}  // namespace uir
