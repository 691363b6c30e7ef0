// Extraction in int8: the ranges that a network needs for it come from the user's own faces and are kept in
// <run>/int8.json, so that all sets of a run are embedded alike.
//
// Collectives: two sums; the first rank finds the ranges, all read what it wrote.
// Cost: at the first time some passes over 128 faces in float32 and one in int8.
// Errors: kConfig on devices and processors that cannot; kData where the faces' embeddings come out otherwise
// than in float32, by a mean cosine below kInt8Cosine.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

#include "uir/base/json.h"
#include "uir/dist/communicator.h"
#include "uir/experiment/experiment.h"
#include "uir/model/backbone.h"
#include "uir/pipeline/own_faces.h"

namespace uir {

inline constexpr double kInt8Cosine = 0.99;

// What is asked of a network; faces: uint8 [n, 112, 112, 3].
struct Int8Network {
  std::string identity;  // other ranges for another one
  std::function<Int8Ranges(const at::Tensor& faces)> find_ranges;
  std::function<at::Tensor(const at::Tensor& faces)> embed_in_float32;
  std::function<std::function<at::Tensor(const at::Tensor& faces)>(const Int8Ranges& ranges)> in_int8;
};

// A network of ours, which is left in evaluation mode.
Int8Network int8_network(const std::shared_ptr<Backbone>& backbone, const std::string& identity);

struct Int8Embedding {
  std::function<at::Tensor(const at::Tensor& faces)> embed;
  Json manifest;  // precision, int8_ranges: a checksum of the ranges
};

// runs: whether the processor can (InferenceConv::runs_int8).
void check_int8(at::Device device, bool runs);

Int8Embedding int8_embedding(const Experiment& experiment, const Int8Network& network, const OwnFaces& faces,
                             const Communicator& ranks);

}  // namespace uir
