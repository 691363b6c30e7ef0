// A network of ours as the network of an extraction: in what it is computed, decided on the user's own faces.
#pragma once

#include <memory>
#include <string>

#include "uir/base/json.h"
#include "uir/dist/communicator.h"
#include "uir/embed/extractor.h"
#include "uir/experiment/experiment.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/own_faces.h"

namespace uir {

struct BackboneEmbedding {
  Embedder embedder;
  Json manifest;  // what the manifests of its embeddings say of it: color_order, normalization, precision
};

// The network is left in evaluation mode on compute.device. With train.precision: auto it is computed in
// bf16 only where the first faces keep a cosine of 0.999, on every rank (`compute` says so afterwards, and
// the log if they do not). identity: of the weights. Collectives: at most two sums. Errors: those of
// int8_extraction.h.
BackboneEmbedding backbone_embedding(const Experiment& experiment, const std::shared_ptr<Backbone>& backbone,
                                     const std::string& identity, const OwnFaces& faces,
                                     const Communicator& ranks, Compute& compute);

}  // namespace uir
