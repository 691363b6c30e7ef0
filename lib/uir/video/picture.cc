#include "uir/video/picture.h"

#include <algorithm>
#include <array>
#include <optional>

#include "uir/base/error.h"
#include "uir/video/display.h"
#include "uir/video/libav.h"
#include "uir/video/yuv.h"

namespace uir {
namespace {

bool swaps_sides(Orientation orientation) { return static_cast<int>(orientation) >= 5; }

// Those that neither the conversion here nor libswscale knows.
void refuse_unknown_colors(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_YCGCO:
    case AVCOL_SPC_SMPTE2085:
    case AVCOL_SPC_CHROMA_DERIVED_NCL:
    case AVCOL_SPC_CHROMA_DERIVED_CL:
    case AVCOL_SPC_ICTCP:
      break;
    default:
      return;
  }
  const AVPixFmtDescriptor* format = ::av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  if (format && (format->flags & AV_PIX_FMT_FLAG_RGB)) return;
  fail(ErrorKind::kData, "colours coded as ", ::av_color_space_name(frame.colorspace),
       ", which are not read; convert the video to BT.709");
}

}  // namespace

std::optional<YuvPlanes> planes_of(const AVFrame& frame) {
  const AVPixFmtDescriptor* format = ::av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  constexpr uint64_t kOther =
      AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL;
  if (!format || (format->flags & kOther) || frame.linesize[0] < frame.width) return std::nullopt;
  const int colors = format->nb_components < 3 ? 1 : 3;
  for (int i = 0; i < colors; ++i) {
    if (format->comp[i].depth != 8 || format->comp[i].shift != 0 || (i == 0) != (format->comp[i].plane == 0))
      return std::nullopt;
  }
  YuvPlanes planes;
  planes.y = frame.data[0];
  planes.y_stride = frame.linesize[0];
  if (format->comp[0].step != 1) return std::nullopt;
  if (colors == 1) return planes;
  const auto &u = format->comp[1], &v = format->comp[2];
  if (u.step != v.step || frame.linesize[u.plane] < 0 || frame.linesize[v.plane] < 0) return std::nullopt;
  planes.u = frame.data[u.plane] + u.offset;
  planes.v = frame.data[v.plane] + v.offset;
  planes.u_stride = frame.linesize[u.plane];
  planes.v_stride = frame.linesize[v.plane];
  planes.chroma_step = u.step;
  planes.halvings_x = format->log2_chroma_w;
  planes.halvings_y = format->log2_chroma_h;
  return planes;
}

struct PictureConverter::Impl {
  AVFormatContext* context = nullptr;
  AVStream* stream = nullptr;
  std::optional<Orientation> track_orientation;
  libav::Owner<SwsContext> scaler;
  std::array<int, 5> scaled{};  // what the scaler was made for
  ColorCoding coding;
  RgbImage stored;

  static std::optional<Orientation> orientation_of(const int32_t* matrix) {
    if (!matrix) return std::nullopt;
    return orientation_of_matrix(matrix[0], matrix[1], matrix[3], matrix[4]);
  }
  Orientation orientation(const AVFrame& frame) const {
    if (track_orientation) return *track_orientation;
    return orientation_of(libav::display_matrix_of(frame)).value_or(Orientation::kAsStored);
  }

  // With square pixels, not yet turned.
  ImageSize square_size(const AVFrame& frame) const {
    const AVRational aspect = ::av_guess_sample_aspect_ratio(context, stream, const_cast<AVFrame*>(&frame));
    const ImageSize size = with_square_pixels({frame.width, frame.height}, aspect.num, aspect.den);
    if (size.width < 1 || size.height < 1 || size.width > kMaxImageSide || size.height > kMaxImageSide ||
        int64_t{size.width} * size.height > kMaxImagePixels)
      fail(ErrorKind::kData, "frames of ", size.width, "x", size.height, " pixels");
    return size;
  }

  void to_rgb(const AVFrame& frame, ImageSize size, RgbImage& rgb) {
    constexpr size_t kOverrun = 64;  // libswscale may write so far behind the last row
    rgb.size = size;
    rgb.pixels.reserve(size.num_bytes() + kOverrun);
    rgb.pixels.resize(size.num_bytes());
    const ColorCoding colors = color_coding_of(frame);
    const auto planes = planes_of(frame);
    if (planes && size == ImageSize{frame.width, frame.height}) {
      yuv_to_rgb(*planes, yuv_weights(colors.red, colors.blue, colors.full_range), size, rgb.pixels.data());
    } else {
      scale(frame, colors, rgb);
    }
  }

  void scale(const AVFrame& frame, const ColorCoding& colors, RgbImage& rgb) {
    prepare(frame, colors, rgb.size);
    uint8_t* rows[4] = {rgb.pixels.data()};
    const int strides[4] = {rgb.size.width * 3};
    ::sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, rows, strides);
  }

  void prepare(const AVFrame& frame, const ColorCoding& colors, ImageSize size) {
    const std::array<int, 5> wanted{frame.width, frame.height, frame.format, size.width, size.height};
    if (scaler && scaled == wanted && coding == colors) return;
    constexpr int kExact =
        SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
    const auto format = static_cast<AVPixelFormat>(frame.format);
    scaler.reset(::sws_getContext(frame.width, frame.height, format, size.width, size.height,
                                  AV_PIX_FMT_RGB24, kExact, nullptr, nullptr, nullptr));
    if (!scaler) {
      const char* name = ::av_get_pix_fmt_name(format);
      fail(ErrorKind::kData, "frames of pixel format ", name ? name : "?",
           ", which this libswscale cannot read");
    }
    ::sws_setColorspaceDetails(scaler.get(), ::sws_getCoefficients(colors.sws_matrix), colors.full_range,
                               ::sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
    scaled = wanted;
    coding = colors;
  }
};

PictureConverter::PictureConverter() : impl_(std::make_unique<Impl>()) {}
PictureConverter::~PictureConverter() = default;

void PictureConverter::begin(AVFormatContext& context, AVStream& stream) {
  impl_->context = &context;
  impl_->stream = &stream;
  impl_->track_orientation = Impl::orientation_of(libav::display_matrix_of(stream));
}

ImageSize ShownAs::size() const {
  return swaps_sides(orientation) ? ImageSize{square.height, square.width} : square;
}

ShownAs PictureConverter::shown_as(const AVFrame& frame) const {
  refuse_unknown_colors(frame);
  return {impl_->square_size(frame), impl_->orientation(frame)};
}

void PictureConverter::convert(const AVFrame& frame, const ShownAs& shown, RgbImage& picture) {
  if (shown.orientation == Orientation::kAsStored) return impl_->to_rgb(frame, shown.square, picture);
  impl_->to_rgb(frame, shown.square, impl_->stored);
  turn_upright(impl_->stored, shown.orientation, picture);
}

}  // namespace uir
