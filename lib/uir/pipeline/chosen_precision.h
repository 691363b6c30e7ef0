// Whether a network of ours is computed in bf16 where that is fast: only where it changes no direction.
#pragma once

#include "uir/dist/communicator.h"
#include "uir/model/backbone.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/own_faces.h"

namespace uir {

// With `auto` bf16 becomes float32 in `compute` unless the first faces keep a cosine of 0.999, on every rank;
// the log says so. The network is left in evaluation mode. Collectives: one sum.
void choose_precision(Backbone& backbone, Precision wanted, const OwnFaces& faces, const Communicator& ranks,
                      Compute& compute);

}  // namespace uir
