// Who appears when: uir-identify on films and photos, its calibration, and faces looked for in its timelines.
#pragma once

#include <string>
#include <vector>

#include "uir/identify/request.h"

namespace uir {

// Writes a timeline beside every input. Given back: a summary line a person. kUsage for a request that lacks
// something; errors as in identification.h, gallery.h and face_model.h; kData for a calibration of another
// network.
std::string run_identify(const IdentifyRequest& request);

// Analyses films in which nobody of the gallery appears, and writes request.out, a calibration that
// run_identify reads (identify/track_calibration.h). Given back: what it says.
std::string run_track_calibration(const IdentifyRequest& request);

struct FindRequest {
  fs::path face;  // a photo
  std::vector<fs::path> timelines;
  fs::path model, detector;
  double least = 0;  // 0: the timelines' own
  std::vector<std::string> overrides;
};
// Given back: a line per person and film, the likest first. kData for a timeline of another network.
std::string run_find(const FindRequest& request);

}  // namespace uir
