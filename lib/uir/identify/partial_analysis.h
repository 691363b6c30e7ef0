// An analysis that may be interrupted at any moment: what is done lies in <timeline>/partial, in parts that
// appear there as a whole, and is gone once the timeline stands.
//
// A part holds the shots of some seconds of work: their tracks, vectors and pictures. An analysis goes on
// behind the last part; the result is the same, byte for byte, as without interruption.
// Errors: kUsage if something is left and `resume` is not wanted; kConfig, naming the difference, where it
// was made otherwise (another network, gallery, detector, film, option); kData for damaged parts;
// kCannotCreate where another process works on it; kIo. Threads: one.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "uir/base/growing_file.h"
#include "uir/identify/film_analysis.h"
#include "uir/identify/track_vectors.h"
#include "uir/timeline/timeline.h"

namespace uir {

// Tracks without decisions, and their faces' vectors [rows, vector_size].
struct Analysis {
  Timeline timeline;
  std::vector<float> vectors;
  std::map<int64_t, int64_t> distances;  // of neighbouring frames [ticks], and how many
  std::optional<ShotStart> next;         // the shot to go on with; none: the film's first
  bool complete = false;
};

class PartialAnalysis {
 public:
  // timeline: the folder that the timeline is written to. question: all that the analysis depends on.
  PartialAnalysis(const fs::path& timeline, const Json& question, bool resume);

  const Analysis& so_far() const { return so_far_; }
  // Of the film's times; not called for photos.
  void set_clock(int64_t ticks_per_second) { ticks_per_second_ = ticks_per_second; }
  void add_shot(const AnalyzedShot& shot, std::vector<VectorTrack> tracks);
  // The tracks' times begin at 0.
  void add_photo(const std::string& name, std::vector<VectorTrack> tracks);
  // Every few seconds what was added becomes a part.
  void save_now_and_then();
  void save();
  // All is there: the film's facts.
  void complete(const Film& film);
  // The pictures of all parts, in one folder, under the names that tracks have.
  void collect_pictures(const fs::path& folder) const;
  void remove();

 private:
  void read_parts();
  void append(const Timeline& part, std::span<const float> vectors);
  void add_tracks(std::vector<VectorTrack> tracks, int64_t shot);
  fs::path part_folder(int64_t number) const;

  fs::path folder_;
  std::optional<FolderLock> lock_;
  Analysis so_far_;
  Timeline part_;  // not saved yet
  std::vector<float> part_vectors_;
  std::map<int64_t, int64_t> part_distances_;
  ShotStart part_next_;
  std::vector<std::pair<std::string, std::vector<std::byte>>> part_pictures_;
  int64_t parts_ = 0, ticks_per_second_ = 1;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

}  // namespace uir
