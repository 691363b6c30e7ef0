#include "support/video_files.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "uir/base/file.h"
#include "uir/video/video_reader.h"

namespace {

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error("making a test video: " + what);
}

AVDictionary* dictionary(const std::map<std::string, std::string>& options) {
  AVDictionary* result = nullptr;
  for (const auto& [key, value] : options) av_dict_set(&result, key.c_str(), value.c_str(), 0);
  return result;
}

// Generic in the bytes, which FFmpeg 7 made const.
constexpr auto kWriteBytes = [](void* opaque, auto* bytes, int count) -> int {
  const auto size = static_cast<size_t>(count);
  return std::fwrite(bytes, 1, size, static_cast<std::FILE*>(opaque)) == size ? count : AVERROR(EIO);
};
int64_t seek_file(void* opaque, int64_t offset, int whence) {
  if (whence == AVSEEK_SIZE) return -1;
  auto* file = static_cast<std::FILE*>(opaque);
  std::fseek(file, static_cast<long>(offset), whence & ~AVSEEK_FORCE);
  return std::ftell(file);
}

void set_matrix(AVStream& stream, const std::array<int, 4>& m) {
  if (m == std::array<int, 4>{1, 0, 0, 1}) return;
  const std::array<int32_t, 9> matrix{m[0] << 16, m[1] << 16, 0, m[2] << 16, m[3] << 16, 0, 0, 0, 1 << 30};
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)
  AVPacketSideData* data =
      av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data,
                              AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix, 0);
  std::memcpy(data->data, matrix.data(), sizeof matrix);
#else
  std::memcpy(av_stream_new_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix), matrix.data(),
              sizeof matrix);
#endif
}

class Writer {
 public:
  Writer(const std::filesystem::path& path, const VideoRecipe& recipe, cv::Size size) : recipe_(recipe) {
    if (path.has_parent_path()) uir::create_folders(path.parent_path());
    avformat_alloc_output_context2(
        &format_, nullptr, recipe.container.empty() ? nullptr : recipe.container.c_str(), path.c_str());
    require(format_ != nullptr, "container of " + path.string());
    format_->flags |= AVFMT_FLAG_BITEXACT;
    if (recipe.pictures) open_pictures(size);
    if (recipe.sound_seconds > 0) open_sound();
    if (recipe.cover) add_cover_track();
    file_ = std::fopen(path.c_str(), "wb+");
    require(file_ != nullptr, path.string());
    std::setvbuf(file_, nullptr, _IONBF, 0);  // the muxer may read what it wrote through another descriptor
    format_->pb = avio_alloc_context(static_cast<unsigned char*>(av_malloc(65536)), 65536, 1, file_, nullptr,
                                     kWriteBytes, recipe.to_pipe ? nullptr : seek_file);
    AVDictionary* options = dictionary(recipe.container_options);
    require(avformat_write_header(format_, &options) >= 0, "header");
    av_dict_free(&options);
    if (recipe.cover) write_cover();
  }
  ~Writer() {
    avcodec_free_context(&encoder_);
    avcodec_free_context(&sound_encoder_);
    if (format_) {
      if (format_->pb) {
        av_freep(&format_->pb->buffer);
        avio_context_free(&format_->pb);
      }
      avformat_free_context(format_);
    }
    if (file_) std::fclose(file_);
  }

  void write(int frames, cv::Size size) {
    for (int n = 0; recipe_.pictures && n < frames; ++n) {
      const cv::Size wanted = recipe_.size_at ? recipe_.size_at(n) : size;
      if (wanted != cv::Size(encoder_->width, encoder_->height)) {
        encode(nullptr);
        avcodec_free_context(&encoder_);
        open_encoder(wanted);
      }
      const int64_t stamp = recipe_.stamps.empty() ? n : recipe_.stamps.at(static_cast<size_t>(n));
      write_sound_until(static_cast<double>(stamp) * recipe_.time_base[0] / recipe_.time_base[1]);
      AVFrame* frame = picture(n, wanted);
      frame->pts = stamp;
      encode(frame);
      av_frame_free(&frame);
    }
    if (recipe_.pictures) encode(nullptr);
    write_sound_until(1e9);
    require(av_write_trailer(format_) >= 0, "trailer");
    avio_flush(format_->pb);
  }

 private:
  void open_pictures(cv::Size size) {
    pictures_ = avformat_new_stream(format_, nullptr);
    open_encoder(size);
    avcodec_parameters_from_context(pictures_->codecpar, encoder_);
    pictures_->time_base = encoder_->time_base;
    pictures_->avg_frame_rate = {recipe_.time_base[1], recipe_.time_base[0]};
    pictures_->sample_aspect_ratio = encoder_->sample_aspect_ratio;
    set_matrix(*pictures_, recipe_.matrix);
  }

