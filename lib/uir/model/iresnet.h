// IResNet 18, 34, 50, 100 and 200: residual networks of InsightFace.
#pragma once

#include <memory>

#include "uir/model/backbone.h"

namespace uir {

// Structure and names of arcface_torch's iresnet.py; weights are uninitialised memory; the seed is
// dropout's. Throws kConfig for another depth.
std::shared_ptr<Backbone> make_iresnet(const IResNetConfig& config, uint64_t seed);

}  // namespace uir
