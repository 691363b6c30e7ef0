#include "uir/video/container.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "uir/base/error.h"
#include "uir/images/image_folder.h"
#include "uir/video/libav.h"

namespace uir {
namespace {

// Containers of pictures that lie in one file. What else libavformat knows points to other files (hls, dash,
// concat, sdp …), is a pattern of names (image2) or takes text for pictures (tty).
constexpr std::array<std::string_view, 34> kContainers{"mov,mp4,m4a,3gp,3g2,mj2",
                                                       "matroska,webm",
                                                       "avi",
                                                       "mpegts",
                                                       "mpegtsraw",
                                                       "mpeg",
                                                       "mpegvideo",
                                                       "m4v",
                                                       "h264",
                                                       "hevc",
                                                       "vvc",
                                                       "h263",
                                                       "h261",
                                                       "av1",
                                                       "obu",
                                                       "ivf",
                                                       "vc1",
                                                       "vc1test",
                                                       "flv",
                                                       "live_flv",
                                                       "asf",
                                                       "asf_o",
                                                       "ogg",
                                                       "rm",
                                                       "dv",
                                                       "mxf",
                                                       "gxf",
                                                       "nut",
                                                       "nsv",
                                                       "wtv",
                                                       "yuv4mpegpipe",
                                                       "mjpeg",
                                                       "gif",
                                                       "swf"};
constexpr int kBuffer = 1 << 16;

// What libav said last: its messages are part of ours, and it prints nothing.
thread_local std::string last_complaint;

void remember_complaint(void* object, int level, const char* format, va_list values) {
  if (level > AV_LOG_ERROR) return;
  char line[256];
  int print_prefix = 0;
  ::av_log_format_line2(object, level, format, values, line, sizeof line, &print_prefix);
  last_complaint = line;
  while (!last_complaint.empty() && std::strchr("\r\n. ", last_complaint.back())) last_complaint.pop_back();
}

void listen_to_libav() {
  static std::once_flag once;
  std::call_once(once, [] { ::av_log_set_callback(remember_complaint); });
  last_complaint.clear();
}

// Behind the message's end: why, if libav said it.
std::string because(int code) {
  return concat(" (", last_complaint.empty() ? libav::error_text(code) : last_complaint, ")");
}

struct OpenFile {
  FileDescriptor fd;
  int error = 0;  // errno of a failed read

  static int read(void* self, uint8_t* bytes, int size) {
    auto& file = *static_cast<OpenFile*>(self);
    ssize_t count;
    do count = ::read(file.fd.get(), bytes, static_cast<size_t>(size));
    while (count < 0 && errno == EINTR);
    if (count < 0) file.error = errno;
    return count > 0 ? static_cast<int>(count) : count == 0 ? AVERROR_EOF : AVERROR(EIO);
  }
  static int64_t seek(void* self, int64_t offset, int whence) {
    const auto& file = *static_cast<OpenFile*>(self);
    if (whence != AVSEEK_SIZE) return ::lseek(file.fd.get(), offset, whence & ~AVSEEK_FORCE);
    struct stat facts {};
    return ::fstat(file.fd.get(), &facts) == 0 ? facts.st_size : AVERROR(errno);
  }
};

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

bool is_picture_track(const AVStream& stream) {
  return stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         !(stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
}

std::string words_for(const AVStream& stream) {
  const char* kind = ::av_get_media_type_string(stream.codecpar->codec_type);
  return concat(stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO ? "a cover picture"
                : kind                                            ? kind
                                                                  : "data",
                " (", ::avcodec_get_name(stream.codecpar->codec_id), ")");
}

// A time as a fraction of a second. Clocks of broadcasts run to 2^33 / 90000: AVRational has no room for them.
struct Seconds {
  int64_t num = 0, den = 1;
};

// libavformat keeps the container's start in µs; the track that begins there has it exactly.
Seconds start_of(const AVFormatContext& context) {
  if (context.start_time == AV_NOPTS_VALUE) return {};
  for (unsigned i = 0; i < context.nb_streams; ++i) {
    const AVStream& stream = *context.streams[i];
    int64_t num = 0;
    if (stream.start_time == AV_NOPTS_VALUE ||
        __builtin_mul_overflow(stream.start_time, int64_t{stream.time_base.num}, &num))
      continue;
    if (::av_rescale_q(stream.start_time, stream.time_base, AV_TIME_BASE_Q) == context.start_time)
      return {num, stream.time_base.den};
  }
  return {context.start_time, AV_TIME_BASE};
}

VideoClock clock_of(const AVFormatContext& context, AVRational base) {
  const Seconds start = start_of(context);
  VideoClock clock;
  clock.ticks_per_second = std::lcm(int64_t{base.den}, start.den);
  if (clock.ticks_per_second > int64_t{1} << 34) clock.ticks_per_second = base.den;  // the start is rounded
  clock.ticks_per_stamp = base.num * (clock.ticks_per_second / base.den);
  constexpr int64_t kLatest = int64_t{1} << 60;
  clock.start = std::clamp(::av_rescale(start.num, clock.ticks_per_second, start.den), -kLatest, kLatest);
  return clock;
}

}  // namespace

struct Container::Impl {
  fs::path path;
  OpenFile file;
  libav::Owner<AVIOContext> io;
  libav::Owner<AVFormatContext> context;
  AVStream* pictures = nullptr;
  VideoClock clock;
  libav::Owner<AVPacket> pending;  // read ahead by seek()
  int64_t indexed = 0;             // pictures in the index that an AVI has at its end
  int64_t packets = 0, last_place = -1, last_step = 1;
  bool ended_badly = false;

