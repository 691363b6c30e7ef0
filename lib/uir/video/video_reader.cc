#include "uir/video/video_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "uir/base/error.h"
#include "uir/video/container.h"
#include "uir/video/decoder.h"
#include "uir/video/kept_frame.h"
#include "uir/video/libav.h"
#include "uir/video/picture.h"

namespace uir {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

}  // namespace

struct VideoReader::Impl {
  fs::path path;
  int threads;
  std::unique_ptr<Container> container;
  std::unique_ptr<Decoder> decoder;
  PictureConverter converter;
  const AVFrame* frame = nullptr;  // at hand
  int64_t ticks = kNever;          // of the frame at hand, or the last one
  int64_t shift = 0;               // what the file's clock lost by starting anew, so far
  RgbImage image;
  bool converted = false, from_front = true, at_end = false;
  std::optional<std::vector<ListedPicture>> list;  // none: not looked for; empty: only from the front

  Impl(const fs::path& file, int count) : path(file), threads(count) { start(); }

  void start() {
    decoder.reset();
    container = std::make_unique<Container>(path);
    decoder = std::make_unique<Decoder>(*container, threads);
    converter.begin(container->context(), container->pictures());
    frame = nullptr;
    ticks = kNever;
    shift = 0;
    from_front = true;
    at_end = false;
  }

  bool next() {
    frame = decoder->next();
    converted = false;
    at_end = frame == nullptr;
    if (at_end) return false;
    ticks = time_of(*frame);
    return true;
  }

  int64_t time_of(const AVFrame& shown) {
    const VideoClock& clock = container->clock();
    const int64_t step = std::max<int64_t>(1, libav::duration_of(shown) * clock.ticks_per_stamp);
    if (shown.best_effort_timestamp == AV_NOPTS_VALUE) return ticks == kNever ? 0 : ticks + step;
    const int64_t time = clock.ticks(shown.best_effort_timestamp) + shift;
    if (ticks == kNever) return time;
    const bool may_start_anew = container->context().iformat->flags & AVFMT_TS_DISCONT;
    if (may_start_anew && ticks - time > clock.ticks_per_second) {  // recordings that were joined
      shift += ticks + step - time;
      return ticks + step;
    }
    return std::max(time, ticks + 1);
  }

  bool seek(int64_t target) {
    if (frame && ticks == target) return true;
    const bool back = at_end || (frame && ticks > target);
    if (!back && !list && next() && ticks >= target) return true;
    if (!list) list = list_pictures_of(path);
    if (!list->empty() && first_listed(target) == list->end()) return end();
    if (!list->empty() && (back ? jump_to(target) : go_on_to(target))) return true;
    if (!list->empty() || back) start();
    list->clear();  // it does not hold here: from the front, always
    return advance(target);
  }

  static std::vector<ListedPicture> list_pictures_of(const fs::path& path) {
    Container container(path);
    return list_pictures(container);
  }

  // Forwards: on from here, unless a key picture lies between.
  bool go_on_to(int64_t target) {
    const auto key = last_key(target);
    if (key && ticks_of(*key) > ticks) return jump_to(target);
    return advance(target) && is_wanted(target);
  }

  // From the key picture before it or, where decoders need more than that, from the one before that.
  bool jump_to(int64_t target) {
    auto key = last_key(target);
    for (int attempt = 0; key && attempt < 2; ++attempt) {
      if (jump(key->stamp) && advance(target) && is_wanted(target)) return true;
      key = last_key(ticks_of(*key) - 1);
    }
    return false;
  }

  int64_t ticks_of(const ListedPicture& picture) const { return container->clock().ticks(picture.stamp); }

  std::optional<ListedPicture> last_key(int64_t target) const {
    auto after = std::ranges::upper_bound(*list, target, {}, [this](const auto& p) { return ticks_of(p); });
    while (after != list->begin()) {
      if (--after; after->key && after->shown) return *after;
    }
    return std::nullopt;
  }

  // The frame that is to be shown at the time or later.
  std::vector<ListedPicture>::const_iterator first_listed(int64_t target) const {
    const auto from =
        std::ranges::lower_bound(*list, target, {}, [this](const auto& p) { return ticks_of(p); });
    return std::ranges::find_if(from, list->cend(), &ListedPicture::shown);
  }
  bool is_wanted(int64_t target) const { return frame && ticks_of(*first_listed(target)) == ticks; }

