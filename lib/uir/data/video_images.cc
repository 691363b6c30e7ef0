#include "uir/data/video_images.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "uir/base/error.h"
#include "uir/data/video_facts.h"
#include "uir/images/align.h"
#include "uir/pixels/pixels.h"
#include "uir/video/video_reader.h"

namespace uir {
namespace {

constexpr size_t kMaxOpen = 16;
constexpr int64_t kMaxPrepared = 64;

using Face = std::array<uint8_t, kImageBytes>;

// "video.mp4/000123" -> "video.mp4".
std::string video_of_item(std::string_view item) { return std::string(item.substr(0, item.rfind('/'))); }

// An open video. Its mutex guards all of it but the name.
struct OpenVideo {
  struct Prepared {
    int64_t row;
    std::unique_ptr<Face> face;
  };
  std::string name;
  std::mutex mutex;
  std::optional<VideoReader> reader;
  ContentHash hash;
  std::span<const FrameFacts> frames;  // of the index
  int64_t position = -1;               // frame at hand
  std::deque<Prepared> prepared;       // decoded on the way to a later row, not yet asked for
};

}  // namespace

struct VideoImages::Impl {
  const Index& index;
  const SourceInfo& source;
  std::mutex mutex;
  std::list<std::shared_ptr<OpenVideo>> open;             // the latest used first
  std::unordered_map<std::string_view, int64_t> numbers;  // of the source's videos in the index

  void number_videos() {
    const std::string prefix = concat(source.name, "/");
    for (int64_t i = 0; i < std::ssize(index.videos()); ++i) {
      const std::string_view name = index.video_name(i);
      if (name.starts_with(prefix)) numbers.emplace(name.substr(prefix.size()), i);
    }
  }

  std::shared_ptr<OpenVideo> video(const std::string& name) {
    std::lock_guard lock(mutex);
    auto known = std::ranges::find_if(open, [&](const auto& candidate) { return candidate->name == name; });
    if (known != open.end()) {
      open.splice(open.begin(), open, known);
      return open.front();
    }
    open.push_front(std::make_shared<OpenVideo>());
    open.front()->name = name;
    if (open.size() > kMaxOpen) open.pop_back();
    return open.front();
  }

  int64_t frame_of(int64_t row) const { return frame_of_offset(index.offsets()[static_cast<size_t>(row)]); }

  // True for a row of the source that belongs to the video.
  bool is_row_of(int64_t row, const OpenVideo& video) const {
    return row >= source.first_row && row < source.first_row + source.num_rows &&
           video_of_item(index.item(row)) == video.name;
  }

  void load(int64_t row, uint8_t* rgb) {
    const std::shared_ptr<OpenVideo> video = this->video(video_of_item(index.item(row)));
    std::lock_guard lock(video->mutex);
    if (take_prepared(*video, row, rgb)) return;
    try {
      decode(*video, row, rgb);
    } catch (...) {
      video->reader
          .reset();  // the next row starts the video over, and finds out whether it is still the same
      throw;
    }
  }

  void decode(OpenVideo& video, int64_t row, uint8_t* rgb) const {
    if (!video.reader) start(video);
    check_unchanged(video, row);
    prepare_rows_before(video, row);
    render(row, frame(video, frame_of(row)), rgb);
    for (int64_t next = row + 1; is_row_of(next, video) && frame_of(next) == frame_of(row); ++next) {
      prepare(video, next);
    }
  }

  static bool take_prepared(OpenVideo& video, int64_t row, uint8_t* rgb) {
    const auto found = std::ranges::find(video.prepared, row, &OpenVideo::Prepared::row);
    if (found == video.prepared.end()) return false;
    std::memcpy(rgb, found->face->data(), kImageBytes);
    video.prepared.erase(found);
    return true;
  }

  void start(OpenVideo& video) const {
    const fs::path path = resolve_inside(source.path, video.name);
    video.reader.reset();
    video.hash = content_hash(MappedFile(path).bytes());
    video.reader.emplace(path);
    video.position = -1;
    const auto known = numbers.find(video.name);
    if (known == numbers.end())
      fail(ErrorKind::kData, "the index is of a version that read videos otherwise; run uir-index again");
    video.frames = index.video_frames(known->second);
  }

  static const RgbImage& frame(OpenVideo& video, int64_t number) {
    if (number < 0 || number >= std::ssize(video.frames))
      fail(ErrorKind::kData, "there is no frame ", number, " (counted from 0); the video has ",
           video.frames.size());
    const int64_t ticks = video.frames[static_cast<size_t>(number)].ticks;
    if (!video.reader->seek(ticks) || video.reader->facts().ticks != ticks)
      fail(ErrorKind::kData, "frame ", number, " (counted from 0) cannot be decoded");
    video.position = number;
    return video.reader->picture();
  }

  void check_unchanged(const OpenVideo& video, int64_t row) const {
    const uint64_t offset = index.offsets()[static_cast<size_t>(row)];
    const ContentHash hash = frame_hash(video.hash, frame_of_offset(offset), face_of_offset(offset));
    if (hash == index.hashes()[static_cast<size_t>(row)]) return;
    fail(ErrorKind::kData, "the video changed since it was indexed (other content); run uir-index again");
  }

  // Rows between the decoder's position and this row belong to other threads that are about to ask for them.
  // Too many of them are none: then rows are not read in order.
  void prepare_rows_before(OpenVideo& video, int64_t row) const {
    const int64_t position = video.position;
    int64_t first = row;
    while (is_row_of(first - 1, video) && frame_of(first - 1) > position) {
      if (row - --first > kMaxPrepared) return;
    }
    for (; first < row; ++first) prepare(video, first);
  }

  // A face that cannot be had fails when its own row is loaded, not here.
  void prepare(OpenVideo& video, int64_t row) const {
    if (std::ranges::find(video.prepared, row, &OpenVideo::Prepared::row) != video.prepared.end()) return;
    const RgbImage& picture = frame(video, frame_of(row));
    auto face = std::make_unique<Face>();
    try {
      render(row, picture, face->data());
    } catch (const Error&) {
      return;
    }
    video.prepared.push_back({row, std::move(face)});
    if (static_cast<int64_t>(video.prepared.size()) > kMaxPrepared) video.prepared.pop_front();
  }

  void render(int64_t row, const RgbImage& frame, uint8_t* rgb) const {
    const auto i = static_cast<size_t>(row);
    const uint32_t flags = index.flags()[i];
    if (flags & kHasLandmarks) return align_face(frame, index.landmarks()[i], rgb);
    if (flags & kHasBox) {
      crop_face(frame, index.boxes()[i], rgb);
    } else if (frame.size == ImageSize{kImageSize, kImageSize}) {
      std::memcpy(rgb, frame.pixels.data(), kImageBytes);
    } else {
      resize_face(frame, rgb);
    }
    shift_face(rgb, source.shift[0], source.shift[1]);
  }
};

VideoImages::VideoImages(const Index& index, const SourceInfo& source)
    : impl_(new Impl{index, source, {}, {}, {}}) {
  impl_->number_videos();
}
VideoImages::~VideoImages() = default;
void VideoImages::load(int64_t row, uint8_t* rgb) const { impl_->load(row, rgb); }

}  // namespace uir
