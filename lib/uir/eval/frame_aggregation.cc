#include "uir/eval/frame_aggregation.h"

namespace uir {

std::vector<std::string> problems_of(const FrameAggregation& frames) {
  const bool weighted = frames.aggregation == Aggregation::kQualityWeighted;
  std::vector<std::string> problems;
  if (weighted && frames.quality.empty()) problems.emplace_back("quality_weighted needs a list quality");
  if (!weighted && !frames.quality.empty())
    problems.emplace_back("quality is for aggregation: quality_weighted");
  return problems;
}

}  // namespace uir
