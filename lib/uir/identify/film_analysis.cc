#include "uir/identify/film_analysis.h"

#include <algorithm>
#include <map>
#include <utility>

namespace uir {
namespace {

// The search for the frame in which a track begins or ends, among those between two samples.
struct EdgeSearch {
  TrackEdge edge;
  size_t step = 0;            // of the batch, whose frames are searched
  int64_t low = 0, high = 0;  // the first frame with (begin) or without (end) the face is in [low, high]

  bool open() const { return low < high; }
  int64_t middle() const { return (low + high) / 2; }
  void learn(bool seen) {
    if (seen == edge.begins) {
      high = middle();
    } else {
      low = middle() + 1;
    }
  }
};

using FoundFaces = std::map<std::pair<size_t, int64_t>, std::vector<FilmFace>>;  // by step and frame

}  // namespace

struct FilmAnalysis::Impl {
  fs::path film;
  double rate;
  FindFaces find;
  const FaceEmbedder* embedder;
  int64_t ticks_per_second, container_start, announced_ticks;
  std::optional<ShotTracker> tracker;
  AnalyzedShot shot;
  std::map<int64_t, int64_t> distances;

  void look_at(std::vector<FilmStep>& steps, const std::function<void(AnalyzedShot)>& sink) {
    std::vector<VideoFrame> samples;
    for (const FilmStep& step : steps) samples.push_back(step.sample);
    std::vector<std::vector<FilmFace>> faces = find(samples);
    std::vector<EdgeSearch> searches;
    std::vector<AnalyzedShot> finished;
    for (size_t i = 0; i < steps.size(); ++i) {
      const FilmStep& step = steps[i];
      if (step.begins_shot) begin_shot(step);
      std::vector<TrackEdge> edges;
      tracker->add(step.sample.facts().ticks, step.following.ticks, step.begins_shot, step.ends_shot,
                   std::move(faces[i]), edges);
      const auto between = static_cast<int64_t>(step.between.size());
      for (TrackEdge& edge : edges) searches.push_back({std::move(edge), i, 0, between});
      count(step);
      if (step.ends_shot) finished.push_back(end_shot(step));
    }
    search(steps, searches);
    for (AnalyzedShot& done : finished) {
      for (const auto& track : done.tracks) track->close();
      leave_out_others(done);
      sink(std::move(done));
    }
  }

  void begin_shot(const FilmStep& step) {
    const FrameFacts facts = step.sample.facts();
    tracker.emplace(ticks_per_second, *embedder);
    shot = {};
    shot.time.begin = facts.ticks;
    shot.fade_in = step.fade_in;
    shot.width = facts.width;
    shot.height = facts.height;
    distances.clear();
  }

  // In a dissolve people of the neighbouring shots are to be seen, too: those who are not there otherwise.
  static void leave_out_others(AnalyzedShot& shot) {
    std::erase_if(shot.tracks, [&](const auto& track) {
      return track->time.end <= shot.time.begin + shot.fade_in ||
             track->time.begin >= shot.time.end - shot.following.fade;
    });
  }

  void count(const FilmStep& step) {
    shot.frames += static_cast<int64_t>(step.between.size()) + 1;
    int64_t next = step.following.ticks;
    ++distances[next - step.sample.facts().ticks];
    next = step.sample.facts().ticks;
    for (size_t i = step.between.size(); i-- > 0;) {
      const int64_t ticks = step.between[i].facts().ticks;
      ++distances[next - ticks];
      next = ticks;
    }
  }

  AnalyzedShot end_shot(const FilmStep& step) {
    constexpr size_t kMostDistances = 16;
    shot.time.end = step.following.ticks;
    shot.following = step.following;
    shot.tracks = tracker->take_tracks();
    shot.distances.assign(distances.begin(), distances.end());
    std::ranges::stable_sort(shot.distances, std::greater<>(), &std::pair<int64_t, int64_t>::second);
    if (shot.distances.size() > kMostDistances) shot.distances.resize(kMostDistances);
    return std::move(shot);
  }

  // All edges of a batch at once, by halving: the frames wanted next are looked at together.
  void search(const std::vector<FilmStep>& steps, std::vector<EdgeSearch>& searches) {
    FoundFaces found;
    while (true) {
      std::vector<std::pair<size_t, int64_t>> places;
      for (const EdgeSearch& one : searches) {
        const std::pair<size_t, int64_t> place{one.step, one.middle()};
        if (one.open() && !found.contains(place)) places.push_back(place);
      }
      std::ranges::sort(places);
      places.erase(std::unique(places.begin(), places.end()), places.end());
      std::vector<VideoFrame> frames;
      for (const auto& [step, frame] : places)
        frames.push_back(steps[step].between[static_cast<size_t>(frame)]);
      std::vector<std::vector<FilmFace>> faces = find(frames);
      for (size_t i = 0; i < places.size(); ++i) found.emplace(places[i], std::move(faces[i]));
      if (!go_on(steps, searches, found)) break;
    }
    for (const EdgeSearch& one : searches) settle(steps[one.step], one);
  }

  // Whether anything was learnt.
  static bool go_on(const std::vector<FilmStep>& steps, std::vector<EdgeSearch>& searches,
                    const FoundFaces& found) {
    bool learnt = false;
    for (EdgeSearch& one : searches) {
      if (!one.open()) continue;
      const int64_t frame = one.middle();
      const int64_t ticks = steps[one.step].between[static_cast<size_t>(frame)].facts().ticks;
      one.learn(one.edge.is_seen_among(found.at({one.step, frame}), ticks));
      learnt = true;
    }
    return learnt;
  }

  static void settle(const FilmStep& step, const EdgeSearch& search) {
    const auto frame = static_cast<size_t>(search.low);
    const VideoFrame& there = frame < step.between.size() ? step.between[frame] : step.sample;
    FaceTrack& track = *search.edge.track;
    if (!search.edge.absence) {
      track.time.begin = there.facts().ticks;
    } else {
      Span& absence = track.absences[*search.edge.absence].time;
      (search.edge.begins ? absence.end : absence.begin) = there.facts().ticks;
    }
  }
};

FilmAnalysis::FilmAnalysis(const fs::path& film, double rate, FindFaces find, const FaceEmbedder& embedder) {
  const VideoReader reader(film);
  impl_.reset(new Impl{film,
                       rate,
                       std::move(find),
                       &embedder,
                       reader.ticks_per_second(),
                       reader.container_start(),
                       reader.announced_ticks(),
                       {},
                       {},
                       {}});
}
FilmAnalysis::~FilmAnalysis() = default;
int64_t FilmAnalysis::ticks_per_second() const { return impl_->ticks_per_second; }
int64_t FilmAnalysis::container_start() const { return impl_->container_start; }
int64_t FilmAnalysis::announced_ticks() const { return impl_->announced_ticks; }

int64_t FilmAnalysis::run(const std::optional<ShotStart>& from, const std::function<void(int64_t)>& looked_at,
                          const std::function<void(AnalyzedShot)>& sink) {
  FilmSteps steps(impl_->film, impl_->rate, from);
  while (std::optional<std::vector<FilmStep>> batch = steps.next()) {
    impl_->look_at(*batch, sink);
    looked_at(batch->back().following.ticks);
  }
  return steps.lost();
}

}  // namespace uir