  bool end() {
    frame = nullptr;
    at_end = true;
    from_front = false;
    return false;
  }

  // The key picture, or one before it, becomes the frame at hand; false: decoding cannot begin there.
  bool jump(int64_t stamp) {
    if (!container->seek(stamp)) return false;
    decoder->restart();
    ticks = kNever;
    from_front = false;
    const int64_t landed = container->clock().ticks(stamp);
    while (next() && ticks < landed) {
    }
    return frame && ticks == landed && libav::is_key(*frame);
  }

  bool advance(int64_t target) {
    const bool exact = list && !list->empty();
    if (exact) decoder->skip_before(stamp_of(target));
    while (!(frame && ticks >= target) && next()) {
    }
    if (exact) decoder->skip_before(kNever);
    return frame != nullptr;
  }

  // The smallest stamp that is not before the time.
  int64_t stamp_of(int64_t time) const {
    const VideoClock& clock = container->clock();
    const int64_t at = time + clock.start;
    return at / clock.ticks_per_stamp + (at % clock.ticks_per_stamp > 0);
  }
};

VideoReader::VideoReader(const fs::path& path, int threads) : impl_(std::make_unique<Impl>(path, threads)) {}
VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;
int64_t VideoReader::ticks_per_second() const { return impl_->container->clock().ticks_per_second; }
int64_t VideoReader::container_start() const { return impl_->container->clock().start; }
int64_t VideoReader::announced_ticks() const {
  const int64_t duration = impl_->container->context().duration;
  return duration > 0 ? ::av_rescale(duration, ticks_per_second(), AV_TIME_BASE) : 0;
}
bool VideoReader::next() { return impl_->next(); }
bool VideoReader::seek(int64_t ticks) { return impl_->seek(ticks); }

FrameFacts VideoReader::facts() const {
  ensure(impl_->frame != nullptr, "a frame at hand");
  try {
    const ImageSize size = impl_->converter.shown_as(*impl_->frame).size();
    return {impl_->ticks, size.width, size.height};
  } catch (const Error& error) {
    throw error.at(impl_->path.string());
  }
}

const RgbImage& VideoReader::picture() {
  ensure(impl_->frame != nullptr, "a frame at hand");
  try {
    if (!impl_->converted)
      impl_->converter.convert(*impl_->frame, impl_->converter.shown_as(*impl_->frame), impl_->image);
  } catch (const Error& error) {
    throw error.at(impl_->path.string());
  }
  impl_->converted = true;
  return impl_->image;
}

VideoFrame VideoReader::keep() const {
  ensure(impl_->frame != nullptr, "a frame at hand");
  try {
    auto kept = std::make_shared<VideoFrame::Kept>();
    kept->frame = libav::owned(::av_frame_clone(impl_->frame));
    kept->shown = impl_->converter.shown_as(*impl_->frame);
    kept->ticks = impl_->ticks;
    kept->duration = libav::duration_of(*impl_->frame) * impl_->container->clock().ticks_per_stamp;
    kept->path = impl_->path;
    return VideoFrame(std::move(kept));
  } catch (const Error& error) {
    throw error.at(impl_->path.string());
  }
}

int64_t VideoReader::lost() const {
  return impl_->decoder->lost() + (impl_->at_end && impl_->from_front ? impl_->container->missing() : 0);
}

bool VideoReader::saw_all() const { return impl_->at_end && impl_->from_front; }

std::string ffmpeg_version() { return ::av_version_info(); }

FrameList decode_frame_list(const fs::path& path, int threads) {
  VideoReader reader(path, threads);
  FrameList list{reader.ticks_per_second(), {}, 0};
  while (reader.next()) list.frames.push_back(reader.facts());
  list.lost = reader.lost();
  if (list.frames.empty()) fail(ErrorKind::kData, path.string(), ": damaged: not one frame can be decoded");
  return list;
}

std::optional<FrameList> read_frame_list(const fs::path& path) {
  Container container(path);
  FrameList list{container.clock().ticks_per_second, {}, 0};
  for (const ListedPicture& picture : list_pictures(container)) {
    if (picture.shown) list.frames.push_back({container.clock().ticks(picture.stamp), 0, 0});
  }
  if (list.frames.empty()) return std::nullopt;
  list.lost = container.missing();
  return list;
}

}  // namespace uir
