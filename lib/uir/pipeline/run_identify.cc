#include "uir/pipeline/run_identify.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iomanip>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/core/version.hpp>
#include <sstream>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/parallel.h"
#include "uir/base/passing_folder.h"
#include "uir/base/text.h"
#include "uir/identify/face_search.h"
#include "uir/identify/film_facts.h"
#include "uir/identify/identification.h"
#include "uir/identify/track_calibration.h"
#include "uir/pipeline/face_model.h"
#include "uir/pipeline/name_thresholds.h"
#include "uir/pipeline/stop_request.h"
#include "uir/timeline/clock.h"
#include "uir/timeline/layers.h"
#include "uir/video/video_reader.h"

namespace uir {
namespace {

void check_request(const IdentifyRequest& request) {
  const auto need = [](const fs::path& value, const char* what) {
    if (value.empty()) fail(ErrorKind::kUsage, "no ", what, "; see uir-identify --help");
  };
  need(request.gallery, "--gallery (a folder with a folder of photos a person)");
  need(request.model, "--model (a run of uir-train, or an ONNX file)");
  if (request.detector.empty())
    fail(ErrorKind::kUsage, "no --detector (a YuNet model, such as face_detection_yunet_2023mar.onnx)");
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
  return {pairs, first, first};
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

constexpr double kEverybodyAlone = std::numeric_limits<double>::infinity();  // as same_person

// For a calibration every track counts by its best score, whoever else is to be seen.
TimelineThresholds nobody_is_named(double smallest_face, double same_person) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  return {kNever, -kNever, same_person, smallest_face, ""};
}

Json detector_facts(const IdentifyRequest& request) {
  return {{"file", readable(request.detector.filename().string())},
          {"checksum", identity_of_file(request.detector).checksum},
          {"min_score", request.min_score},
          {"detect_side", request.detect_side}};
}

std::string calibration_text(const TrackCalibration& calibration) {
  std::ostringstream text;
  text << std::setprecision(3) << calibration.hours << " hours of film, " << calibration.tracks
       << " tracks of strangers, " << calibration.people << " people in the gallery\n"
       << "false names an hour   threshold   counted\n";
  for (const double wanted : {10., 3., 1., 0.3, 0.1}) {
    const FalseNames found = false_names_at(calibration, wanted);
    text << std::setw(19) << wanted << std::setw(12) << found.threshold << "   " << found.names
         << (found.is_bound ? ", at most " : ", ") << found.per_hour << " an hour"
         << (found.is_bound ? " (95 %)\n" : "\n");
  }
  return text.str();
}

std::string find_text(const FindRequest& request, std::span<const float> face, const Json& model) {
  struct Line {
    double score;
    std::string text;
  };
  std::vector<Line> lines;
  for (const fs::path& path : request.timelines) {
    const fs::path folder = timeline_folder(path);
    const Timeline timeline = read_timeline(folder);
    const Json theirs = timeline.made_by.value("model", Json::object());
    if (theirs.value("checksum", "") != model.value("checksum", ""))
      fail(ErrorKind::kData, folder.string(), ": made with another network (",
           json_text(theirs.value("file", Json())), "); give that one as --model");
    const std::vector<float> vectors = read_vectors(folder, timeline);
    const double least = request.least != 0 ? request.least : timeline.thresholds.unsure;
    for (const FoundInFilm& found : find_face(face, timeline, vectors, least)) {
      std::ostringstream line;
      const auto clock = [&](int64_t ticks) {
        return clock_text(milliseconds_of(ticks, timeline.film.ticks_per_second));
      };
      line << std::fixed << std::setprecision(3) << found.score << "  " << readable(timeline.film.file)
           << "  " << readable(found.who) << "  ";
      if (timeline.is_film()) {
        line << clock(found.length) << " on screen, likest at " << clock(found.best.begin) << "\n";
      } else {
        line << found.length << " photos, likest "
             << readable(timeline.photos[static_cast<size_t>(found.best.begin)]) << "\n";
      }
      lines.push_back({found.score, line.str()});
    }
  }
  std::ranges::stable_sort(lines, std::greater<>(), &Line::score);
  std::string text;
  for (const Line& line : lines) text += line.text;
  if (lines.empty()) log_info("the face is in none of them");
  return text;
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

// Everything that a request needs, loaded.
struct Prepared {
  Gallery gallery;
  FaceModel model;
  Identification identification;
};

Prepared prepare(const IdentifyRequest& request, const fs::path& work, bool names_nobody) {
  check_request(request);
  watch_stop_signals();
  cv::setNumThreads(1);  // every thread has a detector of its own
  const int threads = resolve_threads(request.threads);
  IdentifyOptions options = options_of(request, threads);
  Gallery gallery = read_gallery(request.gallery, options.photos, threads);
  std::vector<std::string> overrides = request.overrides;
  overrides.insert(overrides.begin(), concat("train.threads=", threads));
  create_folders(work);
  FaceModel model = load_face_model(request.model, overrides, work, faces_of(gallery));
  options.thresholds = names_nobody ? nobody_is_named(request.smallest_face, kEverybodyAlone)
                                    : name_thresholds(request, gallery.people.size(), model.description);
  const Json made_by{{"model", model.description},
                     {"detector", detector_facts(request)},
                     {"opencv", CV_VERSION},
                     {"ffmpeg", ffmpeg_version()}};
  Identification identification(std::move(options), model.embedder, gallery, made_by);
  return {std::move(gallery), std::move(model), std::move(identification)};
}

}  // namespace

std::string run_identify(const IdentifyRequest& request) {
  const std::vector<IdentifyInput> inputs = identify_inputs(request.inputs, request.out);
  Prepared prepared = prepare(request, inputs.front().timeline, false);
  std::string text;
  for (const Timeline& timeline : prepared.identification.run(inputs)) text += summary(timeline);
  prepared.identification.publish();
  prepared.identification.clean_up();
  for (const IdentifyInput& input : inputs) log_info("timeline: ", input.timeline.string());
  return text;
}

std::string run_track_calibration(const IdentifyRequest& request) {
  if (request.out.empty()) fail(ErrorKind::kUsage, "no --out FILE.json to write the calibration to");
  if (!request.calibration.empty()) fail(ErrorKind::kUsage, "--calibration: it is what this makes");
  fs::path work = request.out;
  work += ".partial";
  std::vector<IdentifyInput> inputs = identify_inputs(request.inputs, work / "films");
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (fs::is_directory(inputs[i].path))
      fail(ErrorKind::kUsage, inputs[i].path.string(), ": calibrate looks at films: photos have no hours");
    inputs[i].timeline = work / concat(i + 1);
  }
  Prepared prepared = prepare(request, work, true);
  TrackCalibration calibration;
  calibration.model = prepared.model.description;
  calibration.gallery = prepared.gallery.checksum;
  calibration.people = static_cast<int64_t>(prepared.gallery.people.size());
  const auto count = [&](const std::vector<Timeline>& timelines) {
    calibration.hours = 0, calibration.tracks = 0, calibration.scores.clear();
    for (const Timeline& timeline : timelines) add_film(calibration, timeline);
  };
  count(prepared.identification.run(inputs));
  calibration.same_person = same_person_by(calibration);
  count(prepared.identification.decide(nobody_is_named(request.smallest_face, calibration.same_person)));
  write_file_atomically(request.out, json_text(to_json(calibration), 1) + "\n");
  std::error_code ignored;
  fs::remove_all(work, ignored);
  return calibration_text(calibration);
}

std::string run_find(const FindRequest& request) {
  if (request.model.empty() || request.detector.empty())
    fail(ErrorKind::kUsage, "find needs --model and --detector, the same that made the timelines");
  FaceAlignerConfig config;
  config.detector = request.detector;
  config.faces = FaceChoice::kAll;
  FaceAligner aligner(config);
  const Gallery gallery = gallery_of_photo(request.face, aligner);
  const PassingFolder work(fs::temp_directory_path() / concat("uir-identify-", ::getpid()));
  const fs::path decided = timeline_folder(request.timelines.front()) / "onnx.json";
  if (fs::exists(decided)) fs::copy_file(decided, work.path() / "onnx.json");  // else engines are tried again
  const FaceModel model = load_face_model(request.model, request.overrides, work.path(), faces_of(gallery));
  const std::vector<float> face = people_vectors(gallery, model.embedder).vectors;
  return find_text(request, face, model.description);
}

}  // namespace uir
