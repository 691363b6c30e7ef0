// A network's forward and backward pass in training, each time anew or, with graphs, recorded once and
// launched from then on (device/step_graphs.h).
//
// With graphs the first kWarmUps passes run as they are; then each direction is recorded, and launched in
// place of the network's call. Whatever a launch reads or writes must lie where it lay: images, embeddings
// and the embeddings' gradient have memory of their own here; the gradients of weights are those of the
// warm-up, and whoever zeroes them does it in place. That weights, gradients and running statistics did not
// move is looked at before every launch.
// Results: the same with and without graphs, to the bit where the device's operators are.
// Cost with graphs: copies of images, embeddings and their gradient. Memory: what the passes need comes
// from a pool of its own, which nothing else can use between them.
// Errors: kConfig if the device cannot record the passes; kInternal for memory that moved, or another shape.
// Threads: one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "uir/device/step_graphs.h"
#include "uir/model/backbone.h"

namespace uir {

class NetworkPasses {
 public:
  static constexpr int64_t kWarmUps = 3;

  // graphs: null makes every pass a call of the network.
  NetworkPasses(std::shared_ptr<Backbone> network, at::ScalarType pixel_type,
                std::unique_ptr<StepGraphs> graphs);
  NetworkPasses(const NetworkPasses&) = delete;  // what is recorded knows this object
  NetworkPasses& operator=(const NetworkPasses&) = delete;

  // images uint8 [B, 112, 112, 3] on the network's device, with graphs always as many → embeddings [B, D]
  // without autograd, which the next forward pass may overwrite.
  at::Tensor forward(const at::Tensor& images);
  // Adds to the weights' gradients, given that of the last embeddings. Once after every forward pass.
  void backward(const at::Tensor& gradient);

 private:
  enum Graph : size_t { kForward, kBackward };
  void pass(Graph graph, const std::function<void()>& work);
  void record(Graph graph, const std::function<void()>& work);
  std::vector<const void*> places() const;

  at::Tensor compute(const at::Tensor& images) const;

  std::shared_ptr<Backbone> network_;
  at::ScalarType pixel_type_;
  std::unique_ptr<StepGraphs> graphs_;
  std::vector<at::Tensor> tensors_;            // weights and running statistics
  at::Tensor computed_;                        // embeddings, with what backward needs
  at::Tensor images_, embeddings_, gradient_;  // of graphs, outside of their pool
  int64_t passes_ = 0;                         // forward and backward
  std::vector<const void*> places_;            // of tensors and gradients when they were recorded
};

}  // namespace uir
