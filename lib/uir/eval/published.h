// Sources of published figures that several protocols name.
#pragma once

#include <string_view>

namespace uir {

inline constexpr std::string_view kIjbScripts =
    "InsightFace (github.com/deepinsight/insightface), IJB evaluation of the released model LResNet100E-IR, "
    "ArcFace";
inline constexpr std::string_view kChallengeBaselines =
    "Lightweight Face Recognition Challenge, ICCV 2019: baselines (github.com/deepinsight/insightface, "
    "challenges/iccv19-lfr/README.md)";

}  // namespace uir
