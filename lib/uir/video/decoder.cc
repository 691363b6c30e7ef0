#include "uir/video/decoder.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <utility>

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

// Frames come out in the order shown, damage spreads in the order decoded. A frame waits here until all that
// were decoded before it have come out, since it may be built on them: B-frames for the frame behind them.
// Frames without a stamp do not wait.
class WaitingFrames {
 public:
  void sent(int64_t stamp) {
    ++sent_;
    if (stamp != AV_NOPTS_VALUE) awaited_.push_back({sent_, stamp});
  }

  void add(AVFrame& frame) {
    const int64_t number = come(frame);
    frames_.push_back({number, libav::owned(::av_frame_alloc())});
    ::av_frame_move_ref(frames_.back().frame.get(), &frame);
  }

  // How many are lost with this one: all that were decoded after it.
  int64_t drop_with(const AVFrame& damaged) {
    const int64_t number = come(damaged);
    return static_cast<int64_t>(
        std::erase_if(frames_, [&](const Frame& frame) { return frame.number > number; }));
  }

  // The next one in the order shown; null: it has to wait.
  libav::Owner<AVFrame> take(bool at_end) {
    if (frames_.empty() || (!at_end && has_to_wait())) return nullptr;
    libav::Owner<AVFrame> frame = std::move(frames_.front().frame);
    frames_.pop_front();
    return frame;
  }

  void clear() {
    awaited_.clear();
    frames_.clear();
  }

 private:
  static constexpr size_t kMost = 32;  // where a file's stamps are wrong; encoders put at most 16 between two

  struct Packet {
    int64_t number, stamp;  // number: in the order decoded, from 1
  };
  struct Frame {
    int64_t number;
    libav::Owner<AVFrame> frame;
  };

  bool has_to_wait() const {
    return frames_.size() <= kMost && !awaited_.empty() && awaited_.front().number < frames_.front().number;
  }

  // Its number, 0 if that is unknown. Packets that are to be shown before it gave no frame of their own, as
  // did those before a key picture, and all before it once the file's clock starts anew.
  int64_t come(const AVFrame& frame) {
    const auto packet = std::ranges::find(awaited_, frame.pts, &Packet::stamp);
    const int64_t number = packet == awaited_.end() ? 0 : packet->number;
    const bool anew = libav::is_key(frame) || frame.pts < last_;
    std::erase_if(awaited_, [&](const Packet& other) {
      return other.stamp <= frame.pts || (anew && other.number < number);
    });
    last_ = frame.pts;
    return number;
  }

  std::deque<Packet> awaited_;
  std::deque<Frame> frames_;
  int64_t sent_ = 0, last_ = kNothing;
};

}  // namespace

struct Decoder::Impl {
  Container& container;
  libav::Owner<AVCodecContext> context;
  libav::Owner<AVPacket> packet = libav::owned(::av_packet_alloc());
  libav::Owner<AVFrame> decoded = libav::owned(::av_frame_alloc()), frame;
  WaitingFrames waiting;
  int64_t skipped_before = kNothing, lost = 0;
  bool begun = false, needs_key = false, at_end = false;

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
      frame = waiting.take(at_end);
      if (frame || at_end) return frame.get();
      const int code = ::avcodec_receive_frame(context.get(), decoded.get());
      if (code == 0) {
        judge();
      } else if (code == AVERROR(EAGAIN)) {
        send();
      } else if (code == AVERROR_EOF) {
        at_end = true;
      } else {
        lose(code);
      }
    }
  }

  void judge() {
    if (libav::is_key(*decoded)) needs_key = false;
    if (is_damaged(*decoded)) needs_key = true;
    if (needs_key) {
      lost += 1 + waiting.drop_with(*decoded);
    } else {
      waiting.add(*decoded);
    }
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
    waiting.sent(packet->pts);
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
  impl_->waiting.clear();
  impl_->needs_key = impl_->at_end = false;
  impl_->skipped_before = kNothing;
}

void Decoder::skip_before(int64_t stamp) {
  if (skips_exactly(impl_->context->codec_id)) impl_->skipped_before = stamp;
}

}  // namespace uir
