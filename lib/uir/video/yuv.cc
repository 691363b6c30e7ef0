#include "uir/video/yuv.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "uir/base/multiversion.h"

namespace uir {
namespace {

constexpr int kBits = 14;

// A row of chroma at the width of the luma.
void spread(const uint8_t* chroma, int step, int halvings, int width, int16_t* out) {
  if (step == 1 && halvings == 1) {
    for (int x = 0; x + 1 < width; x += 2) out[x] = out[x + 1] = static_cast<int16_t>(chroma[x / 2] - 128);
    if (width % 2) out[width - 1] = static_cast<int16_t>(chroma[width / 2] - 128);
    return;
  }
  for (int x = 0; x < width; ++x) out[x] = static_cast<int16_t>(chroma[(x >> halvings) * step] - 128);
}

UIR_INLINE uint8_t byte_of(int32_t value) {
  return static_cast<uint8_t>(std::clamp((value + (1 << (kBits - 1))) >> kBits, 0, 255));
}

UIR_MULTIVERSION void convert_row(const uint8_t* y, const int16_t* u, const int16_t* v, YuvWeights w,
                                  int width, uint8_t* rgb) {
  for (int x = 0; x < width; ++x) {
    const int32_t luma = (y[x] - w.black) * w.y;
    rgb[3 * x] = byte_of(luma + w.r_v * v[x]);
    rgb[3 * x + 1] = byte_of(luma + w.g_u * u[x] + w.g_v * v[x]);
    rgb[3 * x + 2] = byte_of(luma + w.b_u * u[x]);
  }
}

}  // namespace

YuvWeights yuv_weights(double red, double blue, bool full_range) {
  const double luma = full_range ? 1 : 255.0 / 219, chroma = full_range ? 1 : 255.0 / 224,
               green = 1 - red - blue;
  const auto weight = [](double value) { return static_cast<int32_t>(std::lround(value * (1 << kBits))); };
  return {weight(luma),
          weight(2 * (1 - red) * chroma),
          weight(-2 * (1 - blue) * blue / green * chroma),
          weight(-2 * (1 - red) * red / green * chroma),
          weight(2 * (1 - blue) * chroma),
          full_range ? 0 : 16};
}

void yuv_to_rgb(const YuvPlanes& planes, const YuvWeights& weights, ImageSize size, uint8_t* rgb) {
  std::vector<int16_t> u(static_cast<size_t>(size.width)), v(u.size());
  for (int y = 0; y < size.height; ++y, rgb += static_cast<std::ptrdiff_t>(size.width) * 3) {
    const int chroma_y = y >> planes.halvings_y;
    if (planes.u && (y == 0 || chroma_y != (y - 1) >> planes.halvings_y)) {
      spread(planes.u + chroma_y * planes.u_stride, planes.chroma_step, planes.halvings_x, size.width,
             u.data());
      spread(planes.v + chroma_y * planes.v_stride, planes.chroma_step, planes.halvings_x, size.width,
             v.data());
    }
    convert_row(planes.y + y * planes.y_stride, u.data(), v.data(), weights, size.width, rgb);
  }
}

}  // namespace uir
