// What the command line of uir-identify asks of an analysis. Free of everything: the front program parses it,
// the worker does it.
#pragma once

#include <string>
#include <vector>

#include "uir/base/file.h"

namespace uir {

struct IdentifyRequest {
  std::vector<fs::path> inputs;  // films, or folders of photos
  fs::path gallery, model, detector, out, calibration;
  double false_names = 1;  // of the calibration: wanted false names per hour of film
  // Without a calibration; 0: a careful default.
  double known = 0, unsure = 0;
  double min_score = 0.6;
  double smallest_face = 32;  // pixels
  double rate = 5;            // frames looked at per second; 0: every frame
  int detect_side = 640;
  int threads = 0;
  bool resume = false;
  std::vector<std::string> overrides;  // of the model's options: train.precision=float32
};

}  // namespace uir
