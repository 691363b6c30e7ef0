#include "uir/identify/identification.h"

#include <algorithm>
#include <set>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/progress.h"
#include "uir/base/text.h"
#include "uir/data/folder_listing.h"
#include "uir/identify/film_facts.h"
#include "uir/identify/unit_vectors.h"
#include "uir/timeline/writer.h"
#include "uir/video/video_reader.h"

namespace uir {
namespace {

constexpr const char* kVectors = "vectors.f32";

fs::path timeline_of(const fs::path& input) {
  const fs::path name = without_last_slash(input);
  fs::path stem = fs::is_directory(name) ? name : fs::path(name).replace_extension();
  return stem += ".timeline";
}

std::vector<std::string> list_of_photos(const fs::path& folder, LeftOut& left_out) {
  std::vector<std::string> photos;
  for_each_file(
      folder, is_image_name, [&](const std::string& file) { photos.push_back(file); }, &left_out);
  std::ranges::sort(photos, natural_less);
  if (photos.empty()) fail(ErrorKind::kData, folder.string(), ": no photos", left_out.note());
  return photos;
}

// By names and sizes: an album may be large.
std::string checksum_of_photos(const fs::path& folder, const std::vector<std::string>& photos) {
  Checksum checksum;
  for (const std::string& photo : photos) {
    checksum.add(as_bytes(concat(photo, '\n', fs::file_size(folder / photo), '\n')));
  }
  return checksum_hex(checksum.value());
}

// Of an input, as a timeline keeps it: empty if it lies beside the timeline's folder.
std::string path_from(const fs::path& timeline, const fs::path& input) {
  const fs::path there = fs::absolute(without_last_slash(input)).lexically_normal(),
                 own = fs::absolute(without_last_slash(timeline)).lexically_normal();
  return there.parent_path() == own.parent_path() ? "" : there.lexically_relative(own).string();
}

double largest_side(const Track& track) {
  double largest = 0;
  for (const Sight& sight : track.sights) {
    largest = std::max<double>(largest, std::min(sight.box[2] - sight.box[0], sight.box[3] - sight.box[1]));
  }
  return largest;
}

// One face of a photo as a track of one tick.
VectorTrack track_of_photo(const AlignedFace& face, const FaceEmbedder& embedder) {
  auto pixels = std::make_shared<FacePixels>(face.rgb);
  auto track = std::make_shared<FaceTrack>();
  track->time = {0, 1};
  FilmFace found{face.found->box, 1, face_quality(*face.found, *pixels), pixels};
  track->sightings.push_back({0, std::move(found), {}});
  return vector_tracks({track}, {}, embedder).front();
}

std::vector<float> mean_of_unit_vectors(std::span<const float> rows, int64_t dim) {
  std::vector<double> sum;
  for (; !rows.empty(); rows = rows.subspan(static_cast<size_t>(dim))) {
    const std::span<const float> row = rows.first(static_cast<size_t>(dim));
    const double length = norm_of(row);
    add_to(sum, row, length > 0 ? 1 / length : 0);
  }
  return unit_vector(sum);
}

std::vector<float> mean_vectors(const Timeline& timeline, std::span<const float> vectors) {
  std::vector<float> means;
  for (const Track& track : timeline.tracks) {
    const std::vector<float> mean = mean_vector(track, vectors, timeline.vector_size);
    means.insert(means.end(), mean.begin(), mean.end());
  }
  return means;
}

}  // namespace

std::vector<IdentifyInput> identify_inputs(const std::vector<fs::path>& paths, const fs::path& out) {
  if (paths.empty()) fail(ErrorKind::kUsage, "no film given, and no folder of photos");
  std::vector<IdentifyInput> inputs;
  std::set<fs::path> timelines;
  for (const fs::path& path : paths) {
    if (!fs::exists(path)) fail(ErrorKind::kMissingInput, path.string(), ": no such film or folder");
    const fs::path own = timeline_of(path);
    const fs::path timeline = out.empty() ? own : paths.size() == 1 ? out : out / own.filename();
    if (!timelines.insert(timeline.lexically_normal()).second)
      fail(ErrorKind::kUsage, path.string(), ": its timeline would be ", timeline.string(),
           ", which is another film's; identify them one by one, with --out");
    inputs.push_back({path, timeline});
  }
  return inputs;
}

PeopleVectors people_vectors(const Gallery& gallery, const FaceEmbedder& embedder) {
  PeopleVectors people;
  for (const GalleryFaces& person : gallery.people) {
    std::vector<const FacePixels*> faces;
    for (const GalleryFace& face : person.faces) faces.push_back(face.pixels.get());
    const std::vector<float> mean = mean_of_unit_vectors(embedder.embed(faces), embedder.dim);
    people.names.push_back(person.name);
    people.vectors.insert(people.vectors.end(), mean.begin(), mean.end());
  }
  return people;
}

Identification::Identification(IdentifyOptions options, FaceEmbedder embedder, const Gallery& gallery,
                               Json made_by)
    : options_(std::move(options)),
      embedder_(std::move(embedder)),
      people_(people_vectors(gallery, embedder_)),
      made_by_(std::move(made_by)) {
  for (const GalleryFaces& person : gallery.people)
    shown_people_.push_back({person.name, static_cast<int64_t>(person.faces.size())});
  made_by_["gallery"] = {{"people", gallery.people.size()}, {"checksum", gallery.checksum}};
  made_by_["rate"] = options_.rate;
}

Json Identification::question(const IdentifyInput& input) const {
  Json question = made_by_;
  question["vector_size"] = embedder_.dim;
  question["input"] = readable(input.path.filename().string());
  if (fs::is_directory(input.path)) {
    LeftOut left_out;
    question["input_checksum"] = checksum_of_photos(input.path, list_of_photos(input.path, left_out));
  } else {
    const FileIdentity identity = identity_of_file(input.path);
    question["input_checksum"] = identity.checksum;
    question["input_bytes"] = identity.bytes;
  }
  Json together = Json::array();
  for (const IdentifyInput& other : inputs_) together.push_back(readable(other.path.filename().string()));
  question["together_with"] = together;
  return question;
}

void Identification::check_stop(PartialAnalysis& analysis) const {
  if (!options_.stop || !options_.stop()) return;
  analysis.save();
  fail(ErrorKind::kStopped, "stopped; run again with --resume to continue");
}

void Identification::analyze_film(const IdentifyInput& input, PartialAnalysis& analysis) {
  FilmAnalysis film(input.path, options_.rate, options_.find, embedder_);
  const Analysis& so_far = analysis.so_far();
  const int64_t second = film.ticks_per_second();
  analysis.set_clock(second);
  int64_t told = so_far.next ? so_far.next->ticks / second : 0;
  Progress progress("identifying " + readable(input.path.filename().string()), "seconds of film",
                    std::max<int64_t>(0, film.announced_ticks() / second - told));
  const auto looked_at = [&](int64_t ticks) {  // within shots, too: they may last for hours
    progress.add(ticks / second - told);
    told = ticks / second;
    check_stop(analysis);
  };
  const int64_t lost = film.run(so_far.next, looked_at, [&](const AnalyzedShot& shot) {
    analysis.add_shot(shot, vector_tracks(shot.tracks, options_.tracks, embedder_));
    analysis.save_now_and_then();
  });
  analysis.save();
  Film facts = so_far.timeline.film;
  const FrameRate rate = frame_rate_of(so_far.distances, second);
  const FileIdentity identity = identity_of_file(input.path);
  facts.file = input.path.filename().string();
  facts.path = path_from(input.timeline, input.path);
  facts.bytes = identity.bytes;
  facts.checksum = identity.checksum;
  facts.ticks_per_second = second;
  facts.container_start = film.container_start();
  facts.shown = {so_far.timeline.shots.front().begin, so_far.timeline.shots.back().end};
  facts.lost = lost;
  facts.rate_num = rate.num;
  facts.rate_den = rate.den;
  facts.constant_rate = rate.constant;
  analysis.complete(facts);
}

void Identification::analyze_photos(const IdentifyInput& input, PartialAnalysis& analysis) {
  LeftOut left_out;
  const std::vector<std::string> photos = list_of_photos(input.path, left_out);
  for (const std::string& line : left_out.lines()) log_warning(line);
  FaceAlignerConfig config = options_.photos;
  config.faces = FaceChoice::kAll;
  FaceAligner aligner(config);
  Progress progress("identifying " + readable(input.path.filename().string()), "photos",
                    static_cast<int64_t>(photos.size()));
  for (size_t i = analysis.so_far().timeline.photos.size(); i < photos.size(); ++i) {
    std::vector<VectorTrack> tracks;
    try {
      const MappedFile file(input.path / photos[i]);
      for (const AlignedFace& face : faces_of_photo(file.bytes(), aligner))
        tracks.push_back(track_of_photo(face, embedder_));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kData) throw;
      log_warning(readable(photos[i]), ": ", error.what());
    }
    analysis.add_photo(photos[i], std::move(tracks));
    progress.add(1);
    check_stop(analysis);
    analysis.save_now_and_then();
  }
  Film facts;
  facts.file = without_last_slash(input.path).filename().string();
  facts.path = path_from(input.timeline, input.path);
  facts.checksum = checksum_of_photos(input.path, photos);
  facts.shown = {0, static_cast<int64_t>(photos.size())};
  facts.frames = facts.shown.end;
  facts.rate_num = 1;
  analysis.complete(facts);
}

