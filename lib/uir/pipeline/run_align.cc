#include "uir/pipeline/run_align.h"

#include <algorithm>
#include <opencv2/core.hpp>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/data/folder_listing.h"
#include "uir/data/list_file.h"
#include "uir/pipeline/stop_request.h"

namespace uir {
namespace {

void use_videos(const AlignRequest& request, AlignRun& run) {
  if (!request.landmarks.empty() || run.aligner.detector.empty())
    fail(ErrorKind::kUsage, "videos need a --detector; landmarks are for photos");
  if (!request.videos) {
    if (!request.list.empty())
      fail(ErrorKind::kUsage, "--list: name the folder of the videos, with --videos");
    run.input = VideoFiles{request.inputs, request.sampling};
    return;
  }
  VideosSource videos = request.sampling;
  videos.root.value = request.inputs.front().string();
  videos.list.value = request.list.string();
  run.input = videos;
}

void use_photos(const AlignRequest& request, AlignRun& run) {
  const std::string root = request.inputs.front().string(), landmarks = request.landmarks.string();
  if (request.list.empty()) {
    run.input = FolderSource{{root}, {landmarks}};
  } else {
    const auto format = enum_from_name<ListFormat>(request.format);
    if (!format) fail(ErrorKind::kUsage, "--list needs a --format (docs/formats.md)");
    run.input = ListSource{{request.list.string()}, {root}, *format, {landmarks}};
  }
  const auto* list = std::get_if<ListSource>(&run.input);
  const bool given = !landmarks.empty() || (list && ListFile::has_landmarks(list->format));
  if (!run.aligner.detector.empty() && !landmarks.empty())
    fail(ErrorKind::kUsage, "--detector and --landmarks: give one of them");
  if (run.aligner.detector.empty() && !given)
    fail(ErrorKind::kUsage,
         "no --detector (a YuNet model, such as face_detection_yunet_2023mar.onnx) and no --landmarks");
  if (run.aligner.detector.empty() && run.aligner.check)
    fail(ErrorKind::kUsage, "--check detects again and needs a --detector");
}

}  // namespace

void run_align(const AlignRequest& request) {
  AlignRun run = request.run;
  run.out = without_last_slash(run.out);
  const bool files = std::ranges::all_of(
      request.inputs, [](const fs::path& path) { return is_video_name(path) && !fs::is_directory(path); });
  if (request.inputs.empty()) fail(ErrorKind::kUsage, "no photos given: name their folder, or video files");
  if (!files && request.inputs.size() > 1)
    fail(ErrorKind::kUsage, "name one folder, or only video files; ", request.inputs[1].string(),
         " is one too many");
  if (request.videos && files) fail(ErrorKind::kUsage, "--videos is for a folder of videos");
  if (files || request.videos) {
    use_videos(request, run);
  } else {
    use_photos(request, run);
  }
  watch_stop_signals();
  run.stop = stop_requested;
  cv::setNumThreads(1);  // every thread has a detector of its own
  for (const std::string& line : align_faces(run).lines()) log_info(line);
}

}  // namespace uir
