#include "uir/data/augment.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>

#include "uir/base/random.h"
#include "uir/images/decode.h"
#include "uir/pixels/pixels.h"

namespace uir {
namespace {

constexpr int kSide = static_cast<int>(kImageSize);

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)); }

// A rectangle with the given share of the image's area, aspect ratio 1 / stretch … stretch, at a random
// place.
cv::Rect random_rectangle(ItemRandom& random, double area, double stretch) {
  const double root = std::sqrt(area), ratio = std::pow(stretch, random.uniform(-0.5, 0.5));
  const auto side = [](double share) {
    return std::clamp(static_cast<int>(std::lround(share * kSide)), 1, kSide);
  };
  const int width = side(root * ratio), height = side(root / ratio);
  const auto place = [&](int length) {
    return static_cast<int>(random.below(static_cast<uint64_t>(kSide - length + 1)));
  };
  const int x = place(width);
  return {x, place(height), width, height};
}

void crop(const AugmentConfig& config, ItemRandom& random, cv::Mat& face) {
  const cv::Rect part = random_rectangle(random, random.uniform(config.crop_min_area, 1), 4.0 / 3);
  cv::resize(face(part).clone(), face, face.size(), 0, 0, cv::INTER_LINEAR);
}

void change_color(const AugmentConfig& config, ItemRandom& random, cv::Mat& face) {
  const auto factor = [&] { return 1 + config.color_strength * random.uniform(-1, 1); };
  const double brightness = factor(), contrast = factor(), saturation = factor();
  const cv::Scalar mean = cv::mean(face);
  const double middle = 0.299 * mean[0] + 0.587 * mean[1] + 0.114 * mean[2];
  for (uint8_t* p = face.data; p != face.data + kImageBytes; p += 3) {
    const double grey = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
    for (int c = 0; c < 3; ++c) {
      const double colored = grey + saturation * (p[c] - grey);
      p[c] = to_byte(brightness * (middle + contrast * (colored - middle)));
    }
  }
}

void lower_resolution(ItemRandom& random, cv::Mat& face) {
  const int side = static_cast<int>(std::lround(kSide / random.uniform(1.5, 5)));
  cv::Mat small;
  cv::resize(face, small, {side, side}, 0, 0, cv::INTER_AREA);
  cv::resize(small, face, face.size(), 0, 0, random.chance(0.5) ? cv::INTER_LINEAR : cv::INTER_CUBIC);
}

void blur_by_motion(ItemRandom& random, cv::Mat& face) {
  const int reach = 1 + static_cast<int>(random.below(4));
  const double angle = random.uniform(0, std::numbers::pi);
  cv::Mat kernel = cv::Mat::zeros(2 * reach + 1, 2 * reach + 1, CV_32F);
  for (double t = -reach; t <= reach; t += 0.25) {
    kernel.at<float>(reach + static_cast<int>(std::lround(t * std::sin(angle))),
                     reach + static_cast<int>(std::lround(t * std::cos(angle)))) = 1;
  }
  kernel /= cv::sum(kernel)[0];
  cv::filter2D(face.clone(), face, -1, kernel, {-1, -1}, 0, cv::BORDER_REPLICATE);
}

void blur(ItemRandom& random, cv::Mat& face) {
  if (random.chance(0.5)) return blur_by_motion(random, face);
  cv::GaussianBlur(face.clone(), face, {0, 0}, random.uniform(0.5, 2), 0, cv::BORDER_REPLICATE);
}

void recompress(ItemRandom& random, cv::Mat& face) {
  const ImageSize size{kSide, kSide};
  const std::vector<std::byte> jpeg = encode_jpeg(face.data, size, 20 + static_cast<int>(random.below(56)));
  decode_image_of_size(jpeg, size, face.data);
}

void occlude(ItemRandom& random, cv::Mat& face) {
  const cv::Rect part = random_rectangle(random, random.uniform(0.05, 0.25), 2);
  face(part).setTo(cv::Scalar::all(static_cast<double>(random.below(256))));
}

#if defined(__x86_64__)
// Five pixels at a time; the sixteenth byte is overwritten by the five after them. OpenCV's flip has no
// vector code for three channels: it takes 4 to 8 times as long, some 4 % of what decoding takes.
__attribute__((target("ssse3"))) void mirror_with_ssse3(const uint8_t* from, uint8_t* to) {
  constexpr int kRow = kSide * 3, kStep = 15;
  const __m128i order = _mm_setr_epi8(12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2, 15);
  for (int y = 0; y < kSide; ++y, from += kRow, to += kRow) {
    int at = 0;
    for (; at + kStep < kRow; at += kStep) {
      const auto* five = reinterpret_cast<const __m128i*>(from + kRow - kStep - at);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + at), _mm_shuffle_epi8(_mm_loadu_si128(five), order));
    }
    for (; at < kRow; at += 3) std::memcpy(to + at, from + kRow - 3 - at, 3);
  }
}
#endif

}  // namespace

void mirror_face(uint8_t* rgb) {
  std::array<uint8_t, kImageBytes + 1> copy;  // the last five pixels are read as 16 bytes
  std::memcpy(copy.data(), rgb, kImageBytes);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("ssse3")) return mirror_with_ssse3(copy.data(), rgb);
#endif
  const cv::Mat from(kSide, kSide, CV_8UC3, copy.data());
  cv::Mat to(kSide, kSide, CV_8UC3, rgb);
  cv::flip(from, to, 1);
}

void augment_face(const AugmentConfig& config, uint64_t seed, uint64_t epoch, int64_t row, uint8_t* rgb) {
  ItemRandom random(seed, RandomPurpose::kAugment, epoch, static_cast<uint64_t>(row));
  cv::Mat face(kSide, kSide, CV_8UC3, rgb);
  if (random.chance(0.5) && config.mirror) mirror_face(rgb);
  if (random.chance(config.crop)) crop(config, random, face);
  if (random.chance(config.color)) change_color(config, random, face);
  if (random.chance(config.low_resolution)) lower_resolution(random, face);
  if (random.chance(config.blur)) blur(random, face);
  if (random.chance(config.jpeg)) recompress(random, face);
  if (random.chance(config.occlusion)) occlude(random, face);
}

}  // namespace uir