  void open_encoder(cv::Size size) {
    const AVCodec* codec = avcodec_find_encoder_by_name(recipe_.codec.c_str());
    require(codec != nullptr, "no encoder " + recipe_.codec);
    encoder_ = avcodec_alloc_context3(codec);
    encoder_->width = size.width;
    encoder_->height = size.height;
    encoder_->pix_fmt = av_get_pix_fmt(recipe_.pixel_format.c_str());
    encoder_->time_base = {recipe_.time_base[0], recipe_.time_base[1]};
    encoder_->sample_aspect_ratio = {recipe_.aspect[0], recipe_.aspect[1]};
    encoder_->colorspace = static_cast<AVColorSpace>(recipe_.color_space);
    const bool full_range = recipe_.full_range || recipe_.pixel_format.starts_with("yuvj");
    encoder_->color_range = full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_UNSPECIFIED;
    encoder_->thread_count = 1;
    encoder_->flags |= AV_CODEC_FLAG_BITEXACT;
    if (format_->oformat->flags & AVFMT_GLOBALHEADER) encoder_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (recipe_.codec == "mjpeg") {
      encoder_->flags |= AV_CODEC_FLAG_QSCALE;
      encoder_->global_quality = 2 * FF_QP2LAMBDA;
    }
    AVDictionary* options = dictionary(recipe_.options);
    require(avcodec_open2(encoder_, codec, &options) >= 0, "encoder " + recipe_.codec);
    av_dict_free(&options);
  }

  AVFrame* picture(int number, cv::Size size) const {
    AVFrame* frame = av_frame_alloc();
    frame->width = size.width;
    frame->height = size.height;
    frame->format = encoder_->pix_fmt;
    require(av_frame_get_buffer(frame, 0) >= 0, "frame");
    if (recipe_.codec == "mjpeg") frame->quality = encoder_->global_quality;
    if (recipe_.paint) {
      recipe_.paint(*frame, number);
      return frame;
    }
    const cv::Mat drawn = drawn_frame(number, size);
    SwsContext* scaler =
        sws_getContext(size.width, size.height, AV_PIX_FMT_BGR24, size.width, size.height, encoder_->pix_fmt,
                       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr);
    const int range = encoder_->color_range == AVCOL_RANGE_JPEG;
    const int* matrix =
        sws_getCoefficients(encoder_->colorspace == AVCOL_SPC_BT709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
    sws_setColorspaceDetails(scaler, matrix, 1, matrix, range, 0, 1 << 16, 1 << 16);
    const uint8_t* rows[4] = {drawn.data};
    const int strides[4] = {static_cast<int>(drawn.step)};
    sws_scale(scaler, rows, strides, 0, size.height, frame->data, frame->linesize);
    sws_freeContext(scaler);
    return frame;
  }

  void encode(const AVFrame* frame) {
    require(avcodec_send_frame(encoder_, frame) >= 0, "encode");
    AVPacket* packet = av_packet_alloc();
    while (avcodec_receive_packet(encoder_, packet) == 0) {
      packet->stream_index = pictures_->index;
      if (packet->duration == 0) packet->duration = 1;
      av_packet_rescale_ts(packet, encoder_->time_base, pictures_->time_base);
      require(av_interleaved_write_frame(format_, packet) >= 0, "packet");
    }
    av_packet_free(&packet);
  }

  // Silence, uncompressed where the container takes it, else MPEG layer 2.
  void open_sound() {
    sound_ = avformat_new_stream(format_, nullptr);
    const std::string name = format_->oformat->name;
    const bool raw = name == "matroska" || name == "avi" || name == "mov";
    const AVCodec* codec = avcodec_find_encoder(raw ? AV_CODEC_ID_PCM_S16LE : AV_CODEC_ID_MP2);
    sound_encoder_ = avcodec_alloc_context3(codec);
    sound_encoder_->sample_rate = 8000 * (raw ? 1 : 4);
    sound_encoder_->sample_fmt = AV_SAMPLE_FMT_S16;
    sound_encoder_->bit_rate = 64000;
    sound_encoder_->time_base = {1, sound_encoder_->sample_rate};
    av_channel_layout_default(&sound_encoder_->ch_layout, 1);
    require(avcodec_open2(sound_encoder_, codec, nullptr) >= 0, "sound");
    avcodec_parameters_from_context(sound_->codecpar, sound_encoder_);
    sound_->time_base = sound_encoder_->time_base;
  }

  void write_sound_until(double seconds) {
    if (!sound_) return;
    const int rate = sound_encoder_->sample_rate,
              block = sound_encoder_->frame_size ? sound_encoder_->frame_size : 800;
    for (;; samples_ += block) {
      const double now = static_cast<double>(samples_) / rate;
      if (now >= seconds || now >= recipe_.sound_seconds) return;
      AVFrame* frame = av_frame_alloc();
      frame->nb_samples = block;
      frame->format = AV_SAMPLE_FMT_S16;
      frame->sample_rate = rate;
      av_channel_layout_default(&frame->ch_layout, 1);
      av_frame_get_buffer(frame, 0);
      std::memset(frame->data[0], 0, static_cast<size_t>(block) * 2);
      frame->pts = samples_ + static_cast<int64_t>(recipe_.sound_start * rate);
      require(avcodec_send_frame(sound_encoder_, frame) >= 0, "sound");
      av_frame_free(&frame);
      AVPacket* packet = av_packet_alloc();
      while (avcodec_receive_packet(sound_encoder_, packet) == 0) {
        packet->stream_index = sound_->index;
        av_packet_rescale_ts(packet, sound_encoder_->time_base, sound_->time_base);
        require(av_interleaved_write_frame(format_, packet) >= 0, "sound packet");
      }
      av_packet_free(&packet);
    }
  }

  void add_cover_track() {
    cover_ = avformat_new_stream(format_, nullptr);
    cover_->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    cover_->codecpar->codec_id = AV_CODEC_ID_MJPEG;
    cover_->codecpar->width = cover_->codecpar->height = 64;
    cover_->codecpar->format = AV_PIX_FMT_YUVJ420P;
    cover_->disposition = AV_DISPOSITION_ATTACHED_PIC;
  }
  void write_cover() {
    std::vector<uint8_t> pixels(64 * 64 * 3, 200);
    const std::vector<std::byte> jpeg = uir::encode_jpeg(pixels.data(), {64, 64}, 90);
    AVPacket* packet = av_packet_alloc();
    av_new_packet(packet, static_cast<int>(jpeg.size()));
    std::memcpy(packet->data, jpeg.data(), jpeg.size());
    packet->stream_index = cover_->index;
    packet->pts = packet->dts = 0;
    packet->flags |= AV_PKT_FLAG_KEY;
    require(av_interleaved_write_frame(format_, packet) >= 0, "cover");
    av_packet_free(&packet);
  }

  const VideoRecipe& recipe_;
  AVFormatContext* format_ = nullptr;
  AVCodecContext *encoder_ = nullptr, *sound_encoder_ = nullptr;
  AVStream *pictures_ = nullptr, *sound_ = nullptr, *cover_ = nullptr;
  std::FILE* file_ = nullptr;
  int64_t samples_ = 0;
};

}  // namespace

