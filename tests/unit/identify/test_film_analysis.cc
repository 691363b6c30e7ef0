#include "uir/identify/film_analysis.h"

#include "drawn_people.h"
#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/identify/track_vectors.h"
#include "uir/video/video_reader.h"

using namespace uir;

namespace {

std::vector<AnalyzedShot> analyze(const fs::path& film, double rate,
                                  const std::optional<ShotStart>& from = {}) {
  const FaceEmbedder embedder = color_embedder();
  FilmAnalysis analysis(film, rate, finder_of({kRed, kGreen, kBlue}), embedder);
  std::vector<AnalyzedShot> shots;
  analysis.run(
      from, [](int64_t) {}, [&](AnalyzedShot shot) { shots.push_back(std::move(shot)); });
  return shots;
}

// In frames.
Span frames_of(const Span& span, int64_t ticks_per_second) {
  return {span.begin * 25 / ticks_per_second, span.end * 25 / ticks_per_second};
}

struct Expected {
  std::array<int, 3> rgb;
  Span frames;
};

void check_tracks(const AnalyzedShot& shot, int64_t second, const std::vector<Expected>& expected) {
  REQUIRE(shot.tracks.size() == expected.size());
  for (const Expected& one : expected) {
    bool found = false;
    for (const auto& track : shot.tracks) {
      const bool same_color = (*track->sightings[0].face.pixels)[0] == one.rgb[0] &&
                              (*track->sightings[0].face.pixels)[1] == one.rgb[1];
      found = found || (same_color && frames_of(track->time, second) == one.frames);
    }
    CHECK(found);
  }
}

}  // namespace

TEST_CASE("Tracks begin and end at the frame, at any cadence", "[film]") {
  const TempFolder folder;
  const fs::path path = folder / "film.avi";
  write_video(path, draw_film(120, {60},
                              {{kRed, 0, 60, {20, 20}, {1, 0.5}},        // the whole first shot
                               {kGreen, 13, 47, {200, 100}, {-0.5, 0}},  // inside of it
                               {kRed, 60, 91, {100, 100}, {0, 0}},       // from the cut on
                               {kBlue, 77, 120, {30, 30}, {2, 1}},       // until the end
                               {kGreen, 101, 104, {250, 20}, {0, 0}}}));
  const int64_t second = VideoReader(path).ticks_per_second();
  for (const double rate : {25., 5., 8.}) {
    const std::vector<AnalyzedShot> shots = analyze(path, rate);
    REQUIRE(shots.size() == 2);
    CHECK(frames_of(shots[0].time, second) == Span{0, 60});
    CHECK(frames_of(shots[1].time, second) == Span{60, 120});
    CHECK(shots[0].frames == 60);
    check_tracks(shots[0], second, {{kRed, {0, 60}}, {kGreen, {13, 47}}});
    // Three frames fall between two samples at a low cadence.
    std::vector<Expected> second_shot{{kRed, {60, 91}}, {kBlue, {77, 120}}};
    if (rate >= 8) second_shot.push_back({kGreen, {101, 104}});
    check_tracks(shots[1], second, second_shot);
  }
}

TEST_CASE("An analysis goes on at any shot as if it had not stopped", "[film]") {
  const TempFolder folder;
  const fs::path path = folder / "film.avi";
  write_video(path, draw_film(130, {30, 70, 74},
                              {{kRed, 5, 100, {20, 20}, {1, 0.5}}, {kGreen, 50, 130, {200, 100}, {-1, 0}}}));
  const std::vector<AnalyzedShot> all = analyze(path, 5);
  REQUIRE(all.size() == 4);
  for (size_t first = 0; first < all.size(); ++first) {
    if (first == 0) continue;
    const std::vector<AnalyzedShot> rest = analyze(path, 5, all[first - 1].following);
    REQUIRE(rest.size() == all.size() - first);
    for (size_t i = 0; i < rest.size(); ++i) {
      const AnalyzedShot &a = all[first + i], &b = rest[i];
      CHECK(a.time == b.time);
      CHECK(a.frames == b.frames);
      CHECK(a.distances == b.distances);
      REQUIRE(a.tracks.size() == b.tracks.size());
      for (size_t t = 0; t < a.tracks.size(); ++t) {
        CHECK(a.tracks[t]->time == b.tracks[t]->time);
        CHECK(a.tracks[t]->sightings.size() == b.tracks[t]->sightings.size());
      }
    }
  }
}

TEST_CASE("Who is hidden for a moment is one track, and known to be hidden, to the frame", "[film]") {
  const TempFolder folder;
  const fs::path path = folder / "film.avi";
  const int gone = GENERATE(31, 35, 36);
  write_video(path, draw_film(90, {}, {{kRed, 3, gone, {20, 20}, {1, 0}}, {kRed, 52, 80, {69, 20}, {1, 0}}}));
  const int64_t second = VideoReader(path).ticks_per_second();
  for (const double rate : {25., 5.}) {
    const std::vector<AnalyzedShot> shots = analyze(path, rate);
    REQUIRE(shots.size() == 1);
    REQUIRE(shots[0].tracks.size() == 1);
    const FaceEmbedder embedder = color_embedder();
    const std::vector<VectorTrack> tracks = vector_tracks(shots[0].tracks, {}, embedder);
    REQUIRE(tracks.size() == 1);
    CHECK(frames_of(tracks[0].track.time, second) == Span{3, 80});
    REQUIRE(tracks[0].track.hidden.size() == 1);
    CHECK(frames_of(tracks[0].track.hidden[0], second) == Span{gone, 52});
  }
}

TEST_CASE("People who cross keep their tracks", "[film]") {
  const TempFolder folder;
  const fs::path path = folder / "film.avi";
  write_video(path,
              draw_film(50, {}, {{kRed, 0, 50, {20, 100}, {5, 0}}, {kGreen, 0, 50, {270, 110}, {-5, 0}}}));
  const std::vector<AnalyzedShot> shots = analyze(path, 5);
  REQUIRE(shots.size() == 1);
  for (const auto& track : shots[0].tracks) {
    for (const Sighting& sighting : track->sightings)
      CHECK((*sighting.face.pixels)[0] == (*track->sightings[0].face.pixels)[0]);
  }
}

TEST_CASE("A track that becomes another person is divided", "[film]") {
  // No cut is to be seen: the square turns blue where it stands.
  const TempFolder folder;
  const fs::path path = folder / "film.avi";
  write_video(path,
              draw_film(100, {}, {{kRed, 0, 50, {100, 100}, {0, 0}}, {kBlue, 50, 100, {100, 100}, {0, 0}}}));
  const std::vector<AnalyzedShot> shots = analyze(path, 5);
  REQUIRE(shots.size() == 1);
  REQUIRE(shots[0].tracks.size() == 1);
  const FaceEmbedder embedder = color_embedder();
  const std::vector<VectorTrack> tracks = vector_tracks(shots[0].tracks, {}, embedder);
  REQUIRE(tracks.size() == 2);
  const int64_t second = VideoReader(path).ticks_per_second();
  CHECK(frames_of(tracks[0].track.time, second) == Span{0, 50});
  CHECK(frames_of(tracks[1].track.time, second) == Span{50, 100});
  CHECK((*tracks[0].picture)[0] == kRed[0]);
  CHECK((*tracks[1].picture)[0] == kBlue[0]);
}
