#include "uir/images/warp.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "uir/pixels/pixels.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace uir {
namespace {

constexpr int kPlaceBits = 24, kFractionBits = 11, kDropped = kPlaceBits - kFractionBits;
constexpr int32_t kOne = 1 << kFractionBits;

int64_t to_fixed(double pixels) {
  constexpr double kFarthest = 1 << 30;
  return std::llround(std::clamp(pixels, -kFarthest, kFarthest) * (1 << kPlaceBits));
}

// A place of the image in units of 2^-24 pixel.
struct Place {
  int64_t x, y;
};

// Weighs the four pixels around a place.
class Sampler {
 public:
  explicit Sampler(const RgbImage& image)
      : pixels_(image.pixels.data()), width_(image.size.width), height_(image.size.height) {}

  // All four pixels around it are in the image, and one more beside them, which inner() may touch.
  bool inside(Place place) const {
    const int64_t i = rounded(place.x) >> kFractionBits, j = rounded(place.y) >> kFractionBits;
    return i >= 0 && j >= 0 && i + 2 < width_ && j + 1 < height_;
  }

  void inner(Place place, uint8_t* rgb) const {
    const int64_t x = rounded(place.x), y = rounded(place.y);
    const uint8_t* top = pixels_ + ((y >> kFractionBits) * width_ + (x >> kFractionBits)) * 3;
    const uint8_t* bottom = top + width_ * 3;
    blend(top, bottom, static_cast<int32_t>(x & (kOne - 1)), static_cast<int32_t>(y & (kOne - 1)), rgb);
  }

  void border(Place place, uint8_t* rgb) const {
    const int64_t x = rounded(place.x), y = rounded(place.y), i = x >> kFractionBits, j = y >> kFractionBits;
    const auto f = static_cast<int32_t>(x & (kOne - 1)), g = static_cast<int32_t>(y & (kOne - 1));
    for (int c = 0; c < 3; ++c)
      rgb[c] = blend(at(i, j, c), at(i + 1, j, c), at(i, j + 1, c), at(i + 1, j + 1, c), f, g);
  }

 private:
  static int64_t rounded(int64_t place) { return (place + (1 << (kDropped - 1))) >> kDropped; }

  static uint8_t blend(int32_t a, int32_t b, int32_t c, int32_t d, int32_t f, int32_t g) {
    const int32_t top = ((kOne - f) * a + f * b + 8) >> 4, bottom = ((kOne - f) * c + f * d + 8) >> 4;
    return static_cast<uint8_t>(((kOne - g) * top + g * bottom + (1 << 17)) >> 18);
  }

#if defined(__SSE2__)
  // The same of all three channels at once.
  static void blend(const uint8_t* top, const uint8_t* bottom, int32_t f, int32_t g, uint8_t* rgb) {
    const __m128i upper = between(top, f), lower = between(bottom, f);
    const __m128i both = _mm_packs_epi32(upper, lower);  // r g b · of the upper row, then of the lower one
    const __m128i pairs = _mm_unpacklo_epi16(both, _mm_srli_si128(both, 8));
    const __m128i sum = _mm_add_epi32(_mm_madd_epi16(pairs, weights(g)), _mm_set1_epi32(1 << 17));
    const __m128i value = _mm_srai_epi32(sum, 18);
    const auto bytes =
        static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_packus_epi16(_mm_packs_epi32(value, value), value)));
    rgb[0] = static_cast<uint8_t>(bytes);
    rgb[1] = static_cast<uint8_t>(bytes >> 8);
    rgb[2] = static_cast<uint8_t>(bytes >> 16);
  }
  static __m128i weights(int32_t fraction) { return _mm_set1_epi32(fraction << 16 | (kOne - fraction)); }
  // Between a pixel and its right neighbour; reads eight bytes.
  static __m128i between(const uint8_t* pixels, int32_t f) {
    const __m128i row =
        _mm_unpacklo_epi8(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(pixels)), _mm_setzero_si128());
    const __m128i pairs = _mm_unpacklo_epi16(row, _mm_srli_si128(row, 6));
    return _mm_srai_epi32(_mm_add_epi32(_mm_madd_epi16(pairs, weights(f)), _mm_set1_epi32(8)), 4);
  }
#else
  static void blend(const uint8_t* top, const uint8_t* bottom, int32_t f, int32_t g, uint8_t* rgb) {
    for (int c = 0; c < 3; ++c) rgb[c] = blend(top[c], top[c + 3], bottom[c], bottom[c + 3], f, g);
  }
#endif

  int32_t at(int64_t i, int64_t j, int c) const {
    return i >= 0 && j >= 0 && i < width_ && j < height_ ? pixels_[(j * width_ + i) * 3 + c] : 0;
  }

  const uint8_t* pixels_;
  int64_t width_, height_;
};

}  // namespace

Similarity inverse(const Similarity& s) {
  const double norm = s.a * s.a + s.b * s.b, a = s.a / norm, b = -s.b / norm;
  return {a, b, -(a * s.tx - b * s.ty), -(b * s.tx + a * s.ty)};
}

// Along a row the places that lie inside follow each other.
void warp(const RgbImage& image, const Similarity& to_face, uint8_t* rgb) {
  const Similarity back = inverse(to_face);
  const int64_t a = to_fixed(back.a), b = to_fixed(back.b), tx = to_fixed(back.tx), ty = to_fixed(back.ty);
  const Sampler sampler(image);
  for (int64_t y = 0; y < kImageSize; ++y) {
    const auto place = [&](int64_t x) { return Place{a * x - b * y + tx, b * x + a * y + ty}; };
    int64_t first = 0, last = kImageSize;
    while (first < last && !sampler.inside(place(first))) ++first;
    while (first < last && !sampler.inside(place(last - 1))) --last;
    for (int64_t x = 0; x < first; ++x) sampler.border(place(x), rgb + 3 * x);
    for (int64_t x = first; x < last; ++x) sampler.inner(place(x), rgb + 3 * x);
    for (int64_t x = last; x < kImageSize; ++x) sampler.border(place(x), rgb + 3 * x);
    rgb += kImageSize * 3;
  }
}

}  // namespace uir