const std::vector<Timeline>& Identification::decide(const TimelineThresholds& thresholds) {
  timelines_.clear();
  timelines_.reserve(partials_.size());
  std::vector<FilmTracks> films;
  for (const auto& partial : partials_) {
    Timeline& timeline = timelines_.emplace_back(partial->so_far().timeline);
    timeline.people = shown_people_;
    timeline.thresholds = thresholds;
    timeline.made_by = made_by_;
    FilmTracks& film =
        films.emplace_back(&timeline.tracks, mean_vectors(timeline, partial->so_far().vectors));
    for (const Track& track : timeline.tracks) film.largest.push_back(largest_side(track));
  }
  decide_tracks(films, people_, embedder_.dim, thresholds);
  return timelines_;
}

const std::vector<Timeline>& Identification::run(std::vector<IdentifyInput> inputs) {
  inputs_ = std::move(inputs);
  for (const IdentifyInput& input : inputs_) {
    create_folders(input.timeline);
    auto& partial = *partials_.emplace_back(
        std::make_unique<PartialAnalysis>(input.timeline, question(input), options_.resume));
    if (partial.so_far().complete) continue;
    if (fs::is_directory(input.path)) {
      analyze_photos(input, partial);
    } else {
      analyze_film(input, partial);
    }
  }
  return decide(options_.thresholds);
}

void Identification::publish() {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const fs::path& folder = inputs_[i].timeline;
    AtomicFolder pictures(folder / "faces");
    partials_[i]->collect_pictures(pictures.path());
    pictures.commit();
    AtomicFile vectors(folder / kVectors);
    vectors.out().write(std::as_bytes(std::span(partials_[i]->so_far().vectors)));
    vectors.commit();
    for (const std::string& problem : write_timeline(folder, timelines_[i])) log_warning(problem);
  }
}

void Identification::clean_up() {
  for (const auto& partial : partials_) partial->remove();
}

}  // namespace uir
