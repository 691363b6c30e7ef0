// What a YuNet's ONNX file holds: the weights of its layers, as its kernels want them (kernels.h).
//
// Both published generations have the same trunk: a stem, then stages of units, each a 1x1 convolution and a
// 3x3 one within every channel; between stages the picture is halved. What differs is what stands on the
// results of the trunk's stages from the third on: of 2022 a branch of two units each, of 2023 a unit that
// also sees the coarser stage, and one more that gives the numbers.
// Source: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", 2023; the files of OpenCV's model
// zoo.
// Errors: kMissingInput for a file that is not there; kData, naming the file, for one that is damaged or is
// no YuNet of these two. Threads: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "uir/base/file.h"
#include "uir/onnx/model.h"
#include "uir/yunet/kernels.h"

namespace uir {

struct YuNetStem {
  std::vector<Block> weights, bias;  // [27] of red, green, blue at every tap; [1]
};

struct YuNetUnit {
  int64_t in_blocks = 0, out_blocks = 0;
  std::vector<Block> pointwise, pointwise_bias;  // [16 in_blocks][out_blocks]; [out_blocks]
  std::vector<Block> depthwise, depthwise_bias;  // [out_blocks][9]; [out_blocks]
  bool relu = true;
};

// What stands on the trunk at one scale, the finest first.
struct YuNetBranch {
  std::vector<YuNetUnit> neck;  // of 2023: on the sum with what the coarser scale's neck gives
  std::vector<YuNetUnit> head;  // its last unit gives the numbers that faces are read from
};

// k2022: for every size of prior box: 14 numbers of box and points, 2 logits of classes, 1 of the overlap.
// k2023: the logits of class and object, 4 numbers of the box, 10 of points.
enum class YuNetGeneration { k2022, k2023 };

struct YuNetNetwork {
  YuNetGeneration generation;
  YuNetStem stem;
  std::vector<std::vector<YuNetUnit>> stages;  // stage i sees the picture at 1 / 2^(i + 1)
  std::vector<YuNetBranch> branches;           // of stage 2 and those behind it
};

inline constexpr int64_t kFirstBranch = 2;

YuNetNetwork read_yunet(const fs::path& path);
// The same of a model that was read already; what it refuses does not name the file.
YuNetNetwork yunet_of(const OnnxModel& model);

}  // namespace uir
