// Which format an image has, by its first bytes; names of files do not count.
//
// Threads: thread-safe.
#pragma once

#include "uir/base/file.h"

namespace uir {

enum class ImageFormat { kJpeg, kPng, kBmp, kPnm, kWebp };

// kData, naming what it is as far as it can be told, for what decode_image does not read.
ImageFormat format_of(Bytes encoded);

}  // namespace uir
