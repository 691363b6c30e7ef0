// Names and lists that extraction, in-training verification and evaluation share.
#pragma once

#include <span>
#include <string_view>

#include "uir/eval/pairs.h"
#include "uir/experiment/experiment.h"

namespace uir {

// The class centers, exported by uir-extract as one more embedding set.
inline constexpr const char* kClassCentersSet = "class_centers";

// The pairs of a verification protocol over a set whose row i is items[i]: from its pairs list, from its .bin, or from
// the .bin source that the set is. kData unless there are num_pairs of them, where the protocol says so.
PairList protocol_pairs(const Experiment& experiment, const VerificationProtocol& protocol,
                        std::span<const std::string_view> items);

}  // namespace uir