cv::Mat drawn_frame(int number, cv::Size size, int seed) {
  cv::Mat frame(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      frame.at<cv::Vec3b>(y, x) = {static_cast<uint8_t>((x + 5 * number) % 200 + seed),
                                   static_cast<uint8_t>((y + 11 * number) % 180),
                                   static_cast<uint8_t>((17 * number + x / 4 + y / 4) % 240)};
    }
  }
  return frame;
}

bool has_encoder(const std::string& name) { return avcodec_find_encoder_by_name(name.c_str()) != nullptr; }

void write_video(const std::filesystem::path& path, const VideoRecipe& recipe, int frames, cv::Size size) {
  av_log_set_level(AV_LOG_ERROR);
  Writer(path, recipe, recipe.size_at ? recipe.size_at(0) : size).write(frames, size);
}

void write_video(const std::filesystem::path& path, int frames, cv::Size size, int seed) {
  std::vector<cv::Mat> drawn;
  for (int n = 0; n < frames; ++n) drawn.push_back(drawn_frame(n, size, seed));
  write_video(path, drawn);
}

void write_video(const std::filesystem::path& path, const std::vector<cv::Mat>& frames) {
  VideoRecipe recipe;
  recipe.paint = [&](AVFrame& frame, int number) {
    SwsContext* scaler = sws_getContext(
        frame.width, frame.height, AV_PIX_FMT_BGR24, frame.width, frame.height, AV_PIX_FMT_YUVJ420P,
        SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr);
    const cv::Mat& drawn = frames[static_cast<size_t>(number)];
    const uint8_t* rows[4] = {drawn.data};
    const int strides[4] = {static_cast<int>(drawn.step)};
    sws_scale(scaler, rows, strides, 0, frame.height, frame.data, frame.linesize);
    sws_freeContext(scaler);
  };
  write_video(path, recipe, static_cast<int>(frames.size()), frames.front().size());
}

std::vector<cv::Mat> frames_in_order(const std::filesystem::path& path) {
  uir::VideoReader reader(path);
  std::vector<cv::Mat> frames;
  while (reader.next()) {
    const uir::RgbImage& image = reader.picture();
    cv::Mat view(image.size.height, image.size.width, CV_8UC3, const_cast<uint8_t*>(image.pixels.data()));
    frames.push_back(view.clone());
  }
  return frames;
}

bool same_pixels(const uir::RgbImage& image, const cv::Mat& frame) {
  return image.size == uir::ImageSize{frame.cols, frame.rows} &&
         std::memcmp(image.pixels.data(), frame.data, image.pixels.size()) == 0;
}

uir::RgbImage to_image(const cv::Mat& frame) {
  return {{frame.cols, frame.rows}, {frame.data, frame.data + frame.total() * 3}};
}

double distance(const uir::RgbImage& image, const cv::Mat& bgr) {
  if (image.size != uir::ImageSize{bgr.cols, bgr.rows}) return 255;
  double sum = 0;
  for (size_t i = 0; i < image.pixels.size(); ++i)
    sum += std::abs(image.pixels[i] - bgr.data[i / 3 * 3 + (2 - i % 3)]);
  return sum / static_cast<double>(image.pixels.size());
}
