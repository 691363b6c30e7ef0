#include "uir/video/video_frame.h"

#include <algorithm>

#include "uir/base/error.h"
#include "uir/video/kept_frame.h"

namespace uir {
namespace {

// The mean of samples^2 places of every cell of a plane.
void average_cells(const uint8_t* plane, std::ptrdiff_t stride, int step, ImageSize size, int samples,
                   uint8_t* cells) {
  const auto place = [samples](int cell, int sample, int cells_of_side, int side) {
    return static_cast<int>((int64_t{2} * (cell * samples + sample) + 1) * side /
                            (int64_t{2} * samples * cells_of_side));
  };
  for (int cell_y = 0; cell_y < kThumbnailHeight; ++cell_y) {
    for (int cell_x = 0; cell_x < kThumbnailWidth; ++cell_x) {
      int sum = 0;
      for (int i = 0; i < samples; ++i) {
        const uint8_t* row = plane + place(cell_y, i, kThumbnailHeight, size.height) * stride;
        for (int j = 0; j < samples; ++j) sum += row[place(cell_x, j, kThumbnailWidth, size.width) * step];
      }
      *cells++ = static_cast<uint8_t>(sum / (samples * samples));
    }
  }
}

constexpr size_t kCells = size_t{kThumbnailWidth} * kThumbnailHeight;

Thumbnail thumbnail_of(const YuvPlanes& planes, ImageSize size) {
  Thumbnail thumbnail;
  thumbnail.fill(128);
  average_cells(planes.y, planes.y_stride, 1, size, 4, thumbnail.data());
  if (!planes.u) return thumbnail;
  const auto halved = [](int side, int halvings) { return (side + (1 << halvings) - 1) >> halvings; };
  const ImageSize chroma{halved(size.width, planes.halvings_x), halved(size.height, planes.halvings_y)};
  average_cells(planes.u, planes.u_stride, planes.chroma_step, chroma, 2, thumbnail.data() + kCells);
  average_cells(planes.v, planes.v_stride, planes.chroma_step, chroma, 2, thumbnail.data() + 2 * kCells);
  return thumbnail;
}

// By the weights of JPEG: only differences between thumbnails of one film count.
Thumbnail thumbnail_of(const RgbImage& image) {
  std::array<std::array<uint8_t, kCells>, 3> rgb;
  for (size_t c = 0; c < 3; ++c) {
    average_cells(image.pixels.data() + c, std::ptrdiff_t{3} * image.size.width, 3, image.size, 4,
                  rgb[c].data());
  }
  Thumbnail thumbnail;
  for (size_t i = 0; i < kCells; ++i) {
    const double r = rgb[0][i], g = rgb[1][i], b = rgb[2][i], luma = 0.299 * r + 0.587 * g + 0.114 * b;
    thumbnail[i] = static_cast<uint8_t>(luma);
    thumbnail[kCells + i] = static_cast<uint8_t>(std::clamp(128 + 0.564 * (b - luma), 0., 255.));
    thumbnail[2 * kCells + i] = static_cast<uint8_t>(std::clamp(128 + 0.713 * (r - luma), 0., 255.));
  }
  return thumbnail;
}

}  // namespace

FrameFacts VideoFrame::facts() const {
  const ImageSize size = kept_->shown.size();
  return {kept_->ticks, size.width, size.height};
}

int64_t VideoFrame::duration() const { return kept_->duration; }

void VideoFrame::picture(RgbImage& image) const {
  try {
    PictureConverter().convert(*kept_->frame, kept_->shown, image);
  } catch (const Error& error) {
    throw error.at(kept_->path.string());
  }
}

Thumbnail VideoFrame::thumbnail() const {
  const AVFrame& frame = *kept_->frame;
  if (const auto planes = planes_of(frame)) return thumbnail_of(*planes, {frame.width, frame.height});
  RgbImage image;
  picture(image);
  return thumbnail_of(image);
}

}  // namespace uir
