// The file of uir-identify calibrate, and the thresholds that it gives.
#include "uir/identify/track_calibration.h"

#include "target.h"

UIR_FUZZ_TARGET(track_calibration) {
  const uir::fuzz::InputFile file(bytes);
  const uir::TrackCalibration calibration =
      uir::read_track_calibration(uir::read_json_file(file.path()), "names.json");
  for (const double wanted : {1e-9, 0.3, 1., 1e9}) (void)uir::false_names_at(calibration, wanted);
  (void)uir::read_track_calibration(uir::to_json(calibration), "names.json");
}
