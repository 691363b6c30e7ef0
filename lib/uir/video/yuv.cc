#include "uir/video/yuv.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "uir/base/multiversion.h"

namespace uir {
namespace {

constexpr int kBits = 14, kKept = 5;  // of a weight; of a weighed value

// What chroma adds to red, green and blue along a row.
struct ChromaRow {
  explicit ChromaRow(size_t width) : red(width), green(width), blue(width) {}
  std::vector<int16_t> red, green, blue;
};

UIR_INLINE int16_t kept(int32_t weighed) {
  constexpr int kDropped = kBits - kKept;
  return static_cast<int16_t>((weighed + (1 << (kDropped - 1))) >> kDropped);
}

UIR_MULTIVERSION void weigh(const uint8_t* u, const uint8_t* v, int step, int count, YuvWeights w,
                            int16_t* red, int16_t* green, int16_t* blue) {
  for (int i = 0; i < count; ++i) {
    const int32_t cb = u[i * step] - 128, cr = v[i * step] - 128;
    red[i] = kept(w.r_v * cr);
    green[i] = kept(w.g_u * cb + w.g_v * cr);
    blue[i] = kept(w.b_u * cb);
  }
}

// One sample for the 2^halvings pixels that share it.
UIR_MULTIVERSION void spread(const int16_t* samples, int halvings, int width, int16_t* out) {
  if (halvings == 1) {
    for (int i = 0; i < width / 2; ++i) out[2 * i] = out[2 * i + 1] = samples[i];
    if (width % 2) out[width - 1] = samples[width / 2];
    return;
  }
  for (int x = 0; x < width; ++x) out[x] = samples[x >> halvings];
}

void read_chroma(const YuvPlanes& planes, int row, const YuvWeights& w, int width, ChromaRow& samples,
                 ChromaRow& out) {
  const int count = (width + (1 << planes.halvings_x) - 1) >> planes.halvings_x;
  weigh(planes.u + row * planes.u_stride, planes.v + row * planes.v_stride, planes.chroma_step, count, w,
        samples.red.data(), samples.green.data(), samples.blue.data());
  spread(samples.red.data(), planes.halvings_x, width, out.red.data());
  spread(samples.green.data(), planes.halvings_x, width, out.green.data());
  spread(samples.blue.data(), planes.halvings_x, width, out.blue.data());
}

UIR_INLINE uint8_t byte_of(int16_t value) {
  return static_cast<uint8_t>(std::clamp<int16_t>(static_cast<int16_t>(value >> kKept), 0, 255));
}

// Plane by plane first: the compiler's vectors like that better than threes.
UIR_MULTIVERSION void convert_row(const uint8_t* y, const int16_t* red, const int16_t* green,
                                  const int16_t* blue, YuvWeights w, int width, uint8_t* rgb) {
  constexpr int kBlock = 256;
  const auto weight = static_cast<int16_t>(w.y), black = static_cast<int16_t>(w.black);
  uint8_t r[kBlock], g[kBlock], b[kBlock];
  for (int begin = 0; begin < width; begin += kBlock) {
    const int count = std::min(kBlock, width - begin);
    for (int x = 0; x < count; ++x) {
      const auto raised = static_cast<int16_t>((y[begin + x] - black) * (1 << (16 - kBits + kKept)));
      const auto luma = static_cast<int16_t>(((raised * weight) >> 16) + (1 << (kKept - 1)));
      r[x] = byte_of(static_cast<int16_t>(luma + red[begin + x]));
      g[x] = byte_of(static_cast<int16_t>(luma + green[begin + x]));
      b[x] = byte_of(static_cast<int16_t>(luma + blue[begin + x]));
    }
    uint8_t* out = rgb + 3 * begin;
    for (int x = 0; x < count; ++x) {
      out[3 * x] = r[x];
      out[3 * x + 1] = g[x];
      out[3 * x + 2] = b[x];
    }
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
  ChromaRow samples(static_cast<size_t>(size.width)), chroma = samples;
  for (int y = 0; y < size.height; ++y, rgb += static_cast<std::ptrdiff_t>(size.width) * 3) {
    const int row = y >> planes.halvings_y;
    if (planes.u && (y == 0 || row != (y - 1) >> planes.halvings_y))
      read_chroma(planes, row, weights, size.width, samples, chroma);
    convert_row(planes.y + y * planes.y_stride, chroma.red.data(), chroma.green.data(), chroma.blue.data(),
                weights, size.width, rgb);
  }
}

}  // namespace uir
