#include "uir/pipeline/run_identify.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/core.hpp>

#include "uir/base/error.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/text.h"
#include "uir/identify/film_facts.h"
#include "uir/identify/identification.h"
#include "uir/pipeline/face_model.h"
#include "uir/pipeline/stop_request.h"
#include "uir/timeline/clock.h"
#include "uir/timeline/layers.h"

namespace uir {
namespace {

// Not calibrated: what y1, a small public network, needs for one false name in a thousand strangers
// (docs/thresholds.md: 0.435 at 10 people, 0.511 at 100), and some more.
double careful_threshold(size_t people) {
  return std::clamp(0.46 + 0.076 * std::log10(static_cast<double>(people) / 10), 0.42, 0.65);
}

void check_request(const IdentifyRequest& request) {
  const auto need = [](const fs::path& value, const char* what) {
    if (value.empty()) fail(ErrorKind::kUsage, "no ", what, "; see uir-identify --help");
  };
  need(request.gallery, "--gallery (a folder with a folder of photos a person)");
  need(request.model, "--model (a run of uir-train, or an ONNX file)");
  if (request.detector.empty())
    fail(ErrorKind::kUsage, "no --detector (a YuNet model: ", fitting_detector(), ")");
}

at::Tensor to_tensor(const std::vector<const FacePixels*>& faces) {
  const at::Tensor images =
      at::empty({static_cast<int64_t>(faces.size()), kImageSize, kImageSize, 3}, at::kByte);
  for (size_t i = 0; i < faces.size(); ++i)
    std::memcpy(images[static_cast<int64_t>(i)].data_ptr(), faces[i]->data(), kImageBytes);
  return images;
}

OwnFaces faces_of(const Gallery& gallery) {
  const auto pairs = [&gallery](int64_t most) {
    std::vector<const FacePixels*> faces;
    for (const GalleryFaces& person : gallery.people) {
      if (person.faces.size() < 2 || static_cast<int64_t>(faces.size()) >= 2 * most) continue;
      faces.push_back(person.faces[0].pixels.get());
      faces.push_back(person.faces[1].pixels.get());
    }
    return to_tensor(faces);
  };
  const auto first = [&gallery](int64_t most) {
    std::vector<const FacePixels*> faces;
    for (const GalleryFaces& person : gallery.people) {
      for (const GalleryFace& face : person.faces) {
        if (static_cast<int64_t>(faces.size()) < most) faces.push_back(face.pixels.get());
      }
    }
    return to_tensor(faces);
  };
  return {pairs, first};
}

TimelineThresholds thresholds_of(const IdentifyRequest& request, size_t people) {
  constexpr double kUnsureBelow = 0.1;
  TimelineThresholds thresholds;
  thresholds.known = request.known > 0 ? request.known : careful_threshold(people);
  thresholds.unsure = request.unsure > 0 ? request.unsure : thresholds.known - kUnsureBelow;
  thresholds.same_stranger = (thresholds.known + thresholds.unsure) / 2;
  thresholds.smallest_face = request.smallest_face;
  thresholds.because = request.known > 0 ? "as asked for" : "not calibrated: a careful default";
  if (request.known == 0)
    log_warning("no calibration for this network: names are given from a score of ", thresholds.known,
                " on, which may be too careful, or not enough (uir-identify calibrate)");
  return thresholds;
}

IdentifyOptions options_of(const IdentifyRequest& request, int threads) {
  IdentifyOptions options;
  const auto finder = std::make_shared<FaceFinder>(
      FaceFinderOptions{request.detector, request.min_score, request.detect_side, threads});
  options.find = [finder](std::span<const VideoFrame> frames) { return finder->find(frames); };
  options.rate = request.rate > 0 ? request.rate : 1e9;
  options.photos.detector = request.detector;
  options.photos.detect_side = request.detect_side;
  options.resume = request.resume;
  options.stop = stop_requested;
  return options;
}

Json detector_facts(const IdentifyRequest& request) {
  return {{"file", readable(request.detector.filename().string())},
          {"checksum", identity_of_file(request.detector).checksum},
          {"min_score", request.min_score},
          {"detect_side", request.detect_side}};
}

std::string summary(const Timeline& timeline) {
  std::string text = concat(readable(timeline.film.file), ": ", timeline.tracks.size(), " tracks");
  if (timeline.film.lost > 0) text += concat(", ", timeline.film.lost, " frames lost");
  text += "\n";
  for (const std::string& person : shown_people(timeline)) {
    const std::vector<Span> spans = layer_of(timeline, Layer::kVisible, person);
    text += concat("  ", readable(person), ": ");
    text += timeline.is_film()
                ? concat(clock_text(milliseconds_of(total_length(spans), timeline.film.ticks_per_second)),
                         " in ", spans.size(), " appearances\n")
                : concat(total_length(spans), " photos\n");
  }
  return text;
}

}  // namespace

std::string run_identify(const IdentifyRequest& request) {
  check_request(request);
  const std::vector<IdentifyInput> inputs = identify_inputs(request.inputs, request.out);
  watch_stop_signals();
  cv::setNumThreads(1);  // every thread has a detector of its own
  const int threads = resolve_threads(request.threads);
  IdentifyOptions options = options_of(request, threads);
  const Gallery gallery = read_gallery(request.gallery, options.photos, threads);
  options.thresholds = thresholds_of(request, gallery.people.size());
  std::vector<std::string> overrides = request.overrides;
  overrides.insert(overrides.begin(), concat("train.threads=", threads));
  create_folders(inputs.front().timeline);
  const FaceModel model =
      load_face_model(request.model, overrides, inputs.front().timeline, faces_of(gallery));
  const Json made_by{{"model", model.description}, {"detector", detector_facts(request)}};
  Identification identification(options, model.embedder, gallery, made_by);
  std::string text;
  for (const Timeline& timeline : identification.run(inputs)) text += summary(timeline);
  identification.publish();
  identification.clean_up();
  for (const IdentifyInput& input : inputs) log_info("timeline: ", input.timeline.string());
  return text;
}

}  // namespace uir
