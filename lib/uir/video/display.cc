#include "uir/video/display.h"

#include <cstdlib>

#include "uir/video/libav.h"

namespace uir {
namespace {

struct Weights {
  double red, blue;
  int sws_matrix;
};

Weights weights_of(AVColorSpace space, int width, int height) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return {0.2126, 0.0722, SWS_CS_ITU709};
    case AVCOL_SPC_FCC:
      return {0.30, 0.11, SWS_CS_FCC};
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return {0.299, 0.114, SWS_CS_ITU601};
    case AVCOL_SPC_SMPTE240M:
      return {0.212, 0.087, SWS_CS_SMPTE240M};
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return {0.2627, 0.0593, SWS_CS_BT2020};
    default:
      return weights_of(width >= 1280 || height > 576 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M, width, height);
  }
}

bool has_full_range(const AVFrame& frame) {
  if (frame.color_range != AVCOL_RANGE_UNSPECIFIED) return frame.color_range == AVCOL_RANGE_JPEG;
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return false;
  }
}

}  // namespace

Orientation orientation_of_matrix(int64_t a, int64_t b, int64_t c, int64_t d) {
  const bool swaps_sides = std::abs(b) + std::abs(c) > std::abs(a) + std::abs(d);
  if (swaps_sides) {
    if (c >= 0) return b >= 0 ? Orientation::kTransposed : Orientation::kTurned270;
    return b >= 0 ? Orientation::kTurned90 : Orientation::kTransversed;
  }
  if (a >= 0) return d >= 0 ? Orientation::kAsStored : Orientation::kMirroredTurned180;
  return d >= 0 ? Orientation::kMirrored : Orientation::kTurned180;
}

ColorCoding color_coding_of(const AVFrame& frame) {
  const Weights weights = weights_of(frame.colorspace, frame.width, frame.height);
  return {weights.red, weights.blue, has_full_range(frame), weights.sws_matrix};
}

ImageSize with_square_pixels(ImageSize stored, int64_t num, int64_t den) {
  if (num <= 0 || den <= 0 || num == den) return stored;
  const auto scaled = [](int side, int64_t by, int64_t of) {
    return static_cast<int>(std::min<int64_t>((side * by + of / 2) / of, INT32_MAX));
  };
  if (num > den) return {scaled(stored.width, num, den), stored.height};
  return {stored.width, scaled(stored.height, den, num)};
}

}  // namespace uir