  explicit Impl(const fs::path& name)
      : path(name), file{FileDescriptor(::open(name.c_str(), O_RDONLY | O_CLOEXEC)), 0} {
    if (file.fd.get() < 0 || !fs::is_regular_file(path))
      fail(ErrorKind::kMissingInput, path.string(), ": cannot open video");
    listen_to_libav();
    io = libav::owned(::avio_alloc_context(static_cast<uint8_t*>(::av_malloc(kBuffer)), kBuffer, 0, &file,
                                           OpenFile::read, nullptr, OpenFile::seek));
    open(probe());
    choose_pictures();
    clock = clock_of(*context, pictures->time_base);
  }

  const AVInputFormat* probe() {
    const AVInputFormat* format = nullptr;
    const int code = ::av_probe_input_buffer2(io.get(), &format, "", nullptr, 0, 0);
    check_io();
    if (code < 0 || !format) refuse("no video, or damaged: of no container that libavformat knows");
    if (std::ranges::find(kContainers, format->name) == kContainers.end())
      refuse("no video: libavformat takes it for ", format->name,
             ", which is no container of pictures or points to other files; name the video file itself");
    return format;
  }

  void open(const AVInputFormat* format) {
    AVFormatContext* raw = libav::owned(::avformat_alloc_context()).release();
    raw->pb = io.get();
    raw->io_open = refuse_to_open;
    AVDictionary* options = nullptr;
    ::av_dict_set(&options, "protocol_whitelist", "file", 0);
    int code = ::avformat_open_input(&raw, "", format, &options);  // frees the context if it fails
    ::av_dict_free(&options);
    context.reset(code < 0 ? nullptr : raw);
    if (code >= 0) count_index();
    if (code >= 0) code = ::avformat_find_stream_info(raw, nullptr);
    check_io();
    if (code < 0) refuse("no video, or damaged: not readable as ", format->name, because(code));
  }

  // Before reading adds to it.
  void count_index() {
    for (unsigned i = 0; i < context->nb_streams; ++i) {
      if (is_picture_track(*context->streams[i]))
        indexed = std::max<int64_t>(indexed, ::avformat_index_get_entries_count(context->streams[i]));
    }
  }

  void choose_pictures() {
    std::string others;
    for (unsigned i = 0; i < context->nb_streams; ++i) {
      AVStream* stream = context->streams[i];
      stream->discard = AVDISCARD_ALL;
      if (!is_picture_track(*stream)) {
        others += concat(others.empty() ? " " : ", ", words_for(*stream));
      } else if (!pictures || (stream->disposition & ~pictures->disposition & AV_DISPOSITION_DEFAULT)) {
        pictures = stream;
      }
    }
    if (!pictures) refuse("no video: it has no track of pictures", others.empty() ? "" : ", only", others);
    pictures->discard = AVDISCARD_DEFAULT;
  }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail(ErrorKind::kData, path.string(), ": ", parts...);
  }

  void check_io() const {
    if (file.error != 0) fail(ErrorKind::kIo, path.string(), ": cannot be read: ", std::strerror(file.error));
  }

  bool has_table() const { return is("mov,mp4,m4a,3gp,3g2,mj2") || is("avi"); }
  bool is(std::string_view format) const { return context->iformat->name == format; }

  // Past packets that the end of the file has cut off: those of a table count as missing.
  bool read_packet(AVPacket& packet) {
    for (;;) {
      const int code = ::av_read_frame(context.get(), &packet);
      check_io();
      if (code == AVERROR(ENOMEM)) throw std::bad_alloc();
      if (code < 0) {
        ended_badly = code != AVERROR_EOF;
        return false;
      }
      const bool whole = !(has_table() && (packet.flags & AV_PKT_FLAG_CORRUPT));
      if (packet.stream_index == pictures->index && whole) return true;
      ::av_packet_unref(&packet);
    }
  }

