// The file of uir-eval calibrate.
#include "uir/eval/calibration.h"

#include "target.h"

UIR_FUZZ_TARGET(calibration) {
  const uir::fuzz::InputFile file(bytes);
  const uir::Calibration calibration = uir::read_calibration(file.path());
  (void)calibration.gallery_for(2);
  (void)uir::stranger_threshold(calibration, 1, 2);
}
