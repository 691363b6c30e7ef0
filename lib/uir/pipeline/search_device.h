// Where searches through pairs filter them.
#pragma once

#include <memory>

#include "uir/eval/config.h"
#include "uir/ranks/world.h"
#include "uir/search/block_filter.h"

namespace uir {

// The filter on the device that eval.device names; none for the processor, whose own kernels are faster than
// products. Without an index, ranks of one machine take its devices in turn. kConfig for a device that is not
// there.
std::unique_ptr<BlockFilter> device_filter(const EvalConfig& config, const World& world);

}  // namespace uir
