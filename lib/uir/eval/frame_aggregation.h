// How the frames of a video become one vector (eval/video.h), as an option of protocols and submissions.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "uir/config/visitor.h"

namespace uir {

// The weights of frames.
enum class Aggregation { kMean, kNormWeighted, kQualityWeighted };
template <>
struct EnumNames<Aggregation> {
  static constexpr std::array<EnumName<Aggregation>, 3> value{
      {{Aggregation::kMean, "mean"},
       {Aggregation::kNormWeighted, "norm_weighted"},
       {Aggregation::kQualityWeighted, "quality_weighted"}}};
};

// Part of every protocol over videos; its fields stand among the protocol's own.
struct FrameAggregation {
  Aggregation aggregation = Aggregation::kMean;
  DataPath quality;
  bool flip = false;
};
template <class Visitor>
void describe(Visitor& v, FrameAggregation& c) {
  v.field(
      "aggregation", c.aggregation,
      "How frames are weighted: mean (alike), norm_weighted (by the embedding's length), quality_weighted.");
  v.field("quality", c.quality, "List 'item<TAB>quality' of every frame, for quality_weighted.");
  v.field("flip", c.flip, "Add the mirror image's embedding to each frame's; the LFR challenge does not.");
}

// What is wrong between its options, a line each.
std::vector<std::string> problems_of(const FrameAggregation& frames);

}  // namespace uir
