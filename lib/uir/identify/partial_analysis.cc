#include "uir/identify/partial_analysis.h"

#include <cstdio>
#include <utility>

#include "uir/base/error.h"
#include "uir/base/json_text.h"
#include "uir/images/decode.h"

namespace uir {
namespace {

constexpr std::chrono::seconds kSaveEvery{5};
constexpr int kPictureQuality = 90;
constexpr const char *kQuestion = "question.json", *kTimeline = "timeline.json", *kVectors = "vectors.f32",
                     *kComplete = "complete.json";

std::string picture_name(int64_t track) {
  char name[32];
  std::snprintf(name, sizeof(name), "faces/%06lld.jpg", static_cast<long long>(track));
  return name;
}

std::vector<float> read_vectors(const fs::path& path, int64_t size, size_t faces) {
  const std::string bytes = read_text_file(path, uint64_t{1} << 33);
  if (bytes.size() != faces * static_cast<size_t>(size) * sizeof(float))
    fail(ErrorKind::kData, path.string(), ": ", bytes.size(), " bytes, which do not fit ", faces, " rows of ",
         size, " numbers");
  std::vector<float> vectors(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(vectors.data()));
  return vectors;
}

void move_by(int64_t ticks, Track& track) {
  track.time = {track.time.begin + ticks, track.time.end + ticks};
  for (Span& hidden : track.hidden) hidden = {hidden.begin + ticks, hidden.end + ticks};
  for (Sight& sight : track.sights) sight.ticks += ticks;
  for (TrackFace& face : track.faces) face.ticks += ticks;
}

size_t faces_in(const Timeline& timeline) {
  size_t faces = 0;
  for (const Track& track : timeline.tracks) faces += track.faces.size();
  return faces;
}

}  // namespace

PartialAnalysis::PartialAnalysis(const fs::path& timeline, const Json& question, bool resume)
    : folder_(timeline / "partial") {
  const bool interrupted = fs::exists(folder_ / kQuestion);
  if (interrupted && !resume)
    fail(ErrorKind::kUsage, folder_.string(),
         ": an interrupted analysis left it; --resume continues it, or delete it to start over");
  create_folders(folder_);
  lock_.emplace(folder_);
  so_far_.timeline.vector_size = part_.vector_size = question.value("vector_size", int64_t{0});
  if (!interrupted) {
    write_file_atomically(folder_ / kQuestion, json_text(question, 1) + "\n");
    return;
  }
  const std::string differs = first_difference(read_json_file(folder_ / kQuestion), question);
  if (!differs.empty())
    fail(ErrorKind::kConfig, folder_.string(), ": the interrupted analysis was made otherwise: ", differs,
         "; give the same again, or delete that folder to start over");
  read_parts();
}

fs::path PartialAnalysis::part_folder(int64_t number) const {
  char name[32];
  std::snprintf(name, sizeof(name), "part-%06lld", static_cast<long long>(number));
  return folder_ / name;
}

void PartialAnalysis::read_parts() {
  for (; fs::exists(part_folder(parts_)); ++parts_) {
    const fs::path folder = part_folder(parts_);
    const Timeline part = read_timeline(folder);
    append(part, read_vectors(folder / kVectors, so_far_.timeline.vector_size, faces_in(part)));
  }
  if (!fs::exists(folder_ / kComplete)) return;
  so_far_.complete = true;
  so_far_.timeline.film =
      parse_timeline(read_text_file(folder_ / kComplete), (folder_ / kComplete).string()).film;
}

void PartialAnalysis::append(const Timeline& part, std::span<const float> vectors) {
  Timeline& whole = so_far_.timeline;
  const auto first_vector =
      whole.vector_size == 0 ? 0 : static_cast<int64_t>(so_far_.vectors.size()) / whole.vector_size;
  const auto first_shot = static_cast<int64_t>(whole.shots.size());
  for (Track track : part.tracks) {
    track.id = static_cast<int64_t>(whole.tracks.size()) + 1;
    track.shot += first_shot;
    move_by(static_cast<int64_t>(whole.photos.size()), track);
    for (TrackFace& face : track.faces) face.vector += first_vector;
    whole.tracks.push_back(std::move(track));
  }
  whole.shots.insert(whole.shots.end(), part.shots.begin(), part.shots.end());
  whole.photos.insert(whole.photos.end(), part.photos.begin(), part.photos.end());
  so_far_.vectors.insert(so_far_.vectors.end(), vectors.begin(), vectors.end());
  whole.film.frames += part.film.frames;
  whole.film.lost = part.film.lost;
  if (whole.film.width == 0) {
    whole.film.width = part.film.width;
    whole.film.height = part.film.height;
  }
  const Json distances = part.made_by.value("distances", Json::array());
  const auto next = json_at<std::array<int64_t, 4>>(part.made_by, "next", folder_.string());
  so_far_.next = ShotStart{next[0], next[1], next[2], next[3]};
  for (const Json& distance : distances) so_far_.distances[distance.at(0)] += distance.at(1).get<int64_t>();
}

void PartialAnalysis::add_tracks(std::vector<VectorTrack> tracks, int64_t shot) {
  for (VectorTrack& found : tracks) {
    Track& track = found.track;
    track.id = static_cast<int64_t>(part_.tracks.size()) + 1;
    track.shot = shot;
    track.picture = picture_name(static_cast<int64_t>(so_far_.timeline.tracks.size()) + track.id);
    const auto first = static_cast<int64_t>(part_vectors_.size()) / std::max<int64_t>(1, part_.vector_size);
    for (TrackFace& face : track.faces) face.vector += first;
    part_vectors_.insert(part_vectors_.end(), found.vectors.begin(), found.vectors.end());
    constexpr int kSide = static_cast<int>(kImageSize);
    part_pictures_.emplace_back(track.picture,
                                encode_jpeg(found.picture->data(), {kSide, kSide}, kPictureQuality));
    part_.tracks.push_back(std::move(track));
  }
}

void PartialAnalysis::add_shot(const AnalyzedShot& shot, std::vector<VectorTrack> tracks) {
  add_tracks(std::move(tracks), static_cast<int64_t>(part_.shots.size()));
  if (part_.shots.empty()) part_.film.shown.begin = shot.time.begin;
  part_.film.shown.end = shot.time.end;
  part_.shots.push_back(shot.time);
  part_.film.frames += shot.frames;
  part_.film.lost = shot.following.lost;
  part_next_ = shot.following;
  if (part_.film.width == 0) {
    part_.film.width = shot.width;
    part_.film.height = shot.height;
  }
  for (const auto& [distance, count] : shot.distances) part_distances_[distance] += count;
}

void PartialAnalysis::add_photo(const std::string& name, std::vector<VectorTrack> tracks) {
  const auto number = static_cast<int64_t>(part_.photos.size());
  for (VectorTrack& found : tracks) move_by(number, found.track);
  add_tracks(std::move(tracks), 0);
  part_.photos.push_back(name);
  part_.film.shown.end = number + 1;
}

void PartialAnalysis::save_now_and_then() {
  if (std::chrono::steady_clock::now() - saved_ >= kSaveEvery) save();
}

void PartialAnalysis::save() {
  saved_ = std::chrono::steady_clock::now();
  if (part_.shots.empty() && part_.photos.empty()) return;
  Json distances = Json::array();
  for (const auto& [distance, count] : part_distances_) distances.push_back({distance, count});
  part_.made_by = {{"distances", distances},
                   {"next", {part_next_.ticks, part_next_.lost, part_next_.fade_frames, part_next_.fade}}};
  part_.film.ticks_per_second = ticks_per_second_;
  AtomicFolder folder(part_folder(parts_));
  const auto write = [&](const fs::path& name, Bytes bytes) {
    OutputFile file(folder.path() / name);
    file.write(bytes);
    file.close();
  };
  create_folders(folder.path() / "faces");
  for (const auto& [name, jpeg] : part_pictures_) write(name, jpeg);
  write(kVectors, std::as_bytes(std::span(part_vectors_)));
  const std::string text = timeline_text(part_);
  write(kTimeline, as_bytes(text));
  folder.commit();
  ++parts_;
  append(parse_timeline(text, "a part"), part_vectors_);
  part_ = {};
  part_.vector_size = so_far_.timeline.vector_size;
  part_vectors_.clear();
  part_distances_.clear();
  part_pictures_.clear();
}

void PartialAnalysis::complete(const Film& film) {
  save();
  Timeline facts;  // with what the film's times are held against when it is read
  facts.film = so_far_.timeline.film = film;
  facts.shots = so_far_.timeline.shots;
  facts.photos = so_far_.timeline.photos;
  write_file_atomically(folder_ / kComplete, timeline_text(facts));
  so_far_.complete = true;
}

void PartialAnalysis::collect_pictures(const fs::path& folder) const {
  for (int64_t part = 0; part < parts_; ++part) {
    for (const auto& entry : fs::directory_iterator(part_folder(part) / "faces")) {
      std::error_code error;
      fs::create_hard_link(entry.path(), folder / entry.path().filename(), error);
      if (error) fs::copy_file(entry.path(), folder / entry.path().filename());
    }
  }
}

void PartialAnalysis::remove() {
  lock_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace uir
