// The networks: pixels become embeddings.
//
// A backbone is built from its blueprint (network/blueprint.h): its modules have the blueprint's names, stand
// in its order, and are called in its evaluation order.
//
// Shapes: images uint8 [B, 112, 112, 3] RGB → embeddings float32 [B, D], unnormalised.
// Cost: the blueprint's multiply-adds per image; memory in training: plan/network_facts.h.
// Threads: one forward at a time per network. Results depend on the number of LibTorch's intra-op threads in
// training (gradients are summed per thread), not in evaluation.
// Inference: in evaluation, without gradients, on CPUs with AVX-512, convolutions are computed by
// inference_conv.h, which rounds otherwise: embeddings differ by 1e-6 (MobileFaceNet) to 1e-5 (IResNet 50) of
// their norm in float32 from those of the layers. In int8, for which such a network is made ready
// (infer_in_int8), dense convolutions but the first multiply numbers of 8 bits; activations are bf16.
#pragma once

#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "uir/model/batch_norm.h"
#include "uir/model/fused_convs.h"
#include "uir/model/int8_ranges.h"
#include "uir/network/blueprint.h"
#include "uir/network/config.h"
#include "uir/pixels/preparation.h"

namespace uir {

class Backbone : public torch::nn::Module {
 public:
  // Weights of convolutions and linear layers are uninitialised memory. The seed is dropout's.
  Backbone(Blueprint blueprint, uint64_t seed);

  // pixels: float or bf16 (float16 on CUDA) [B, 3, 112, 112] channels-last, normalised to [−1, 1] (see
  // normalize_pixels). Convolutions run in pixels' type; the last layers and the result are float32. In
  // training mode the running statistics move, and B is at least 2: begin_pass, then pass.
  at::Tensor forward(const at::Tensor& pixels);
  // What the host does in a training pass, before the device's part: it counts the batch and draws dropout's
  // masks of so many rows, into the memory of the last ones. Nothing in evaluation.
  void begin_pass(int64_t rows);
  // The device's part. It reads nothing back, and pixels of the same memory and shape make it queue the same
  // work on the same memory, so that it can be recorded (device/step_graphs.h). Virtual for networks without
  // blueprint.
  virtual at::Tensor pass(const at::Tensor& pixels);
  // Also forgets what inference keeps of the weights.
  void train(bool on = true) override;
  // The numbers that dropout knows the rows of a training batch by: every rank's rows have others, and one
  // rank with all of them has the same. Not called: 0, 1, …
  void number_rows(std::vector<int64_t> numbers) { row_numbers_ = std::move(numbers); }
  // On CPUs with AVX-512 VNNI, in evaluation: the ranges that int8 needs, over the images of these pixels
  // (float).
  Int8Ranges find_int8_ranges(const at::Tensor& pixels);
  // From here on inference on pixels in bf16 is in int8, on those in float what it was. No ranges: no longer.
  void infer_in_int8(Int8Ranges ranges);
  const Blueprint& blueprint() const { return blueprint_; }
  int64_t embedding_size() const { return blueprint_.embedding_size; }

 private:
  // One call of a layer. A batch norm is computed together with the PReLU or the sum that reads it: one pass
  // over memory. In inference 3×3 convolutions are computed together with the batch norm before them and
  // with all of that behind them.
  struct Step {
    int64_t op;                     // whose result it computes
    std::vector<int64_t> inputs;    // the values that it reads
    std::vector<int64_t> released;  // those that no later step reads
    int64_t conv = -1;              // such a convolution
    int64_t before = -1;            // the batch norm before it
  };
  std::vector<Step> steps(bool inference) const;
  void fuse(Step& step, int64_t norm, const std::vector<int64_t>& readers) const;
  bool infers(const at::Tensor& pixels) const;
  void divide_inference();
  void run(std::span<const Step> steps, const at::Tensor& pixels, std::vector<at::Tensor>& values);
  void infer(const at::Tensor& pixels, std::vector<at::Tensor>& values);
  // values: by operation, the step's inputs among them; input: the first of these.
  at::Tensor compute(const Step& step, const at::Tensor& input, const std::vector<at::Tensor>& values);
  at::Tensor convolve(const Step& step, const at::Tensor& input, const std::vector<at::Tensor>& values);
  void draw_dropout(int64_t rows);
  template <class Layer>
  Layer& layer(int64_t op) const {
    return static_cast<Layer&>(*layers_[op]);
  }

  Blueprint blueprint_;
  uint64_t seed_;
  std::vector<int64_t> row_numbers_;
  at::Tensor dropout_mask_;  // of the training pass: 0, or one over the share that is kept
  std::vector<std::shared_ptr<torch::nn::Module>> layers_;  // by operation; none where it has no tensors
  std::vector<Step> steps_, inference_steps_;
  size_t front_steps_ = 0;             // of inference, for a few images at a time
  bool dense_front_ = false;           // with 3×3 convolutions of all channels
  std::vector<int64_t> behind_front_;  // what the steps behind them read of theirs
  FusedConvs fused_;
  Int8Ranges int8_;
  RangeSamples* samples_ = nullptr;  // to which inference adds
};

// A network with freshly initialised weights, a function of the seed alone. Throws kConfig for an unknown
// depth.
std::shared_ptr<Backbone> make_backbone(const ModelConfig& config, uint64_t seed);

// The same with uninitialised weights, for those who load weights right away.
std::shared_ptr<Backbone> make_uninitialized_backbone(const ModelConfig& config, uint64_t seed);

// Moves the network to a device. On other devices than the CPU convolutions get their weights
// channels-last, as the pixels are, so that no call has to rearrange them.
void move_to(Backbone& backbone, at::Device device);

// Parameters and buffers by state-dict key, in the order of InsightFace's files. The tensors are the module's
// own.
std::vector<std::pair<std::string, at::Tensor>> named_state(const torch::nn::Module& module);

// All batch norms share their statistics in training; the gathers of a pass come in the network's order.
void synchronize_batch_norms(Backbone& backbone, const GatherRows& gather);

// Elements of all parameters, trained or not.
int64_t num_parameters(const Backbone& backbone);

// uint8 NHWC → normalised as pixels/pixels.h has it, NCHW channels-last of the given type, on the images'
// device; no transpose.
at::Tensor normalize_pixels(const at::Tensor& images, at::ScalarType type);

// uint8 NHWC → float32 as a network of anyone wants it, NCHW in channels-last strides, on the images' device.
at::Tensor prepare_pixels(const at::Tensor& images, const PixelPreparation& preparation);

// The type of pixels in which training is fastest on the device, for `precision: auto`.
at::ScalarType fastest_pixel_type(const at::Device& device);

}  // namespace uir
