// FFmpeg's libraries as C++: their objects have owners, and what differs between FFmpeg 5.1 and 7.x stands
// here. Only video/ includes this.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>

namespace uir::libav {

struct Free {
  void operator()(AVFormatContext* context) const { ::avformat_close_input(&context); }
  void operator()(AVCodecContext* context) const { ::avcodec_free_context(&context); }
  void operator()(AVPacket* packet) const { ::av_packet_free(&packet); }
  void operator()(AVFrame* frame) const { ::av_frame_free(&frame); }
  void operator()(SwsContext* context) const { ::sws_freeContext(context); }
  void operator()(AVIOContext* io) const {
    ::av_freep(static_cast<void*>(&io->buffer));
    ::avio_context_free(&io);
  }
};
template <class T>
using Owner = std::unique_ptr<T, Free>;

// The object, or std::bad_alloc.
template <class T>
Owner<T> owned(T* object) {
  if (!object) throw std::bad_alloc();
  return Owner<T>(object);
}

inline std::string error_text(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  ::av_strerror(code, text, sizeof text);
  return text;
}

inline bool is_key(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame.flags & AV_FRAME_FLAG_KEY) != 0;
#else
  return frame.key_frame != 0;
#endif
}

inline int64_t duration_of(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

// The nine numbers of the track's display matrix; null: it has none.
inline const int32_t* display_matrix_of(const AVStream& stream) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 100)
  const AVPacketSideData* data = ::av_packet_side_data_get(
      stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data && data->size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t*>(data->data) : nullptr;
#else
  size_t size = 0;
  const uint8_t* data = ::av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data && size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t*>(data) : nullptr;
#endif
}

inline const int32_t* display_matrix_of(const AVFrame& frame) {
  const AVFrameSideData* data = ::av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
  return data && data->size >= 9 * sizeof(int32_t) ? reinterpret_cast<const int32_t*>(data->data) : nullptr;
}

}  // namespace uir::libav
