// Config of the feature files for the organisers of a challenge (uir-extract --format).
#pragma once

#include <string>

#include "uir/config/visitor.h"
#include "uir/eval/frame_aggregation.h"

namespace uir {

struct SubmissionConfig {
  FrameAggregation frames;
  bool normalize = true;
  std::string suffix = "uir";
};
template <class Visitor>
void describe(Visitor& v, SubmissionConfig& c) {
  describe(v, c.frames);
  v.field("normalize", c.normalize, "Scale images' features to length 1; those of videos always are.");
  v.field("suffix", c.suffix, "MegaFace files are called <item>_<suffix>.bin.");
}

}  // namespace uir
