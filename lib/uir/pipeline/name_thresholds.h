// From which score on a track is given a name: by a calibration, as asked for, or by a careful default.
#pragma once

#include <cstddef>

#include "uir/base/json.h"
#include "uir/identify/request.h"
#include "uir/identify/track_calibration.h"
#include "uir/timeline/timeline.h"

namespace uir {

// request.calibration is read: one of films (uir-identify calibrate), or of photos (uir-eval calibrate),
// whose rate per stranger becomes one per hour at kTracksPerHour, an estimate. Says what was chosen, and
// warns where nothing was measured. model: as made_by has it; a calibration of another network is kData.
inline constexpr double kTracksPerHour = 300;
TimelineThresholds name_thresholds(const IdentifyRequest& request, size_t people, const Json& model);

// From which mean score on two groups of tracks are one person: that which is worth a name, by the scores of
// single tracks of strangers.
double same_person_by(const TrackCalibration& calibration);

}  // namespace uir