  bool read(AVPacket& packet) {
    if (pending) {
      ::av_packet_move_ref(&packet, pending.get());
      pending.reset();
      return true;
    }
    while (read_packet(packet)) {
      if (packet.dts != AV_NOPTS_VALUE && packet.dts > last_place)
        last_step = packet.dts - std::exchange(last_place, packet.dts);
      if (packet.size > 0 || !is("avi")) ++packets;
      if (packet.size > 0) return true;
      ::av_packet_unref(&packet);  // the frame before stays; AVI's index leaves such places out
    }
    return false;
  }

  int64_t missing() const {
    if (is("avi")) return std::max<int64_t>(0, indexed > 0 ? indexed - packets : places_missing());
    if (has_table()) return std::max<int64_t>(0, ::avformat_index_get_entries_count(pictures) - packets);
    return ended_badly ? 1 : 0;
  }
  // An AVI without its index was cut, or written to a pipe: then the number in its header was never filled
  // in.
  int64_t places_missing() const {
    constexpr int64_t kBytesPerPlace = 8;  // at least
    if (pictures->nb_frames > ::avio_size(io.get()) / kBytesPerPlace) return 0;
    return pictures->nb_frames - (last_place + last_step);
  }
};

Container::Container(const fs::path& path) : impl_(std::make_unique<Impl>(path)) {}
Container::~Container() = default;
bool Container::read(AVPacket& packet) { return impl_->read(packet); }
int64_t Container::missing() const { return impl_->missing(); }
const fs::path& Container::path() const { return impl_->path; }
AVFormatContext& Container::context() const { return *impl_->context; }
AVStream& Container::pictures() const { return *impl_->pictures; }
const VideoClock& Container::clock() const { return impl_->clock; }

bool Container::seek(int64_t& stamp) {
  impl_->pending.reset();
  if (::av_seek_frame(impl_->context.get(), impl_->pictures->index, stamp, AVSEEK_FLAG_BACKWARD) < 0)
    return false;
  auto first = libav::owned(::av_packet_alloc());
  if (!impl_->read(*first) || !(first->flags & AV_PKT_FLAG_KEY) || first->pts == AV_NOPTS_VALUE ||
      first->pts > stamp)
    return false;
  stamp = first->pts;
  impl_->pending = std::move(first);
  return true;
}

namespace {

// Codecs of which every packet is one picture that is shown: VP8's and VP9's may be hidden.
bool shows_every_packet(AVCodecID codec) {
  constexpr std::array kCodecs{AV_CODEC_ID_H264,  AV_CODEC_ID_HEVC,       AV_CODEC_ID_AV1,
                               AV_CODEC_ID_MPEG4, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG1VIDEO,
                               AV_CODEC_ID_MJPEG, AV_CODEC_ID_FFV1,       AV_CODEC_ID_PRORES,
                               AV_CODEC_ID_DNXHD, AV_CODEC_ID_RAWVIDEO,   AV_CODEC_ID_PNG};
  return std::ranges::find(kCodecs, codec) != kCodecs.end();
}

bool lists_its_pictures(const Container& container) {
  const std::string_view format = container.context().iformat->name;
  return (format.starts_with("mov,") || format.starts_with("matroska,")) &&
         shows_every_packet(container.pictures().codecpar->codec_id);
}

// Two packets may be one picture: a field each.
bool may_list_fields(const AVCodecParameters& coded) {
  return coded.codec_id == AV_CODEC_ID_H264 && coded.field_order != AV_FIELD_UNKNOWN &&
         coded.field_order != AV_FIELD_PROGRESSIVE;
}

// Such a packet of MPEG-4 says that nothing changed, and gives no frame.
bool is_empty_picture(const AVPacket& packet, AVCodecID codec) {
  constexpr int kEmpty = 20;
  return codec == AV_CODEC_ID_MPEG4 && packet.size < kEmpty;
}

}  // namespace

std::vector<ListedPicture> list_pictures(Container& container) {
  if (!lists_its_pictures(container) || may_list_fields(*container.pictures().codecpar)) return {};
  const AVCodecID codec = container.pictures().codecpar->codec_id;
  std::vector<ListedPicture> pictures;
  const auto packet = libav::owned(::av_packet_alloc());
  for (; container.read(*packet); ::av_packet_unref(packet.get())) {
    const bool key = packet->flags & AV_PKT_FLAG_KEY;
    if (packet->pts == AV_NOPTS_VALUE || is_empty_picture(*packet, codec)) return {};
    if (pictures.empty() ? !key : packet->pts < pictures.front().stamp) return {};
    pictures.push_back({packet->pts, key, !(packet->flags & AV_PKT_FLAG_DISCARD)});
  }
  std::ranges::sort(pictures, {}, &ListedPicture::stamp);
  const auto equal = std::ranges::adjacent_find(pictures, {}, &ListedPicture::stamp);
  return equal == pictures.end() ? pictures : std::vector<ListedPicture>();
}

}  // namespace uir
