// Which score is a name worth? Measured on films in which nobody of the gallery appears: every name given
// there is a false one.
//
// Of every track counts its best score with anybody of the gallery. The threshold for a wanted number of
// false names per hour is the lowest one that is reached no more often in the hours that were looked at; it
// lies in the middle between the scores on both sides of it. Where fewer than kResolvingNames false names
// lie above it, the rate is known too badly, and is given as an upper bound: one-sided, 95 % (C. J. Clopper
// and E. S. Pearson, "The use of confidence or fiducial limits", Biometrika 1934); with none 3 / hours.
// Errors of reading: kMissingInput; kData naming file and place for what is no such calibration.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/base/file.h"
#include "uir/base/json.h"
#include "uir/timeline/timeline.h"

namespace uir {

inline constexpr int64_t kResolvingNames = 10;

struct TrackCalibration {
  Json model;                  // as timelines have it in made_by
  std::string gallery;         // its checksum
  int64_t people = 0;          // in the gallery
  double hours = 0;            // of film
  int64_t tracks = 0;          // large enough to tell
  double same_person = 0;      // tracks were grouped down to this mean score
  std::vector<double> scores;  // the best score of each, descending; the highest ones are enough
};

struct FalseNames {
  double threshold = 0;
  int64_t names = 0;    // false ones from it on, in those hours
  double per_hour = 0;  // names / hours, or the upper bound
  bool is_bound = false;
};
FalseNames false_names_at(const TrackCalibration& calibration, double wanted_per_hour);

// The largest share that is not ruled out when `events` of `trials` were seen.
double upper_bound_of_share(int64_t events, int64_t trials);

// Of films without anybody of the gallery, as they were analysed.
void add_film(TrackCalibration& calibration, const Timeline& timeline);

// {"format": "uir-timeline-calibration", "version": 1, …}; docs/timeline.md
Json to_json(const TrackCalibration& calibration);
TrackCalibration read_track_calibration(const Json& json, const std::string& place);
inline constexpr const char* kTrackCalibration = "uir-timeline-calibration";

}  // namespace uir
