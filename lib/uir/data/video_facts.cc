#include "uir/data/video_facts.h"

#include <array>
#include <span>

#include "uir/base/error.h"
#include "uir/images/image_folder.h"
#include "uir/images/video_file.h"

namespace uir {

VideoFacts survey_video(const fs::path& path, const VideoFacts* known) {
  VideoFacts facts;
  facts.mtime = file_mtime(path);
  const MappedFile file(path);
  facts.bytes = file.bytes().size();
  if (known && known->bytes == facts.bytes && known->mtime == facts.mtime) return *known;
  facts.hash = content_hash(file.bytes());
  VideoReader reader(path);
  facts.announced = reader.announced_frames();
  facts.frames_per_second = reader.frames_per_second();
  facts.pixels = {reader.size().width, reader.size().height};
  facts.frames = reader.count_frames();
  return facts;
}

void check_complete(const VideoFacts& video, const fs::path& path, int64_t missing_frames) {
  if (video.frames == 0) fail(ErrorKind::kData, path.string(), ": not one frame can be decoded");
  if (video.frames >= video.announced - missing_frames) return;
  fail(
      ErrorKind::kData, path.string(), ": damaged or truncated: ", video.frames, " of the ", video.announced,
      " frames that it announces can be decoded; get it again, take it out of the list, or allow for it with "
      "missing_frames");
}

ContentHash frame_hash(const ContentHash& video, int64_t frame, int64_t face) {
  const std::array<uint64_t, 4> what{video.low, video.high, static_cast<uint64_t>(frame),
                                     static_cast<uint64_t>(face)};
  return content_hash(std::as_bytes(std::span(what)));
}

}  // namespace uir
