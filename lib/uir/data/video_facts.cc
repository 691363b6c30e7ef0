#include "uir/data/video_facts.h"

#include <array>
#include <span>
#include <utility>

#include "uir/base/error.h"
#include "uir/images/image_folder.h"

namespace uir {

SurveyedVideo survey_video(const fs::path& path, const KnownVideo* known) {
  SurveyedVideo video;
  VideoFacts& facts = video.facts;
  facts.mtime = file_mtime(path);
  const MappedFile file(path);
  facts.bytes = file.bytes().size();
  if (known && known->facts.bytes == facts.bytes && known->facts.mtime == facts.mtime)
    return {known->facts, {known->frames.begin(), known->frames.end()}};
  facts.hash = content_hash(file.bytes());
  FrameList list = decode_frame_list(path);
  facts.frames = std::ssize(list.frames);
  facts.announced = facts.frames + list.lost;
  facts.ticks_per_second = list.ticks_per_second;
  facts.pixels = {list.frames.front().width, list.frames.front().height};
  video.frames = std::move(list.frames);
  return video;
}

void check_complete(int64_t frames, int64_t lost, const fs::path& path, int64_t missing_frames) {
  if (lost <= missing_frames) return;
  fail(ErrorKind::kData, path.string(), ": damaged or truncated: ", frames, " of the ", frames + lost,
       " frames that it should have can be decoded; get it again, take it out of the list, or allow for it "
       "with "
       "missing_frames");
}

ContentHash frame_hash(const ContentHash& video, int64_t frame, int64_t face) {
  const std::array<uint64_t, 4> what{video.low, video.high, static_cast<uint64_t>(frame),
                                     static_cast<uint64_t>(face)};
  return content_hash(std::as_bytes(std::span(what)));
}

}  // namespace uir
