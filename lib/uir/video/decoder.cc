#include "uir/video/decoder.h"

#include <cstdint>
#include <limits>

#include "uir/base/error.h"
#include "uir/video/container.h"
#include "uir/video/libav.h"

namespace uir {
namespace {

constexpr int64_t kNothing = std::numeric_limits<int64_t>::min();

// The library's first choice may be a piece of hardware.
const AVCodec* software_decoder(AVCodecID id) {
  constexpr int kOther = AV_CODEC_CAP_HARDWARE | AV_CODEC_CAP_HYBRID | AV_CODEC_CAP_EXPERIMENTAL;
  void* state = nullptr;
  while (const AVCodec* codec = ::av_codec_iterate(&state)) {
    if (codec->id == id && ::av_codec_is_decoder(codec) && !(codec->capabilities & kOther)) return codec;
  }
  return nullptr;
}

// Codecs in which the decoder itself knows the pictures that no other is built on.
bool skips_exactly(AVCodecID id) {
  return id == AV_CODEC_ID_H264 || id == AV_CODEC_ID_MPEG4 || id == AV_CODEC_ID_MPEG2VIDEO ||
         id == AV_CODEC_ID_MPEG1VIDEO;
}

bool is_damaged(const AVFrame& frame) {
  return (frame.flags & AV_FRAME_FLAG_CORRUPT) || frame.decode_error_flags != 0;
}

}  // namespace

struct Decoder::Impl {
  Container& container;
  libav::Owner<AVCodecContext> context;
  libav::Owner<AVPacket> packet = libav::owned(::av_packet_alloc());
  libav::Owner<AVFrame> frame = libav::owned(::av_frame_alloc());
  int64_t skipped_before = kNothing, lost = 0;
  bool begun = false, needs_key = false;

  Impl(Container& source, int threads) : container(source) {
    const AVStream& stream = container.pictures();
    const AVCodec* codec = software_decoder(stream.codecpar->codec_id);
    if (!codec) refuse();
    context = libav::owned(::avcodec_alloc_context3(codec));
    if (::avcodec_parameters_to_context(context.get(), stream.codecpar) < 0) throw std::bad_alloc();
    context->pkt_timebase = stream.time_base;
    context->thread_count = threads;
    context->flags |= AV_CODEC_FLAG_UNALIGNED;  // what is cut off on the left is cut exactly
    if (::avcodec_open2(context.get(), codec, nullptr) < 0) refuse();
  }

  [[noreturn]] void refuse() const {
    fail(ErrorKind::kData, container.path().string(), ": its pictures are coded as ",
         ::avcodec_get_name(container.pictures().codecpar->codec_id),
         ", which this libavcodec cannot decode");
  }

  const AVFrame* next() {
    for (;;) {
      const int code = ::avcodec_receive_frame(context.get(), frame.get());
      if (code == 0) {
        if (is_good(*frame)) return frame.get();
      } else if (code == AVERROR(EAGAIN)) {
        send();
      } else if (code == AVERROR_EOF) {
        return nullptr;
      } else {
        lose(code);
      }
    }
  }

  bool is_good(const AVFrame& decoded) {
    if (libav::is_key(decoded)) needs_key = false;
    if (is_damaged(decoded)) needs_key = true;
    if (needs_key) ++lost;
    return !needs_key;
  }

  void lose(int code) {
    if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
    if (!begun) return;
    ++lost;
    needs_key = true;
  }

  void send() {
    if (!container.read(*packet)) {
      ::avcodec_send_packet(context.get(), nullptr);  // what it still holds comes out
      return;
    }
    begun = begun || (packet->flags & AV_PKT_FLAG_KEY);
    const bool skip = packet->pts != AV_NOPTS_VALUE && packet->pts < skipped_before;
    context->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    const int code = ::avcodec_send_packet(context.get(), packet.get());
    ::av_packet_unref(packet.get());
    if (code < 0) lose(code);
  }
};

Decoder::Decoder(Container& container, int threads) : impl_(std::make_unique<Impl>(container, threads)) {}
Decoder::~Decoder() = default;
const AVFrame* Decoder::next() { return impl_->next(); }
int64_t Decoder::lost() const { return impl_->lost; }

void Decoder::restart() {
  ::avcodec_flush_buffers(impl_->context.get());
  impl_->needs_key = false;
  impl_->skipped_before = kNothing;
}

void Decoder::skip_before(int64_t stamp) {
  if (skips_exactly(impl_->context->codec_id)) impl_->skipped_before = stamp;
}

}  // namespace uir
