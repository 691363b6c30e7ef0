// What a network is made of, described once: its operations with names, shapes and costs. From this list
// come the live network (model/), exported files (export/) and estimates (plan/). Free of LibTorch.
//
// Where to change a network: its channels, blocks and strides stand in iresnet.cc and mobilefacenet.cc, its
// options in config.h, the rounding of channel counts in scaled_channels (blueprint_writer.h).
//
// Source: arcface_torch's iresnet.py and mobilefacenet.py of InsightFace, structure and names. Departure: a
// width multiplier, which rounds every channel count to a multiple of 8, at least 8, and leaves the
// embedding's size alone.
// Cost: microseconds. Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "uir/network/config.h"

namespace uir {

// y = (x − mean) / √(variance + ε) · weight + bias; in training, running statistics move by the momentum.
inline constexpr double kBatchNormEpsilon = 1e-5, kBatchNormMomentum = 0.1;

enum class OpKind {
  kNormalize,  // (x − kPixelMiddle) / kPixelMiddle: in no blueprint, but in front of an exported network
  kConv,
  kBatchNorm,
  kPReLU,
  kAdd,  // inputs: a block's result, and its shortcut
  kFlatten,
  kLinear
};

inline constexpr int64_t kNetworkInput = -1;

// An operation on one image: [in_channels, in_size, in_size] → [out_channels, out_size, out_size].
//
// Its tensors have the keys name + suffix in a state dict: of kConv .weight [out, in / groups, kernel,
// kernel] and, if it has one, .bias [out]; of kBatchNorm .weight, .bias, .running_mean, .running_var
// [channels] and .num_batches_tracked []; of kPReLU .weight [channels]; of kLinear .weight [out, in] and,
// if it has one, .bias [out]. Other kinds have a name, but no tensors.
struct Op {
  OpKind kind = OpKind::kConv;
  std::string name;             // "layer1.0.conv1"
  std::vector<int64_t> inputs;  // kNetworkInput, or the position of an earlier operation
  int64_t in_channels = 0, out_channels = 0;
  int64_t in_size = 1, out_size = 1;                        // height and width [pixels]
  int64_t kernel = 1, stride = 1, padding = 0, groups = 1;  // of kConv
  bool bias = false;                                        // of kConv and kLinear
  bool trained = true;          // false: the weight of this batch norm keeps its first value, 1
  bool always_float32 = false;  // whatever the type of the activations before

  int64_t in_elements() const { return in_channels * in_size * in_size; }
  int64_t out_elements() const { return out_channels * out_size * out_size; }
  int64_t parameters() const;     // elements; without running statistics
  int64_t multiply_adds() const;  // of convolutions and linear layers, else 0
  // Whether the live network convolves a copy of the input without the pixels that the stride skips
  // (model/layers.cc says why); backward then needs the copy and not the input.
  bool thins_input() const;
};

// The last operation's result is the embedding. Operations stand in the order of the state dict, each behind
// its inputs. A kPReLU or kAdd directly reads a batch norm whose result nothing else reads.
struct Blueprint {
  std::vector<Op> ops;
  int64_t embedding_size = 0;
  double dropout = 0;  // share of the linear layer's input that training drops
};

// Throws kConfig for an unknown depth.
Blueprint network_blueprint(const ModelConfig& config);

// All positions in the order in which the network computes them: as they are listed, but a block's shortcut
// comes before the block's other operations.
std::vector<int64_t> evaluation_order(const std::vector<Op>& ops);

}  // namespace uir
