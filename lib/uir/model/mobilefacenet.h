// MobileFaceNet, in InsightFace's variants mbf and mbf_large.
#pragma once

#include <memory>

#include "uir/model/backbone.h"

namespace uir {

// Structure and names of arcface_torch's mobilefacenet.py; weights are uninitialised memory.
std::shared_ptr<Backbone> make_mobilefacenet(const MobileFaceNetConfig& config);

}  // namespace uir
